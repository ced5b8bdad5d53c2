"""What packages beside or below `spaces` may know of the lieu: its name and its zones, told by `spaces` itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ZoneName:
    """A zone people may prefer."""

    id: int
    public_id: str
    name: str


@dataclass(slots=True)
class _Teller:
    name: Callable[[], str] = str
    zones: Callable[[], list[ZoneName]] = list


_teller = _Teller()


def told_by(*, name: Callable[[], str], zones: Callable[[], list[ZoneName]]) -> None:
    """Set who answers (the package of the lieu does, when the application is made)."""
    _teller.name, _teller.zones = name, zones


def name() -> str:
    """The lieu's name; empty before it is set up."""
    return _teller.name()


def zones() -> list[ZoneName]:
    """The zones in the order people see."""
    return _teller.zones()
