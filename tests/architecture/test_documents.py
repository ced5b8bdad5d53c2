"""The parts of the documents that are made from the code are current, and the files they name are there."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask

from coworking.core.guards import GUARDS

ROOT = Path(__file__).parents[2]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("part", list(_generator().PARTS))
def test_what_is_made_from_the_code_is_current(part: str):
    said, made = _generator().current(part)
    assert said == made, "run `make docs`"


def test_the_architecture_names_files_that_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:coworking|tasks|docs|tests|templates)/[\w/.]+\.(?:py|md|html))`", text))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_the_glossary_names_code_and_addresses_that_exist(apps: Callable[[str], Flask]):
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    files = set(re.findall(r"`([a-z]+/[\w/]+\.py)`", text))
    names = set(re.findall(r"`((?:[a-z]\w*\.)+[a-z]\w*)`", text))
    routes = set(re.findall(r"`(?:GET|POST) (/[^`?]*)`", text))
    assert len(files) > 10 and len(names) > 20 and len(routes) > 5
    served = {re.sub(r"<[^>]+>", "{id}", rule.rule) for rule in apps("sqlite").url_map.iter_rules()}
    assert sorted(name for name in files if not (ROOT / "coworking" / name).exists()) == []
    assert sorted(name for name in names if not _is_code(name)) == []
    assert sorted(route for route in routes if f"/api/v1{route}" not in served) == []


def _is_code(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    return hasattr(importlib.import_module(f"coworking.{module}"), attribute)


NOT_IMPORTED = {
    "redis": "named in the address of the broker",
    "tzdata": "is data",
}


def _requirements() -> list[str]:
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    return [re.split(r"[~=<>\[ ]", line)[0] for line in lines if line and not line.startswith("#")]


def test_each_requirement_has_a_reason_in_the_decision_record():
    text = (ROOT / "docs" / "adr" / "0006-dependencies.md").read_text(encoding="utf-8").casefold()
    named = {
        "celery": "celery",
        "psycopg": "psycopg 3",
        "sqlalchemy": "sqlalchemy 2",
        "flask-sqlalchemy": "flask-sqlalchemy",
    }
    assert [name for name in _requirements() if named.get(name, name) not in text] == []


def test_each_requirement_is_imported_by_some_file():
    tracked = subprocess.run(
        [
            "git",
            "grep",
            "-hoE",
            r"^ *(from|import) [A-Za-z_0-9]+",
            "--",
            "coworking",
            "tasks",
            "*.py",
            ":!tests",
            ":!bench",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    imported = {line.split()[1] for line in tracked.splitlines()}
    modules: dict[str, set[str]] = {}
    for module, names in importlib.metadata.packages_distributions().items():
        for name in names:
            modules.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(module)
    unused = [name for name in _requirements() if not modules.get(name.lower(), set()) & imported]
    assert sorted(unused) == sorted(NOT_IMPORTED)


def test_each_guard_stands_in_its_decision_record():
    text = (ROOT / "docs" / "adr" / "0003-database-guards.md").read_text(encoding="utf-8")
    missing = [guard.name for guard in GUARDS if f"`{guard.name}`" not in text and f"`{guard.table}`" not in text]
    assert missing == []


@pytest.mark.parametrize("file", _generator().FILES)
def test_files_made_from_the_code_are_current(file: str):
    assert (ROOT / file).read_text(encoding="utf-8") == _generator().FILES[file](), "make docs"
