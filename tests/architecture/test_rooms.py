"""The rooms of a package govern every file of it that is named after one: `views_month`, `services`, `six_figures_rules`."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("views", "forms", "handlers", "services", "queries", "models", "rules")
"""From the outside in: a room imports only those behind it."""


def room_of(module: str) -> str | None:
    """The room a module's name says: first or last word of it; None for files named after a concept."""
    words = module.rpartition(".")[2].split("_")
    return next((room for room in ROOMS if room in (words[0], words[-1])), None)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("coworking")


def test_every_file_named_after_a_room_imports_only_rooms_behind_it(graph: grimp.ImportGraph):
    wrong = []
    for module in sorted(graph.modules):
        here = room_of(module)
        for imported in graph.find_modules_directly_imported_by(module):
            there = room_of(imported)
            if here and there and module.rpartition(".")[0] == imported.rpartition(".")[0]:
                wrong += [f"{module} imports {imported}"] if ROOMS.index(there) < ROOMS.index(here) else []
    assert sorted(wrong) == []


def test_files_named_after_a_concept_are_not_above_the_views(graph: grimp.ImportGraph):
    """Nothing of a package imports its views, but its own `views` file that gathers the routes, and the application."""
    wrong = [
        f"{importer} imports {module}"
        for module in graph.modules
        if room_of(module) == "views"
        for importer in graph.find_modules_that_directly_import(module)
        if importer.rpartition(".")[0] == module.rpartition(".")[0] and room_of(importer) != "views"
    ]
    assert sorted(wrong) == []


def test_no_modules_import_each_other_in_a_circle(graph: grimp.ImportGraph):
    sorter = TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules})
    sorter.prepare()  # raises CycleError, which names the modules


def test_only_services_and_concepts_write():
    """No unit of work is opened where requests are read, values decided or rows read."""
    wrong = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "coworking").rglob("*.py")
        if room_of(file.stem) in {"views", "forms", "queries", "models", "rules"}
        and re.search(r"\bwith .*write_unit\(", file.read_text(encoding="utf-8"))
    ]
    assert sorted(wrong) == []
