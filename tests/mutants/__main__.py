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
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch: the ``promise`` it breaks and the pytest arguments of the ``tests`` that must notice."""

    path: Path
    promise: str
    tests: list[str]


def read(path: Path) -> Mutant:
    """The mutant in ``path``; raises `ValueError` when its head is incomplete."""
    head = dict(
        line.split(": ", 1) for line in path.read_text().partition("\ndiff --git")[0].splitlines() if ": " in line
    )
    try:
        return Mutant(path, head["Promise"], head["Tests"].split())
    except KeyError as missing:
        raise ValueError(f"{path.name} does not say {missing}") from missing


def mutants() -> list[Mutant]:
    """Every mutant, by name."""
    return [read(path) for path in sorted(HERE.glob("*.patch"))]


def _copy(target: Path) -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _pytest(folder: Path, tests: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return done.returncode, lines[-1] if lines else done.stderr.strip()[-200:]


def main() -> int:
    chosen = [m for m in mutants() if not sys.argv[1:] or any(word in m.path.name for word in sys.argv[1:])]
    bad = 0
    green: dict[tuple[str, ...], bool] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        _copy(tree)
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
        for mutant in chosen:
            key = tuple(mutant.tests)
            if key not in green:
                code, said = _pytest(tree, mutant.tests)
                green[key] = code == 0
                if code != 0:
                    print(f"NOT GREEN  {' '.join(mutant.tests)}: {said}")
            applied = subprocess.run(["git", "apply", str(mutant.path)], cwd=tree, capture_output=True, text=True)
            if applied.returncode != 0:
                verdict, said = "DOES NOT APPLY", applied.stderr.strip().splitlines()[0]
            else:
                code, said = _pytest(tree, mutant.tests)
                subprocess.run(["git", "apply", "-R", str(mutant.path)], cwd=tree, check=True)
                verdict = "red" if code == 1 and green[key] else "SURVIVED" if code == 0 else "NO VERDICT"
            bad += verdict != "red"
            print(f"{verdict:15} {mutant.path.stem:40} promise {mutant.promise}  ({said})", flush=True)
    print(f"{len(chosen) - bad} of {len(chosen)} mutants were noticed")
    return 1 if bad or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
