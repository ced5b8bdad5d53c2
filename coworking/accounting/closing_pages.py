"""What the pages of closings show: a month's days, months and years, and whether each closing is as it was signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from coworking.accounting import closing_queries as queries
from coworking.accounting.closing_models import TakingsClosing
from coworking.accounting.closing_rules import NOTHING, ClosingKind
from coworking.core import links
from coworking.core.keyring import public_keys
from coworking.core.months import month_after, month_before, month_of


@dataclass(frozen=True, slots=True)
class ShownClosing:
    """A closing, what it says, and whether its text and signature hold."""

    row: TakingsClosing
    content: dict[str, Any]
    is_signed: bool

    @property
    def figures(self) -> dict[str, Any]:
        return self.content["figures"]


@dataclass(frozen=True, slots=True)
class ListedPeriod:
    """A month or a year in the list. ``closing`` is None while it lasts: then it is what its days come to so far."""

    first_day: date
    sales_cents: int
    closing: ShownClosing | None = None


@dataclass(frozen=True, slots=True)
class ClosingsPage:
    """The days of ``month``, the newest first, its closing once it is over; the months of its year, and all years."""

    month: date
    days: list[ShownClosing]
    closing: ShownClosing | None
    months: list[ListedPeriod]
    years: list[ListedPeriod]
    newest: TakingsClosing
    earlier: date | None
    later: date | None

    @property
    def is_signed(self) -> bool:
        return all(one.is_signed for one in (*self.days, *([self.closing] if self.closing else [])))

    @property
    def busy(self) -> list[ShownClosing]:
        """The days on which something was sold, money moved, or the drawer was counted; or whose signature does not hold."""
        return [day for day in self.days if not day.is_signed or _is_busy(day)]

    @property
    def quiet(self) -> list[ShownClosing]:
        """The other days."""
        return [day for day in self.days if day.is_signed and not _is_busy(day)]


def closings_page(asked: date | None) -> ClosingsPage | None:
    """The page of the month ``asked``, or of the newest that has closings; None before the first closing (5 statements)."""
    newest, covered = queries.last_closing("day"), queries.closed_days()
    if newest is None or covered is None:
        return None
    first, last = month_of(covered[0]), month_of(covered[1])
    month = last if asked is None or not first <= asked <= last else asked
    listed = _shown(queries.closings_listed(month))
    months = _periods("month", [one for one in listed if one.row.kind == "month"], newest)
    return ClosingsPage(
        month,
        [one for one in reversed(listed) if one.row.kind == "day"],
        next((one for one in listed if one.row.kind == "month" and month_of(one.row.last_day) == month), None),
        [one for one in months if one.first_day.year == month.year],
        _periods("year", [one for one in listed if one.row.kind == "year"], newest),
        newest,
        month_before(month) if month > first else None,
        month_after(month) if month < last else None,
    )


def _periods(kind: ClosingKind, closed: list[ShownClosing], newest: TakingsClosing) -> list[ListedPeriod]:
    """Those that are ``closed`` and the one that lasts, if any, the newest first.

    Both chains began with the same day: what the perpetual totals differ by is what the days since then come to.
    """
    found = [ListedPeriod(month_of(one.row.last_day), one.row.sales_cents, one) for one in closed]
    before = queries.last_closing(kind)
    if before is None or before.last_day < newest.last_day:
        sales = newest.perpetual_sales_cents - (before.perpetual_sales_cents if before else 0)
        found.append(ListedPeriod(month_of(newest.last_day), sales))
    return sorted(found, key=lambda one: one.first_day, reverse=True)


def _is_busy(day: ShownClosing) -> bool:
    """Whether anything that a closing counts was recorded on ``day``."""
    return day.figures != NOTHING


def shown(row: TakingsClosing) -> ShownClosing:
    """One closing to be shown."""
    return next(iter(_shown([row])))


def _shown(rows: Iterable[TakingsClosing]) -> list[ShownClosing]:
    key = public_keys().get
    return [ShownClosing(row, queries.closing_text(row), _holds(row, key)) for row in rows]


def _holds(row: TakingsClosing, public_key: Callable[[str], bytes | None]) -> bool:
    """Whether the text is what was signed, and the columns say the same; `flask audit` recomputes it from the rows."""
    link = queries.closing_link(row)
    content = queries.closing_text(row)
    said = (content["figures"]["sales_cents"], content["perpetual"]["sales_cents"], content["first_day"])
    return not links.problems([(link, row.payload)], public_key, seq=row.seq - 1, prev=row.prev) and said == (
        row.sales_cents,
        row.perpetual_sales_cents,
        row.first_day.isoformat(),
    )
