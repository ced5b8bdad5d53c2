"""Break each promise on purpose and see the tests go red.

Every ``*.patch`` beside this file names a promise, the tests that guard it, and a small change that breaks it. Each is
applied to a copy of the tracked tree, and one of its tests must fail. An error that keeps tests from running is not a
failure. At the end the tests that failed are asked without any patch: there they must pass.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.conftest import TEMPLATES, make_templates
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
    migrates: bool
    """Whether a database must be migrated anew to show the break: ``path`` changes a migration or a part of the core."""


def read(path: Path) -> Mutant:
    """The mutant in ``path``; raises `ValueError` when its head is incomplete."""
    head = dict(
        line.split(": ", 1) for line in path.read_text().partition("\ndiff --git")[0].splitlines() if ": " in line
    )
    try:
        promise, tests = head["Promise"], head["Tests"].split()
    except KeyError as missing:
        raise ValueError(f"{path.name} does not say {missing}") from missing
    if options := [test for test in tests if not test.startswith("tests/")]:
        raise ValueError(f"{path.name} names no tests: {' '.join(options)}")
    changed = re.findall(r"^\+\+\+ b/(.*)", path.read_text(), re.MULTILINE)
    return Mutant(path, promise, tests, any(name.startswith(("migrations/", "coworking/core/")) for name in changed))


def mutants() -> list[Mutant]:
    """Every mutant, by name."""
    return [read(path) for path in sorted(HERE.glob("*.patch"))]


def _copy(target: Path) -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _pytest(folder: Path, tests: Iterable[str], *options: str, migrates: bool = False) -> tuple[int, list[str]]:
    """The exit code and the lines that pytest wrote, the last one last."""
    left_out = {"PYTHONDONTWRITEBYTECODE", *([TEMPLATES] if migrates else ())}  # compiling takes longer than most tests
    environ = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environ,
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return done.returncode, lines or [done.stderr.strip()[-200:]]


def _failed(lines: Iterable[str]) -> set[str]:
    """The tests that failed or could not be set up, as pytest names them."""
    marks = ("FAILED tests/", "ERROR tests/")  # what a program logged begins with ERROR too
    return {line.split(" ", 1)[1].split(" - ")[0] for line in lines if line.startswith(marks)}


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


def _verdict(mutant: Mutant, trees: Queue[Path]) -> tuple[Mutant, set[str]]:
    """Apply ``mutant`` to a free tree, run its tests, print what became of it; the test that went red, if one did."""
    tree, noticed = trees.get(), set[str]()
    try:
        applied = subprocess.run(["git", "apply", str(mutant.path)], cwd=tree, capture_output=True, text=True)
        if applied.returncode != 0:
            verdict, said = "DOES NOT APPLY", applied.stderr.strip().splitlines()[0]
        else:
            code, lines = _pytest(tree, mutant.tests, "-x", "-n", "0", migrates=mutant.migrates)
            if code == 0:  # a race may be won by luck, once
                code, lines = _pytest(tree, mutant.tests, "-x", "-n", "0", migrates=mutant.migrates)
            subprocess.run(["git", "apply", "-R", str(mutant.path)], cwd=tree, check=True)
            said, noticed = lines[-1], _failed(lines) if code == 1 else noticed
            verdict = "red" if noticed else "SURVIVED" if code == 0 else "NO VERDICT"
    finally:
        trees.put(tree)
    print(f"{verdict:15} {mutant.path.stem:40} promise {mutant.promise}  ({said})", flush=True)
    return mutant, noticed


def _green(tree: Path, tests: set[str]) -> set[str]:
    """Which of ``tests`` pass without any mutant: asked at once, and once more where one failed."""
    _, lines = _pytest(tree, sorted({test.partition("::")[0] for test in tests}), "--collect-only", "-n", "0")
    there = tests.intersection(lines)  # what only a mutant's tree has is no proof, and stops pytest
    asked = sorted(there)
    for _ in range(2):  # a busy machine may fail a test that waits
        if not asked:
            break
        code, lines = _pytest(tree, asked, "-n", str(ABREAST), "--dist", "worksteal")
        asked = [] if code == 0 else sorted(_failed(lines)) or asked
    return there.difference(asked)


def main() -> int:
    chosen = [m for m in mutants() if not sys.argv[1:] or any(word in m.path.name for word in sys.argv[1:])]
    server = postgres.start(autovacuum=False)  # one for all of them
    os.environ["TEST_DATABASE_URL"] = server.url("postgres")
    try:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(ABREAST) as pool:
            templates = Path(folder) / f"templates_{os.getpid()}"
            templates.mkdir()
            make_templates(templates, server)
            os.environ[TEMPLATES] = str(templates)
            trees = _trees(Path(folder))
            verdicts = list(pool.map(lambda mutant: _verdict(mutant, trees), chosen))
            green = _green(trees.queue[0], set().union(*(tests for _, tests in verdicts)))
    finally:
        server.stop()
    for mutant, tests in verdicts:
        for test in tests - green:
            print(f"NOT GREEN       {mutant.path.stem:40} its test fails without it too  ({test})")
    noticed = sum(bool(tests & green) for _, tests in verdicts)
    print(f"{noticed} of {len(chosen)} mutants were noticed")
    return 0 if chosen and noticed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
