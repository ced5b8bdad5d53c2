"""Finding names as people type them: without regard to case or accents, alike on both engines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from coworking.core.folding import fold

__all__ = ["fold", "folded"]

_ACCENTED = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ’"
_PLAIN = "aaaaaaceeeeiiiinooooouuuuyy'"
_FROM = _ACCENTED + _ACCENTED[:-1].upper()  # lower() of a database in the C locale leaves « É » alone
_TO = _PLAIN + _PLAIN[:-1]


class folded(GenericFunction[str]):  # noqa: N801 - SQL functions are written in lower case
    """`fold` of a column, in SQL."""

    type = String()
    inherit_cache = True


@compiles(folded, "sqlite")
def _sqlite(element: folded, compiler: Any, **options: Any) -> str:
    return f"fold({compiler.process(element.clauses, **options)})"  # registered on every connection, see core.db


@compiles(folded, "postgresql")
def _postgresql(element: folded, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"translate(lower({column}), '{_FROM}', '{_TO.replace(chr(39), chr(39) * 2)}')"
