"""Break each promise on purpose and see the tests go red.

Every ``*.patch`` beside this file names a promise, the tests that guard it, and a small change that breaks it. Each is
applied to a copy of the tracked tree; its tests must pass without the patch and fail with it. An error that keeps tests
from running is not a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.support import postgres

ABREAST = max(1, min(4, len(os.sched_getaffinity(0))))
"""How many mutants are tried at once."""

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch: the ``promise`` it breaks and the ``tests`` that must notice, as pytest names files and tests."""

    path: Path
    promise: str
    tests: list[str]


def read(path: Path) -> Mutant:
    """The mutant in ``path``; raises `ValueError` when its head is incomplete."""
    head = dict(
        line.split(": ", 1) for line in path.read_text().partition("\ndiff --git")[0].splitlines() if ": " in line
    )
    try:
        promise, tests = head["Promise"], head["Tests"].split()
    except KeyError as missing:
        raise ValueError(f"{path.name} does not say {missing}") from missing
    # The tests of all mutants are first asked together: an option of one would choose among those of all.
    if options := [test for test in tests if not test.startswith("tests/")]:
        raise ValueError(f"{path.name} names no tests: {' '.join(options)}")
    return Mutant(path, promise, tests)


def mutants() -> list[Mutant]:
    """Every mutant, by name."""
    return [read(path) for path in sorted(HERE.glob("*.patch"))]


def _copy(target: Path) -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _pytest(folder: Path, tests: list[str], *options: str) -> tuple[int, str, set[str]]:
    """The exit code, the last line, and which tests failed or could not be run."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    failed = {line.split()[1] for line in lines if line.startswith(("FAILED ", "ERROR "))}
    return done.returncode, lines[-1] if lines else done.stderr.strip()[-200:], failed


def _trees(folder: Path) -> Queue[Path]:
    """As many copies of the tracked tree as run beside one another."""
    trees: Queue[Path] = Queue()
    for n in range(ABREAST):
        tree = folder / f"tree{n}"
        tree.mkdir()
        _copy(tree)
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
        trees.put(tree)
    return trees


def _green(tree: Path, chosen: list[Mutant]) -> set[str]:
    """Which of the tests that mutants name pass without any of them: asked at once, and once more where one failed."""
    wanted = asked = sorted({test for mutant in chosen for test in mutant.tests})
    for _ in range(2):  # a busy machine may fail a test that waits
        code, said, failed = _pytest(tree, asked, "-n", str(ABREAST), "--dist", "worksteal")
        if code == 0:
            return set(wanted)
        asked = [test for test in asked if not failed or any(_holds(test, one) for one in failed)]
    for test in asked:
        print(f"NOT GREEN  {test}: {said}", flush=True)
    return set(wanted) - set(asked)


def _holds(test: str, one: str) -> bool:
    """Whether ``test``, as a mutant names it (a folder, a file, a test), is or holds the test ``one``."""
    return one == test or one.startswith(tuple(f"{test.rstrip('/')}{mark}" for mark in ("/", "::", "[")))


def _verdict(mutant: Mutant, trees: Queue[Path], green: set[str]) -> bool:
    """Apply ``mutant`` to a free tree, run its tests, print what became of it; whether they went red."""
    tree = trees.get()
    try:
        applied = subprocess.run(["git", "apply", str(mutant.path)], cwd=tree, capture_output=True, text=True)
        if applied.returncode != 0:
            verdict, said = "DOES NOT APPLY", applied.stderr.strip().splitlines()[0]
        else:
            code, said, _ = _pytest(tree, mutant.tests, "-x", "-n", "0")
            if code == 0:  # a race may be won by luck, once
                code, said, _ = _pytest(tree, mutant.tests, "-x", "-n", "0")
            subprocess.run(["git", "apply", "-R", str(mutant.path)], cwd=tree, check=True)
            known = green.issuperset(mutant.tests)
            verdict = "red" if code == 1 and known else "SURVIVED" if code == 0 else "NO VERDICT"
    finally:
        trees.put(tree)
    print(f"{verdict:15} {mutant.path.stem:40} promise {mutant.promise}  ({said})", flush=True)
    return verdict == "red"


def main() -> int:
    chosen = [m for m in mutants() if not sys.argv[1:] or any(word in m.path.name for word in sys.argv[1:])]
    server = postgres.start(autovacuum=False)  # one for all of them
    os.environ["TEST_DATABASE_URL"] = server.url("postgres")
    try:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(ABREAST) as pool:
            trees = _trees(Path(folder))
            green = _green(trees.queue[0], chosen)
            noticed = sum(pool.map(lambda mutant: _verdict(mutant, trees, green), chosen))
    finally:
        server.stop()
    print(f"{noticed} of {len(chosen)} mutants were noticed")
    return 0 if chosen and noticed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
