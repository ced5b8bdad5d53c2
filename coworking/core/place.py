"""The lieu's name, clock and zones for packages that cannot import `spaces`, which provides them."""

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
    """The name of a zone that people may prefer."""

    id: int
    public_id: str
    name: str


def _paris() -> ZoneInfo:
    return ZoneInfo("Europe/Paris")


def _euro() -> str:
    return "EUR"


@dataclass(slots=True)
class _Answers:
    name: Callable[[], str] = str
    clock: Callable[[], ZoneInfo] = _paris
    zones: Callable[[], list[ZoneName]] = list
    currency: Callable[[], str] = _euro


_answers = _Answers()


def provided_by(
    *,
    name: Callable[[], str],
    clock: Callable[[], ZoneInfo],
    zones: Callable[[], list[ZoneName]],
    currency: Callable[[], str],
) -> None:
    """Set the functions that answer; `spaces` calls this when the application is created."""
    _answers.name, _answers.clock, _answers.zones, _answers.currency = name, clock, zones, currency


def name() -> str:
    """The lieu's name; empty before it is set up."""
    return _answers.name()


def clock() -> ZoneInfo:
    """The time zone of the lieu's wall clock; Paris before it is set up."""
    return _answers.clock()


def currency() -> str:
    """The currency of its prices; euros before it is set up."""
    return _answers.currency()


def zones() -> list[ZoneName]:
    """The zones in the order people see."""
    return _answers.zones()
