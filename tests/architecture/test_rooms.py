"""The rooms of a package govern each of its files; `pyproject.toml` says which files are in which room."""

from __future__ import annotations

import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
ROOMS: list[str] = TOOLS["rooms"]["order"]
CONTRACTS = {contract["name"]: contract for contract in TOOLS["importlinter"]["contracts"]}
PURE: set[str] = set(CONTRACTS["Rules are pure"]["source_modules"])
FILES = {
    f"coworking.{package}.{name}": room
    for package, rooms in TOOLS["rooms"].items()
    if package != "order"
    for room, names in rooms.items()
    for name in names
}
"""The room of each file that its name does not tell."""


def room_of(module: str) -> str | None:
    """The room of a file: listed with the rules, listed in another room, or said by its name; else None."""
    words = module.rpartition(".")[2].split("_")
    said = next((room for room in ROOMS if room in (words[0], words[-1])), None)
    return "rules" if module in PURE else FILES.get(module) or said


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("coworking", cache_dir=None)  # the cache may tell of a file as it was


@pytest.fixture(scope="module")
def modules(graph: grimp.ImportGraph) -> list[str]:
    """The files of every package: modules that hold no others."""
    return sorted(module for module in graph.modules if module.count(".") > 1 and not graph.find_children(module))


def test_every_file_is_in_a_room(modules: list[str]):
    assert [module for module in modules if room_of(module) is None] == [], (
        "list each in [tool.rooms] of pyproject.toml"
    )


def test_what_is_listed_exists_and_has_one_room(modules: list[str]):
    assert sorted((PURE | set(FILES)) - set(modules)) == []
    assert sorted(PURE & set(FILES)) == []
    assert sorted(module for module, room in FILES.items() if room not in ROOMS) == []


def test_every_file_of_rules_is_kept_pure(modules: list[str]):
    rules = {module for module in modules if room_of(module) == "rules"}
    assert sorted(rules - PURE) == [], 'add each to the contract "Rules are pure"'


def test_only_what_all_packages_stand_on_is_a_tool(modules: list[str]):
    tools = {module.split(".")[1] for module in modules if room_of(module) == "tools"}
    assert tools == {"core", "server"}


def test_every_program_and_package_has_its_layer(graph: grimp.ImportGraph):
    layers = " ".join(CONTRACTS["Imports point down"]["layers"])
    parts = graph.find_children("coworking")
    assert sorted(part for part in parts if not re.search(rf"\b{part}\b", layers)) == []


def test_a_file_imports_only_rooms_behind_it(graph: grimp.ImportGraph, modules: list[str]):
    wrong = [
        f"{module} ({room_of(module)}) imports {imported} ({room_of(imported)})"
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.rpartition(".")[0] == module.rpartition(".")[0]
        and ROOMS.index(room_of(imported) or "") < ROOMS.index(room_of(module) or "")
    ]
    assert sorted(wrong) == []


def test_no_modules_import_each_other_in_a_circle(graph: grimp.ImportGraph):
    sorter = TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules})
    sorter.prepare()  # raises CycleError, which names the modules


def test_views_are_imported_by_views_only(graph: grimp.ImportGraph, modules: list[str]):
    """By the file of their package that gathers the routes, that is; and by the application."""
    wrong = [
        f"{importer} imports {module}"
        for module in modules
        if room_of(module) == "views"
        for importer in graph.find_modules_that_directly_import(module)
        if importer != "coworking.app" and room_of(importer) != "views"
    ]
    assert sorted(wrong) == []


def test_only_services_open_units_of_work(modules: list[str]):
    """And what carries out outbox rows or commands: nothing that reads requests, decides values or reads rows."""
    wrong = [
        module
        for module in modules
        if room_of(module) not in {"services", "tools", "handlers", "commands"}
        and re.search(r"\bwith .*write_unit\(", (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    ]
    assert sorted(wrong) == []
