"""The page of a month: its steps, its figures beside those of another month, its hours, its revisions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from coworking.core.errors import N_, NotFound
from coworking.core.formats import month_year, number
from coworking.core.i18n import _
from coworking.core.months import month_after, month_before, month_days
from coworking.spaces import queries as spaces
from coworking.statistics import facts, people, queries, services
from coworking.statistics.labels import GROUPS, LABELS, percent, weekday, why_unknown, worded
from coworking.statistics.models import DayFact
from coworking.statistics.month_state import MonthState
from coworking.statistics.months import ATTENDED, by_hour, changed
from coworking.statistics.observations import Remarks, remarks
from coworking.statistics.pairs import Pair, rate
from coworking.statistics.recipients import recipient
from coworking.statistics.schema import EIGHT, PROVISIONAL, Figures
from coworking.statistics.steps import Step, steps


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: ``value`` and ``before`` in words, None where unknown, with why; ``share`` of what it is a part."""

    name: str
    label: str
    value: str | None
    reason: str | None
    share: str | None
    before: str | None


@dataclass(frozen=True, slots=True)
class HeatCell:
    """An hour of a weekday at the desks: ``level`` 0 to 5, None where nothing was offered."""

    x: int
    y: int
    level: int | None
    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Heat:
    """The desks' hours: ``cells`` by hour, then weekday; ``columns`` and ``lines`` name them."""

    columns: list[tuple[int, str, str]]
    lines: list[tuple[int, str]]
    cells: list[list[HeatCell]]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class MonthPage:
    """Everything the template shows of a month; see the fields' own types."""

    state: MonthState
    previous: date | None
    following: date | None
    before_month: date | None
    eight: list[Row]
    groups: list[tuple[str, list[Row]]]
    remarks: Remarks
    heat: Heat | None
    attended: Heat | None
    steps: list[Step]


def month_page(month: date, *, money: bool = False) -> MonthPage:
    """The page of ``month`` (its first day); `NotFound` for months to come and those before the lieu.

    ``money``: whether the reader may see how the month's invoices stand.
    """
    today = spaces.today()
    if month > today or not queries.is_known(month):
        raise NotFound()
    first, last = month_days(month)
    revisions = queries.revisions(month)
    days = facts.between(first, last)
    now = services.figures_now(month, days)
    shown = json.loads(revisions[-1].figures) if revisions else now
    before_month, before = _compared(month)
    open_ones = people.undecided(first, min(last, today - timedelta(days=1)))
    state = MonthState(
        month=month,
        is_over=today > last,
        revisions=revisions,
        changed=changed(shown, now) if revisions else [],
        recipient=recipient(month),
        next_status="final" if services.is_decided(month) else PROVISIONAL,
        counted_from=queries.counted_from(month),
    )
    groups = [
        (_(title), [_row(name, shown, before) for name in labels if name not in EIGHT]) for title, labels in GROUPS
    ]
    groups[0][1].append(_outside(sum(day.outside_minutes for day in days)))
    return MonthPage(
        state=state,
        previous=_known(month_before(first)),
        following=_following(month, today),
        before_month=before_month,
        eight=[_row(name, shown, before) for name in EIGHT],
        groups=groups,
        remarks=remarks(shown, before, month_year(before_month) if before_month else ""),
        heat=heat(shown["by_weekday_hour"], N_("%(day)s %(hour)s: %(share)s booked")),
        attended=_attended(days, now),
        steps=steps(state, now, open_ones, money=money),
    )


def _known(month: date) -> date | None:
    return month if queries.is_known(month) else None


def _following(month: date, today: date) -> date | None:
    following = month_after(month)
    return following if following <= today else None


def _compared(month: date) -> tuple[date | None, Figures | None]:
    """The same month a year before; where it was not closed, the month before."""
    year_ago, month_ago = month_before(month, 12), month_before(month)
    found = queries.latest_of([year_ago, month_ago])
    for other in (year_ago, month_ago):
        if other in found:
            return other, json.loads(found[other].figures)
    return None, None


def _outside(minutes: int) -> Row:
    """Attendance while the lieu was not open: a line of its own, in no rate and in no return."""
    label = _("Hours of presence outside the open hours (not sent)")
    return Row("outside_minutes", label, worded("outside_minutes", minutes), None, None, None)


_SHARES = {
    "desk_booked_halfdays": "desk_booked",
    "desk_attended_halfdays": "desk_attended",
    "desk_absent_halfdays": "desk_no_show",
    "room_booked_minutes": "room_booked",
    "room_attended_minutes": "room_attended",
    "peak_seats": "peak",
}


def _row(name: str, figures: Figures, before: Figures | None) -> Row:
    value, then = figures[name], None if before is None else before[name]
    pair = rate(figures, _SHARES[name]) if name in _SHARES else None
    unknown = figures["null_reasons"].get(name)
    return Row(
        name=name,
        label=_(LABELS[name]),
        value=None if value is None else worded(name, value),
        reason=_(why_unknown(name, unknown)) if unknown else None,
        share=_share(name, pair),
        before=None if then is None else worded(name, then),
    )


def _share(name: str, pair: Pair | None) -> str | None:
    """« 68 % des offertes »."""
    if pair is None or pair.percent is None:
        return None
    share = percent(pair.percent)
    if name == "desk_absent_halfdays":
        return _("%(share)s of those whose outcome is known", share=share)
    if name == "peak_seats":
        return _("%(share)s of the desks", share=share)
    return _("%(share)s of what was offered", share=share)


# The hours of the week --------------------------------------------------------------------------------------------------

CELL_WIDTH, CELL_HEIGHT, LEFT, TOP = 50, 32, 46, 26


def _attended(days: Sequence[DayFact], now: Figures) -> Heat | None:
    """When people were at the desks; None where too little of it is known, or nobody came."""
    if not now["desk_attended_halfdays"]:
        return None
    return heat(by_hour(days, ATTENDED), N_("%(day)s %(hour)s: %(share)s used"))


def heat(table: Sequence[Sequence[Sequence[int]]] | None, words: str) -> Heat | None:
    """The desks' weekdays and hours as far as any were offered, each in ``words``; None where there is nothing to show."""
    table = table or ()
    offered = {(day, hour) for day, hours in enumerate(table) for hour, pair in enumerate(hours) if pair[1]}
    if not offered:
        return None
    days = sorted({day for day, _hour in offered})
    hours = range(min(hour for _day, hour in offered), max(hour for _day, hour in offered) + 1)
    lines = [(TOP + n * CELL_HEIGHT, _("%(hour)s:00", hour=hour)) for n, hour in enumerate(hours)]
    columns = [(LEFT + n * CELL_WIDTH, weekday(day)[:3], weekday(day)) for n, day in enumerate(days)]
    cells = [
        [
            _cell(
                LEFT + x * CELL_WIDTH, TOP + y * CELL_HEIGHT, Pair(*table[day][hour]), weekday(day), lines[y][1], words
            )
            for x, day in enumerate(days)
        ]
        for y, hour in enumerate(hours)
    ]
    return Heat(columns, lines, cells, LEFT + len(days) * CELL_WIDTH, TOP + len(hours) * CELL_HEIGHT)


def _cell(x: int, y: int, pair: Pair, day: str, hour: str, words: str) -> HeatCell:
    if pair.percent is None:
        return HeatCell(x, y, None, "", _("%(day)s %(hour)s: nothing offered", day=day, hour=hour))
    level = min(5, -(-pair.percent // 20))
    said = _(words, day=day, hour=hour, share=percent(pair.percent))
    return HeatCell(x, y, level, number(pair.percent), said)
