"""A month of the whole network, as its lead reads it: who sent, what it adds up to, who needs a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from coworking.core.months import month_after, month_before
from coworking.core.search import fold
from coworking.network.head import drawing, queries
from coworking.network.head.doubts import Doubt, outweighing
from coworking.network.head.models import NetworkLieu
from coworking.network.head.queries import TREND_MONTHS, LieuInMonth
from coworking.network.head.rules import MonthSummary, pair, summary
from coworking.spaces import queries as spaces
from coworking.statistics.pairs import Pair, known_enough

DUE_DAY = 5
"""Returns leave their lieux on this day of the next month; who has not sent after it is late."""
DROP = 10
"""Points by which the rate falls under the same month a year before (else the month before) to be worth a call."""

SORTS = ("name", "booked", "attended", "people", "state")


@dataclass(frozen=True, slots=True)
class LieuMonth:
    """One lieu's month. ``state``: final, provisional, restatement, late, or waiting (not due yet).

    ``known_percent``: of how much of what was booked the outcome is known, where that is too little to speak of
    attendance. ``counted_from``: its first day counted, where the lieu was not there on the first. ``doubts``: what is
    improbable in it; ``set_aside``: why the lead left it out. ``at`` is its place on the map, ``trend`` and ``recent``
    polylines of 24 months, the last twelve apart. ``reminded_at``: when the lieu was last asked for a return that is
    late; ``email`` and ``phone`` of its contact.
    """

    public_id: str
    name: str
    city: str | None
    way: str | None
    desks: int | None
    state: str
    booked: Pair | None
    attended: Pair | None
    known_percent: int | None
    people: int | None
    at: tuple[float, float] | None
    radius: float
    trend: list[str]
    recent: list[str]
    doubts: list[Doubt]
    set_aside: str | None
    counted_from: date | None
    email: str | None
    phone: str | None
    reminded_at: datetime | None

    @property
    def reminded_today(self) -> bool:
        return self.reminded_at is not None and self.reminded_at.astimezone(spaces.lieu().tz).date() == spaces.today()


@dataclass(frozen=True, slots=True)
class Call:
    """Why a lieu may need a call.

    ``late``, ``doubt`` (its figures are improbable), ``unknown`` (percent known) or ``drop`` (points lost against
    ``than``).
    """

    row: LieuMonth
    why: str
    amount: int | None = None
    than: date | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The month's page. ``summary`` is of those that count: of the ``sent``, without what was ``set_aside``."""

    month: date
    previous: date
    following: date | None
    rows: list[LieuMonth]
    sent: int
    expected: int
    set_aside: list[LieuMonth]
    summary: MonthSummary
    calls: list[Call]
    dots: list[tuple[float, float]]

    @property
    def late(self) -> list[LieuMonth]:
        """Whose return should be here and is not."""
        return [call.row for call in self.calls if call.why == "late"]


def last_month() -> date:
    """The last month that is over."""
    return month_before(spaces.today())


def overview(month: date, *, search: str = "", sort: str = "name") -> Overview:
    """The network's ``month`` (its first day): four statements, whatever the number of lieux."""
    found = _Month(month)
    trends = queries.booked_over_time(month_before(month, TREND_MONTHS - 1), month)
    rows: list[LieuMonth] = []
    calls: list[Call] = []
    for one in found.everyone:
        trend = trends.get(one.lieu.id, {})
        row = found.row(one, trend)
        rows.append(row)
        calls += _calls(row, trend, month)
    following = month_after(month)
    return Overview(
        month=month,
        previous=month_before(month),
        following=following if following <= last_month() else None,
        rows=_sorted([row for row in rows if _matches(row, search)], sort),
        sent=sum(one.said is not None for one in found.everyone),
        expected=len(found.everyone),
        set_aside=[row for row in rows if row.set_aside is not None],
        summary=summary(said.reported for said in found.counted.values()),
        calls=sorted(calls, key=lambda call: ("late", "doubt", "unknown", "drop").index(call.why)),
        dots=drawing.thinned(found.frame.place(north, east) for north, east in queries.dots()),
    )


def lieu_month(lieu: NetworkLieu, month: date) -> LieuMonth | None:
    """The row that `overview` has of the one ``lieu``: two statements; None where the month does not await it."""
    found = _Month(month)
    one = next((one for one in found.everyone if one.lieu.id == lieu.id), None)
    if one is None:
        return None
    first = month_before(month, TREND_MONTHS - 1)
    return found.row(one, queries.booked_over_time(first, month, lieu.id).get(lieu.id, {}))


