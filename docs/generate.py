"""Write the parts of the documents that are made from the code: ``python docs/generate.py``.

Each stands between ``<!-- name -->`` and ``<!-- /name -->``; a test says whether they are current.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def packages() -> str:
    """The packages and their imports as a Mermaid picture; what another arrow already implies is left out."""
    import grimp

    graph = grimp.build_graph("coworking", "tasks")
    imports: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            here, there = _package(module), _package(imported)
            if here != there:
                imports[here].add(there)
    reach = {name: _reach(name, imports) for name in imports}
    lines = ["```mermaid", "flowchart TD"]
    for name in sorted(imports):
        implied = set().union(*(reach.get(other, set()) for other in imports[name]))
        lines += [f"    {_node(name)} --> {_node(other)}" for other in sorted(imports[name] - implied)]
    return "\n".join([*lines, "```"])


def _package(module: str) -> str:
    parts = module.split(".")
    if parts[0] == "tasks":
        return "tasks"
    if parts[1:2] == ["network"] and len(parts) > 2 and parts[2] in {"exchange", "lieu", "head"}:
        return ".".join(parts[1:3])
    return parts[1] if len(parts) > 1 else "coworking"


def _reach(name: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports.get(name, ()))
    while waiting:
        if (other := waiting.pop()) not in found:
            found.add(other)
            waiting += imports.get(other, ())
    return found


def _node(name: str) -> str:
    return f'{name.replace(".", "_")}["{name}"]'


PARTS = {"packages": ("docs/architecture.md", packages)}


def current(name: str) -> tuple[str, str]:
    """What the document of the part ``name`` says, and what it should say."""
    file, make = PARTS[name]
    said = (ROOT / file).read_text(encoding="utf-8")
    made = re.sub(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}{make()}\n{m[2]}", said, flags=re.DOTALL
    )
    return said, made


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for part, (document, _make) in PARTS.items():
        (ROOT / document).write_text(current(part)[1], encoding="utf-8")
