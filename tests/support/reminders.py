"""A lieu that reminds, and what its payers got."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from coworking.billing import reminding, reminding_by_hand
from coworking.billing.models import Invoice
from coworking.billing.reminder_models import Reminder
from coworking.core.db import db
from coworking.core.units import end_read
from tests.support.billing import TODAY, BillingLieu

ECB = {date(2026, 7, 1): 215}


def days_after(count: int, hour: int = 9) -> datetime:
    """The instant ``count`` days after the day of issue, at ``hour`` local time (winter)."""
    return datetime(TODAY.year, TODAY.month, TODAY.day, hour - 1, 5, tzinfo=UTC) + timedelta(days=count)


def remind_from_now_on(lieu: BillingLieu, **choice: Any) -> None:
    reminding_by_hand.choose(lieu.manager, **({"is_on": True, "ecb_rates": ECB} | choice))


def live_until(clock: Any, last: int, first: int = 1, each_day: Callable[[], object] = lambda: None) -> list[int]:
    """Let the days pass; the days after the issue on which something left."""
    left: list[int] = []
    for count in range(first, last + 1):
        end_read()
        clock.set(days_after(count))
        if reminding.send_due():
            left.append(count)
        each_day()
    return left


def steps_that_left(invoice: Invoice) -> list[tuple[int, int]]:
    """The steps of an invoice that left: (step, days after its issue)."""
    return [
        (line.step, (row.sent_on - TODAY).days)
        for row in reminders()
        for line in row.lines
        if line.invoice_id == invoice.id
    ]


def reminders() -> list[Reminder]:
    end_read()
    db.session.expire_all()
    return list(db.session.scalars(select(Reminder).order_by(Reminder.id)))


def plain(words: str) -> str:
    """``words`` with ordinary spaces."""
    return words.replace("\u202f", " ").replace("\xa0", " ")