class _Month:
    """Everyone in a month, and what a row takes from all of them together."""

    def __init__(self, month: date) -> None:
        self.month = month
        self.everyone = queries.network_month(month)
        self.counted = {
            one.lieu.id: one.said for one in self.everyone if one.said is not None and one.said.set_aside is None
        }
        places = [(one.lieu.latitude, one.lieu.longitude) for one in self.everyone]
        self.frame = drawing.frame_of([(north, east) for north, east in places if north and east])
        self._late = is_late(month)
        self._months = [month_before(month, back) for back in reversed(range(TREND_MONTHS))]
        self._heavy = outweighing({lieu: said.figures["desk_offered_halfdays"] for lieu, said in self.counted.items()})

    def row(self, one: LieuInMonth, trend: dict[date, Pair | None]) -> LieuMonth:
        weight = self._heavy.get(one.lieu.id)
        return _row(one, trend, self._months, self.frame, self._late, [weight] if weight is not None else [])


def is_late(month: date) -> bool:
    """Whether a return of ``month`` that is not here is late."""
    return spaces.today() > month_after(month) + timedelta(days=DUE_DAY - 1)


def _row(
    one: LieuInMonth,
    trend: dict[date, Pair | None],
    months: list[date],
    frame: drawing.Frame,
    late: bool,
    weight: list[Doubt],
) -> LieuMonth:
    lieu, said = one.lieu, one.said
    figures = said.figures if said is not None else None
    booked = pair(figures, "desk_booked") if figures is not None else None
    attended = pair(figures, "desk_attended") if figures is not None else None
    values = [point.percent if (point := trend.get(month)) is not None else None for month in months]
    middle = TREND_MONTHS // 2
    on_map = frame.place(lieu.latitude, lieu.longitude) if lieu.latitude and lieu.longitude else None
    return LieuMonth(
        public_id=lieu.public_id,
        name=lieu.name,
        city=lieu.city,
        way=said.way if said is not None else lieu.way,
        desks=figures["desks_in_service"] if figures is not None else None,
        state=said.status if said is not None else "late" if late else "waiting",
        booked=booked,
        attended=attended,
        known_percent=_too_little_known(figures) if figures is not None else None,
        people=figures["distinct_people"] if figures is not None else None,
        at=on_map,
        radius=drawing.radius(booked.percent if booked is not None else None),
        trend=drawing.lines([*values[: middle + 1], *[None] * (middle - 1)]),
        recent=drawing.lines([*[None] * middle, *values[middle:]]),
        doubts=[*said.doubts, *weight] if said is not None else [],
        set_aside=said.set_aside if said is not None else None,
        counted_from=said.counted_from if said is not None else None,
        email=lieu.contact_email,
        phone=lieu.phone,
        reminded_at=one.reminded_at,
    )


def _too_little_known(figures: Mapping[str, Any]) -> int | None:
    """Percent of what was booked whose outcome is known, where that is fewer than must be."""
    known, booked = figures["desk_known_halfdays"], figures["desk_booked_halfdays"]
    if known is None or not booked or known_enough(known, booked):
        return None
    return Pair(known, booked).percent


def _calls(row: LieuMonth, trend: dict[date, Pair | None], month: date) -> list[Call]:
    found: list[Call] = []
    if row.state == "late":
        return [Call(row, "late")]
    if row.set_aside is not None:
        return []
    if row.doubts:
        found.append(Call(row, "doubt"))
    if row.known_percent is not None:
        found.append(Call(row, "unknown", row.known_percent))
    than = next((m for m in (month_before(month, 12), month_before(month)) if trend.get(m) is not None), None)
    before = trend.get(than) if than is not None else None
    if row.booked is not None and before is not None:
        lost = (before.percent or 0) - (row.booked.percent or 0)
        if lost >= DROP:
            found.append(Call(row, "drop", lost, than))
    return found


def _matches(row: LieuMonth, search: str) -> bool:
    return fold(search.strip()) in fold(f"{row.name} {row.city or ''}")


def _sorted(rows: list[LieuMonth], sort: str) -> list[LieuMonth]:
    """By name as they come; by a figure the highest first, the unknown last."""

    def percent(one: Pair | None) -> int:
        return one.percent or 0 if one is not None else -1

    if sort == "booked":
        return sorted(rows, key=lambda row: -percent(row.booked))
    if sort == "attended":
        return sorted(rows, key=lambda row: -percent(row.attended))
    if sort == "people":
        return sorted(rows, key=lambda row: -(row.people if row.people is not None else -1))
    if sort == "state":
        order = ("late", "waiting", "provisional", "restatement", "final")
        return sorted(rows, key=lambda row: order.index(row.state))
    return rows
