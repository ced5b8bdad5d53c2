"""Promise 4 on the live data: closed months are the bytes that were sent, days count as they did."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from coworking.core.checks import check
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.months import month_after, month_days, write_month
from coworking.presence.rules import kept_from
from coworking.spaces import queries as spaces
from coworking.statistics import facts, return_rules, schema
from coworking.statistics.consistency import ReturnInvalid
from coworking.statistics.envelope import envelope
from coworking.statistics.models import DayFact, MonthlyReturn


@check(4, "each closed month is the document that was sent, and can be true")
def returns() -> Iterator[str]:
    expected: dict[object, int] = {}
    for row in db.session.scalars(select(MonthlyReturn).order_by(MonthlyReturn.month, MonthlyReturn.revision)):
        name = f"{write_month(row.month)} r{row.revision}"
        try:
            document = return_rules.check_return(envelope(row), at=now())
        except ReturnInvalid as error:
            yield f"{name}: {error}"
            continue
        except ValueError as error:
            yield f"{name} cannot be read: {error}"
            continue
        if schema.canonical(document["figures"]).decode() != row.figures:
            yield f"{name} is not kept as RFC 8785 bytes"
        if row.revision != expected.get(row.month, 1):
            yield f"{name} follows no revision {row.revision - 1}"
        expected[row.month] = row.revision + 1


@check(4, "a day counted again gives what was kept")
def days() -> Iterator[str]:
    if spaces.lieu_or_none() is None:
        return
    detailed = DayFact.day > kept_from(spaces.today())  # of older days only their facts remain
    first, last = db.session.execute(select(func.min(DayFact.day), func.max(DayFact.day)).where(detailed)).one()
    while first is not None and first <= last:
        _, end = month_days(first)
        for day, names in facts.wrong(first, end):
            yield f"{day}: {', '.join(names)}"
        first = month_after(first)
