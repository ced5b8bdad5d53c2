"""What a change takes away from people, said before it is made and carried out after.

Closing a day, retiring a desk or closing an account leaves bookings that no longer fit. The packages that make such
changes may not know bookings: they `announce` the change in their own unit, and the package above that knows counts
what it would take away (`counted_by`) and cancels it later, from the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coworking.core import outbox
from coworking.core.errors import N_, DomainError
from coworking.core.types import public_id

DAYS, RESOURCE, PERSON = "displaced.days", "displaced.resource", "displaced.person"
"""Topics. Payloads: ``{"days": [ISO dates]}``; ``{"resource": public id}``; ``{"person": public id}``."""


class WouldDisplace(DomainError):
    """``count`` bookings would be cancelled, and the person who decides has not agreed to that yet. Nothing was changed."""

    code = "would_displace"
    status = 409
    message = N_("Bookings no longer fit: %(count)s. They would be cancelled free of charge.")

    def __init__(self, count: int) -> None:
        super().__init__(count=count, extra={"count": count})
        self.count = count


Count = Callable[[str, dict[str, Any]], int]


def _nothing(_topic: str, _payload: dict[str, Any]) -> int:
    return 0


_count: Count = _nothing


def counted_by(count: Count) -> Count:
    """Register who counts what a change, already made in the open unit, takes away."""
    global _count
    _count = count
    return count


def announce(topic: str, payload: dict[str, Any], *, agreed: int | None) -> None:
    """Tell of a change made in the open unit. ``agreed``: how many bookings may go; None asks nobody (programs).

    Raises `WouldDisplace` when more would go.
    """
    if agreed is not None and (count := _count(topic, payload)) > agreed:
        raise WouldDisplace(count)
    outbox.enqueue(topic, f"{topic}:{public_id()}", payload)


def agreed_of(text: str | None) -> int:
    """How many bookings a page said would go, as it sends it back; 0 when it said nothing."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0
