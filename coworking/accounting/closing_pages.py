"""What the pages of closings show: the months of a year with their days, and whether each closing is as it was signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from coworking.accounting import closing_queries as queries
from coworking.accounting.closing_models import TakingsClosing
from coworking.core import links
from coworking.core.keyring import public_keys
from coworking.core.months import month_of


@dataclass(frozen=True, slots=True)
class ShownClosing:
    """A closing, what it says, and whether its text and signature hold."""

    row: TakingsClosing
    content: dict[str, Any]
    is_signed: bool

    @property
    def figures(self) -> dict[str, Any]:
        return self.content["figures"]


@dataclass(slots=True)
class ClosedMonth:
    """A month of the page, its days the newest first; ``closing`` is None while it lasts."""

    month: date
    closing: ShownClosing | None = None
    days: list[ShownClosing] = field(default_factory=list[ShownClosing])

    @property
    def sales_cents(self) -> int:
        return sum(day.row.sales_cents for day in self.days)

    @property
    def taken_cents(self) -> int:
        return sum(day.figures["taken_cents"] for day in self.days)

    @property
    def is_signed(self) -> bool:
        return all(one.is_signed for one in (*self.days, *([self.closing] if self.closing else [])))


@dataclass(frozen=True, slots=True)
class ClosedYear:
    """The page of a calendar year: its months, the newest first, and its own closing once it is over."""

    months: list[ClosedMonth]
    closing: ShownClosing | None


def year_page(year: int) -> ClosedYear:
    """All closings of a calendar year (1 statement)."""
    months: dict[date, ClosedMonth] = {}
    of_year = None
    for shown in _shown(queries.closings_between(date(year, 1, 1), date(year, 12, 31))):
        month = month_of(shown.row.last_day)
        if shown.row.kind == "year":
            of_year = shown
            continue
        entry = months.setdefault(month, ClosedMonth(month))
        if shown.row.kind == "month":
            entry.closing = shown
        else:
            entry.days.insert(0, shown)
    return ClosedYear([months[month] for month in sorted(months, reverse=True)], of_year)


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
