"""Counting SQL statements: asserted instead of timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class Statements(list[str]):
    """The statements seen, in order."""

    def __str__(self) -> str:
        return f"{len(self)} statements:\n" + "\n".join(
            f"{n:3}. {' '.join(s.split())[:220]}" for n, s in enumerate(self, 1)
        )


@contextmanager
def counted(engine: Engine) -> Iterator[Statements]:
    """Collect every statement of ``engine`` but transaction control and the lieu's, which is read once per version."""
    seen = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        reads_lieu = statement.startswith("SELECT lieu.id") and "FOR NO KEY UPDATE" not in statement
        if not reads_lieu and not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
