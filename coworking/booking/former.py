"""The state of a booking before its last move, stored on the booking so that a reload still offers the undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import Cause, move_undo_until
from coworking.claims.models import Claim
from coworking.core.timespan import Span


@dataclass(frozen=True, slots=True)
class FormerUnit:
    """A unit as it was: all of it, what had become of it included. ``quote_id``: its quote, released by the move."""

    resource_id: int
    quote_id: int | None
    day: date
    half: str | None
    span: Span
    outcome: str
    evidence: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Former:
    """Where a booking was until ``moved_at``. ``what``: the names of its places; ``claim_ids``: what it held them by.

    ``why``: the lieu moved or shortened it because its place or time had gone. Nobody can undo that.
    """

    moved_at: datetime
    day: date
    span: Span
    what: str
    units: tuple[FormerUnit, ...]
    claim_ids: tuple[int, ...]
    why: Cause | None

    @property
    def undo_until(self) -> datetime:
        return move_undo_until(self.moved_at, self.span.end)


def former_of(booking: Booking) -> Former | None:
    """What ``booking`` was before its last move; None where it was never moved, or the move was undone."""
    kept = booking.moved_from
    if kept is None:
        return None
    return Former(
        datetime.fromisoformat(kept["moved_at"]),
        date.fromisoformat(kept["day"]),
        _span(kept),
        kept["what"],
        tuple(_unit(row) for row in kept["units"]),
        tuple(kept["claims"]),
        kept.get("why"),
    )


def undoable_move(booking: Booking, at: datetime, *, by_staff: bool) -> Former | None:
    """What undoing its last move would give ``booking`` back at ``at``; None where it can no longer be undone.

    A member's ends where the booking begins: what has begun is changed by staff alone.
    """
    former = former_of(booking)
    if (
        former is None
        or former.why is not None
        or booking.is_cancelled
        or at >= former.undo_until
        or at >= booking.ends_at
    ):
        return None
    return former if by_staff or at < booking.starts_at else None


def keep_former(
    booking: Booking, units: Sequence[BookingUnit], claims: Sequence[Claim], at: datetime, why: Cause | None = None
) -> None:
    """Keep what ``booking`` is with its ``units`` and ``claims``, which it is about to leave.

    ``why``: the lieu changes it, not its person.
    """
    booking.moved_from = {
        **({"why": why} if why is not None else {}),
        "moved_at": at.isoformat(),
        "day": booking.day.isoformat(),
        "starts_at": booking.starts_at.isoformat(),
        "ends_at": booking.ends_at.isoformat(),
        "what": ", ".join(dict.fromkeys(unit.resource.name for unit in units)),
        "claims": [claim.id for claim in claims],
        "units": [
            {
                "resource": unit.resource_id,
                "quote": unit.quote_id,
                "day": unit.day.isoformat(),
                "half": unit.half,
                "starts_at": unit.starts_at.isoformat(),
                "ends_at": unit.ends_at.isoformat(),
                "outcome": unit.outcome,
                "evidence": unit.evidence,
                "decided_at": unit.decided_at.isoformat() if unit.decided_at is not None else None,
            }
            for unit in units
        ],
    }


def _span(kept: dict[str, Any]) -> Span:
    return Span(datetime.fromisoformat(kept["starts_at"]), datetime.fromisoformat(kept["ends_at"]))


def _unit(kept: dict[str, Any]) -> FormerUnit:
    decided = kept["decided_at"]
    return FormerUnit(
        kept["resource"],
        kept["quote"],
        date.fromisoformat(kept["day"]),
        kept["half"],
        _span(kept),
        kept["outcome"],
        kept["evidence"],
        datetime.fromisoformat(decided) if decided is not None else None,
    )
