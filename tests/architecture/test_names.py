"""A name holds without its module: no two public classes share one, nor two functions that are imported by name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
TREES = {
    str(path.relative_to(ROOT).with_suffix("")).replace("/", "."): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("coworking", "tasks")
    for path in (ROOT / folder).rglob("*.py")
}
SCHEMAS = "coworking.api.schemas."
"""Named after what they show on purpose: the API's description prints their names."""


def _classes(tree: ast.Module) -> set[str]:
    """Public classes, and the types given a name at the top level (a `TypeVar` is a letter and is none)."""
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    aliases = {target.id for target in targets if isinstance(target, ast.Name)}
    names = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    return names | {name for name in aliases if name[0].isupper() and not name.isupper()}


def _functions(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def _shared(modules_by_name: dict[str, set[str]]) -> dict[str, list[str]]:
    return {name: sorted(modules) for name, modules in sorted(modules_by_name.items()) if len(modules) > 1}


def test_a_public_class_shares_its_name_with_no_other():
    found: dict[str, set[str]] = defaultdict(set)
    for module, tree in TREES.items():
        for name in _classes(tree):
            if not name.startswith("_") and not module.startswith(SCHEMAS):
                found[name].add(module)
    assert _shared(found) == {}


def test_a_function_imported_by_name_shares_it_with_no_other():
    """`outbox.enqueue` and `mail.enqueue` are told apart by their modules; a bare `enqueue` would not be."""
    found: dict[str, set[str]] = defaultdict(set)
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in TREES:
                functions = _functions(TREES[node.module])
                for alias in node.names:
                    if alias.name in functions:
                        found[alias.name].add(node.module)
    assert _shared(found) == {}
