"""Who a request comes from, asked once per request of the package that knows people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flask import g, has_request_context

from coworking.core.actor import Actor


class Visitor(Protocol):
    """Somebody who is signed in, as far as the packages below people need to know."""

    locale: Any  # a column of its class, a text of itself

    def actor(self) -> Actor: ...


def _nobody() -> None:
    return None


_find: Callable[[], Visitor | None] = _nobody


def found_by(find: Callable[[], Visitor | None]) -> Callable[[], Visitor | None]:
    """Register who reads the request's cookies and tokens."""
    global _find
    _find = find
    return find


def visitor() -> Visitor | None:
    """Who is signed in; None for anybody else and outside requests."""
    if not has_request_context():
        return None
    if "visitor" not in g:
        g.visitor = None  # reading the cookies may itself ask for the reader's language
        g.visitor = _find()
    return g.visitor


def set_visitor(person: Visitor | None) -> None:
    """From here on this request is ``person``'s: they have just signed in or out."""
    g.visitor = person
    g.pop("actor", None)
