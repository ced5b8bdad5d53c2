"""Promise 3 on the live data: closings follow each other and say what the signed rows of their entries come to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import select

from coworking.accounting import closing_queries as queries
from coworking.accounting import closings
from coworking.accounting.closing_models import TakingsClosing
from coworking.accounting.closing_rules import (
    KINDS,
    ClosingFigures,
    PerpetualTotal,
    RecordedFact,
    closing_figures,
    drawer_counts,
    summed,
)
from coworking.core import links, place
from coworking.core.checks import check
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.keyring import public_keys
from coworking.core.timespan import local_date

OVERDUE_DAYS = 2
"""A worker closes yesterday minutes after midnight; after so many days it does not run."""


@check(3, "closings are signed, each behind the one before")
def closings_chained() -> Iterator[str]:
    for kind in KINDS:
        pairs = ((queries.closing_link(row), row.payload) for row in queries.every_closing(kind))
        yield from (f"closing of a {kind} {problem}" for problem in links.problems(pairs, public_keys().get))


@check(3, "closings leave no day and no entry out, and their perpetual totals never begin anew")
def closings_follow() -> Iterator[str]:
    for kind in KINDS:
        last: TakingsClosing | None = None
        for row in queries.every_closing(kind):
            name, total = _name(row), PerpetualTotal(row.perpetual_sales_cents, row.perpetual_gross_cents)
            before = PerpetualTotal()
            if last is not None:
                before = PerpetualTotal(last.perpetual_sales_cents, last.perpetual_gross_cents)
                if row.first_day != last.last_day + timedelta(days=1) or row.starts_at != last.ends_at:
                    yield f"{name} does not begin where {_name(last)} ended"
                if row.first_entry != last.last_entry + 1:
                    yield f"{name} begins with entry {row.first_entry}, and {_name(last)} ended with {last.last_entry}"
            if total != before.after({"sales_cents": row.sales_cents, "gross_cents": row.gross_cents}):
                yield f"{name}: its perpetual totals are not those of the closing before and its own"
            if not _says(row):
                yield f"{name} says something else than its content"
            last = row


def _says(row: TakingsClosing) -> bool:
    """Whether a closing's columns are what its content says."""
    content = queries.closing_text(row)
    figures, total = content["figures"], content["perpetual"]
    return (
        content["kind"],
        content["seq"],
        content["first_day"],
        content["last_day"],
        content["starts_at"],
        content["ends_at"],
        content["closed_at"],
        content["entries"],
        [figures[name] for name in ("sales_cents", "gross_cents", "vat_cents")],
        total,
    ) == (
        row.kind,
        row.seq,
        row.first_day.isoformat(),
        row.last_day.isoformat(),
        row.starts_at.isoformat(),
        row.ends_at.isoformat(),
        row.closed_at.isoformat(),
        {"first": row.first_entry, "last": row.last_entry},
        [row.sales_cents, row.gross_cents, row.vat_cents],
        {"sales_cents": row.perpetual_sales_cents, "gross_cents": row.perpetual_gross_cents},
    )


@check(3, "each day's closing says what was recorded on that day, and nothing else")
def days_as_recorded() -> Iterator[str]:
    newest = queries.last_closing("day")
    facts = _Ahead(queries.recorded(_first_entry(), newest.last_entry if newest else 0))
    for row in queries.every_closing("day"):
        content, found = queries.closing_text(row), facts.until(row.last_entry)
        if content["figures"] != closing_figures(found):
            yield f"{_name(row)}: its figures are not what its entries {row.first_entry} to {row.last_entry} recorded"
        if content["counts"] != drawer_counts(found):
            yield f"{_name(row)}: its counts of the drawer are not those of its entries"
        if (beyond := queries.first_entry_since(row.ends_at, after=row.first_entry - 1)) != row.last_entry + 1:
            yield f"{_name(row)} ends with entry {row.last_entry}, and {(beyond or 0) - 1} was the last of its day"


class _Ahead:
    """Facts in the order of their entries, taken closing by closing."""

    def __init__(self, facts: Iterator[tuple[int, RecordedFact]]) -> None:
        self._facts = facts
        self._next = next(facts, None)

    def until(self, entry: int) -> list[RecordedFact]:
        """The facts up to ``entry`` that were not taken before."""
        found: list[RecordedFact] = []
        while self._next is not None and self._next[0] <= entry:
            found.append(self._next[1])
            self._next = next(self._facts, None)
        return found


def _first_entry() -> int:
    """The first entry that any closing covers."""
    first = select(TakingsClosing.first_entry).where(TakingsClosing.kind == "day").order_by(TakingsClosing.seq).limit(1)
    return db.session.scalar(first) or 1


@check(3, "each month's and year's closing is the sum of its days")
def longer_as_days() -> Iterator[str]:
    for kind in KINDS[1:]:
        for row in queries.every_closing(kind):
            days = queries.closings_between(row.first_day, row.last_day, "day")
            told: ClosingFigures = queries.closing_text(row)["figures"]
            if told != summed(queries.closing_text(one)["figures"] for one in days):
                yield f"{_name(row)}: its figures are not the sum of its days"
            if not days or (days[0].first_entry, days[-1].last_entry) != (row.first_entry, row.last_entry):
                yield f"{_name(row)} covers other entries than its days"


@check(3, "each day that is over and not closed is as it was sealed, so that it can be")
def ready_to_close() -> Iterator[str]:
    yield from (f"{day:%Y-%m-%d} is not closed, for {wrong}" for day, wrong in closings.held_back())


@check(3, "since the first closing, every day that is over is closed")
def closed_in_time() -> Iterator[str]:
    """Where nothing was ever closed no worker has run, which the checks of the trail say."""
    newest = queries.last_closing("day")
    if newest is None:
        return
    day = newest.last_day + timedelta(days=1)
    if local_date(now(), place.clock()) - day > timedelta(days=OVERDUE_DAYS):
        yield f"{day:%Y-%m-%d} is not closed; does the worker run?"
    for kind in KINDS[1:]:
        if _ends_missing(kind, queries.last_closing(kind), newest.last_day):
            yield f"a {kind} that ended by {newest.last_day:%Y-%m-%d} is not closed"


def _ends_missing(kind: str, last: TakingsClosing | None, closed: date) -> bool:
    """Whether a period ended by ``closed``, the last closed day, and has no closing behind ``last``."""
    following = closed + timedelta(days=1)
    ended = following.replace(day=1) if kind == "month" else following.replace(month=1, day=1)
    first = db.session.scalar(
        select(TakingsClosing.first_day).where(TakingsClosing.kind == "day").order_by(TakingsClosing.seq).limit(1)
    )
    begun = first is not None and first < ended
    return begun and (last is None or last.last_day + timedelta(days=1) < ended)


def _name(row: TakingsClosing) -> str:
    """How sentences name a closing."""
    return f"closing {row.id} of the {row.kind} {row.first_day:%Y-%m-%d}"
