"""Corrections of closed months, carried out from the outbox."""

from __future__ import annotations

from datetime import date

from coworking.core import outbox, sealed
from coworking.core.months import read_month
from coworking.core.policy import SYSTEM
from coworking.statistics import queries, services
from coworking.statistics.schema import PROVISIONAL


@sealed.known_by
def is_final(month: date) -> bool:
    """Whether the last revision of ``month`` is one that readers rely on."""
    last = queries.latest(month)
    return last is not None and last.status != PROVISIONAL


@outbox.handler(sealed.CORRECTED)
def restate(job: outbox.Job) -> None:
    """State the month again with the correction's reason; nothing is written where no figure moved."""
    services.close(SYSTEM, read_month(job.payload["month"]), reason=job.payload["reason"])
