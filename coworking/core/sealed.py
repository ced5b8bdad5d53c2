"""Months whose published figures are final, and what happens when somebody corrects one of their days.

The packages that correct a day stand below the one that keeps the figures. It registers who knows (`known_by`); they ask
`is_sealed` and `announce` the correction, an outbox row that makes a restatement with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.months import month_of, write_month
from coworking.core.types import public_id

CORRECTED = "figures.corrected"
"""Topic. Payload: ``{"month": "YYYY-MM", "reason": one line}``."""
TIME_TO_FINISH = timedelta(minutes=10)
"""Corrections rarely come alone: the restatement waits this long, so that one says them all."""

IsSealed = Callable[[date], bool]


def _never(_month: date) -> bool:
    return False


_look: IsSealed = _never


def known_by(look: IsSealed) -> IsSealed:
    """Register who knows whether the figures of a month (its first day) are final."""
    global _look
    _look = look
    return look


def is_sealed(day: date) -> bool:
    """Whether the figures of the month of ``day`` are final: a correction there makes a restatement."""
    return _look(month_of(day))


def announce(month: date, reason: str) -> None:
    """Tell, in the open unit, that a day of a sealed ``month`` was corrected, and why."""
    payload = {"month": write_month(month), "reason": reason}
    outbox.enqueue(CORRECTED, f"{CORRECTED}:{payload['month']}:{public_id()}", payload, due_at=now() + TIME_TO_FINISH)
