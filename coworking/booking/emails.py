"""Which e-mails about a booking are due, written into the outbox of the open unit; `handlers` writes them."""

from __future__ import annotations

from datetime import datetime

from coworking.booking.models import Booking
from coworking.booking.rules import DISPLACED, REGRET, UNDO
from coworking.core import outbox
from coworking.core.clock import now


def enqueue_booked(booking: Booking, since: datetime) -> None:
    """One e-mail when the time for regrets is over; none for someone without an address or who already stands there."""
    if booking.person.email is None or booking.source == "walkin":
        return
    outbox.enqueue(
        "booking.confirmed",
        f"booking-confirmed:{booking.public_id}:{int(since.timestamp())}",
        {"booking": booking.public_id},
        due_at=since + REGRET,
    )


def enqueue_moved(booking: Booking, since: datetime) -> None:
    """One e-mail, about the last place."""
    _drop_confirmation(booking)
    enqueue_booked(booking, since)


def enqueue_cancelled(booking: Booking, reason: str | None) -> None:
    """By cause: what the lieu took back says why; what was asked for is said once the confirmation has left."""
    instant = now()
    _drop_confirmation(booking)
    if booking.cancelled_because in DISPLACED:
        outbox.enqueue(
            "booking.displaced",
            f"booking-displaced:{booking.public_id}:{int(instant.timestamp())}",
            {"booking": booking.public_id, "why": booking.cancelled_because, "reason": reason},
        )
    elif booking.source != "walkin" and instant >= booking.created_at + REGRET:
        outbox.enqueue(
            "booking.cancelled",
            f"booking-cancelled:{booking.public_id}:{int(instant.timestamp())}",
            {"booking": booking.public_id},
            due_at=instant + UNDO,
        )


def _drop_confirmation(booking: Booking) -> None:
    outbox.drop(f"booking-confirmed:{booking.public_id}:")
