"""What packages beside or below `spaces` may know of the lieu: its name, clock and zones, told by `spaces` itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from coworking.core.errors import N_, DomainError


class NotSetUp(DomainError):
    """The lieu is not set up yet; pages redirect to the setup questions."""

    code = "not_set_up"
    status = 503
    message = N_("This lieu is not set up yet.")


@dataclass(frozen=True, slots=True)
class ZoneName:
    """A zone people may prefer."""

    id: int
    public_id: str
    name: str


def _paris() -> ZoneInfo:
    return ZoneInfo("Europe/Paris")


@dataclass(slots=True)
class _Teller:
    name: Callable[[], str] = str
    clock: Callable[[], ZoneInfo] = _paris
    zones: Callable[[], list[ZoneName]] = list


_teller = _Teller()


def told_by(*, name: Callable[[], str], clock: Callable[[], ZoneInfo], zones: Callable[[], list[ZoneName]]) -> None:
    """Set who answers (the package of the lieu does, when the application is made)."""
    _teller.name, _teller.clock, _teller.zones = name, clock, zones


def name() -> str:
    """The lieu's name; empty before it is set up."""
    return _teller.name()


def clock() -> ZoneInfo:
    """The time zone of the lieu's wall clock; Paris before it is set up."""
    return _teller.clock()


def zones() -> list[ZoneName]:
    """The zones in the order people see."""
    return _teller.zones()
