"""Bookings that a change displaces: counted before the change is agreed to, cancelled after it.

Closing a day, retiring a desk or closing an account leaves bookings that no longer fit. The packages that make such
changes may not know bookings: they `announce` the change in their own unit, and the package above that knows bookings
says what it would do to them (`weighed_by`) and carries that out later, out of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coworking.core import outbox
from coworking.core.errors import N_, DomainError
from coworking.core.types import public_id

DAYS, RESOURCE, PERSON = "displaced.days", "displaced.resource", "displaced.person"
"""Topics. Payloads: ``{"days": [ISO dates]}``; ``{"resource": public id}``; ``{"person": public id}``."""


@dataclass(frozen=True, slots=True)
class ToPhone:
    """Someone without an e-mail address who must be phoned: ``what`` they had booked."""

    name: str
    phone: str | None
    what: str


@dataclass(frozen=True, slots=True)
class Toll:
    """What a change does to bookings: how many are ``moved`` to another place, ``shortened`` or ``cancelled``.

    ``unreachable``: who cannot be told of it by e-mail.
    """

    moved: int = 0
    shortened: int = 0
    cancelled: int = 0
    unreachable: tuple[ToPhone, ...] = ()

    @property
    def count(self) -> int:
        return self.moved + self.shortened + self.cancelled

    @property
    def text(self) -> str:
        """As a page carries it to the second press, where `toll_of` reads it."""
        return f"{self.moved}-{self.shortened}-{self.cancelled}"

    def exceeds(self, agreed: Toll) -> bool:
        """Whether it is worse than what was ``agreed``: more bookings change, lose a half-day, or are cancelled."""
        return (
            self.cancelled > agreed.cancelled
            or self.shortened + self.cancelled > agreed.shortened + agreed.cancelled
            or self.count > agreed.count
        )


NO_TOLL = Toll()


class WouldDisplace(DomainError):
    """Bookings would change in a way that whoever decides has not been told yet: ``toll``. Nothing was changed."""

    code = "would_displace"
    status = 409
    message = N_("Bookings no longer fit: %(count)s. Look at what becomes of them first.")

    def __init__(self, toll: Toll) -> None:
        super().__init__(count=toll.count, extra={"count": toll.count})
        self.toll = toll


Weigh = Callable[[str, dict[str, Any]], Toll]


def _nothing(_topic: str, _payload: dict[str, Any]) -> Toll:
    return NO_TOLL


_weigh: Weigh = _nothing


def weighed_by(weigh: Weigh) -> Weigh:
    """Register who tells what a change, already made in the open unit, does to bookings."""
    global _weigh
    _weigh = weigh
    return weigh


def announce(topic: str, payload: dict[str, Any], *, agreed: Toll | None) -> Toll:
    """Tell of a change made in the open unit, and return what it does. ``agreed``: what was agreed to.

    Raises `WouldDisplace` when it would do more. None (programs) asks nobody, and nothing is weighed.
    """
    toll = NO_TOLL if agreed is None else _weigh(topic, payload)
    if agreed is not None and toll.exceeds(agreed):
        raise WouldDisplace(toll)
    outbox.enqueue(topic, f"{topic}:{public_id()}", payload)
    return toll


def toll_of(text: str | None) -> Toll:
    """What a page said would happen, as it sends it back (`Toll.text`); `NO_TOLL` when it said nothing readable."""
    parts = (text or "").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        return NO_TOLL
    moved, shortened, cancelled = map(int, parts)
    return Toll(moved, shortened, cancelled)
