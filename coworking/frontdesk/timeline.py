"""The day as a timeline: resources down, hours across.

Rows are joined strings, not a template: sixty rows of links are most of the page's time. What a row says depends on the
day's version and on who reads it; rows that hold nothing of the reader's own are kept and given to the next one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from threading import Lock
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import url_for
from markupsafe import Markup, escape

from coworking.accounts.queries import colleagues_of
from coworking.booking import queries
from coworking.booking.queries import Bar
from coworking.core.clock import now
from coworking.core.formats import minute_of_day
from coworking.core.i18n import _, language
from coworking.core.policy import Actor
from coworking.core.timespan import Span, subtract
from coworking.spaces import queries as spaces
from coworking.spaces.models import LieuDay, Resource

SLOT = 15
DEFAULT_WINDOW = (8 * 60, 19 * 60)


@dataclass(frozen=True, slots=True)
class ZoneRows:
    """A zone with its rows, ready to be shown."""

    id: int
    name: str
    note: str
    rows: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """One claim as a list says it: for those who do not read the picture."""

    resource: str
    span: Span
    words: str
    state: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """One day. ``start`` and ``end`` are whole hours in minutes; ``now`` counts five minutes, None on other days."""

    day: date
    start: int
    end: int
    now: int | None
    zones: list[ZoneRows]
    lines: list[Line]


class _Rows:
    """Row fragments of the last few day versions, shared by the process's threads."""

    def __init__(self, size: int = 64) -> None:
        self._kept: OrderedDict[tuple[object, ...], dict[int, str]] = OrderedDict()
        self._lock, self._size = Lock(), size

    def of(self, key: tuple[object, ...]) -> dict[int, str]:
        """The fragments by resource id under ``key``; a new, empty place when there are none."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            else:
                self._kept[key] = {}
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            return self._kept[key]


_rows = _Rows()


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads: staff see names, members their own and those of colleagues who agreed."""

    actor: Actor
    colleagues: frozenset[int]

    def concerns(self, bar: Bar) -> bool:
        """Whether this bar looks different to this reader than to others of the same audience."""
        return bar.person_id is not None and (bar.person_id == self.actor.person_id or bar.person_id in self.colleagues)


def timeline(actor: Actor, day: date, version: int, *, listed: bool) -> Timeline:
    """The day as ``actor`` may see it; ``listed``: as lines instead of rows. Five statements, whatever the lieu's size."""
    instant = now()
    lieu = spaces.lieu()
    row = spaces.days(day, day).get(day)
    resources = spaces.resources(day=day)
    bars = (
        {key: list(group) for key, group in groupby(queries.bars(row.span), key=lambda bar: bar.resource_id)}
        if row
        else {}
    )
    colleagues = frozenset[int]()
    if not actor.is_staff and actor.person_id is not None:
        colleagues = frozenset(person.id for person in colleagues_of(actor.person_id, day))
    reader = _Reader(actor, colleagues)
    wall = _Wall(row, lieu.tz.key) if row is not None else None
    start, end = wall.window(bars) if wall is not None else DEFAULT_WINDOW
    today = instant.astimezone(lieu.tz).date()
    painter = _Painter(day, wall, start, end, reader, instant) if wall is not None else None
    lines: list[Line] = []
    if listed and painter is not None:
        lines = [painter.line(res, bar) for res in resources for bar in bars.get(res.id, ())]
    zones: list[ZoneRows] = []
    if painter is not None and not listed:
        # Past, present and late change with the hour too: five minutes are part of the key.
        kept = _rows.of((lieu.uuid, day, version, language(), actor.is_staff, int(instant.timestamp()) // 300))
        for _key, group in groupby(resources, key=lambda res: res.zone_id):
            members = list(group)
            rows = [painter.row(res, bars.get(res.id, []), kept) for res in members]
            zones.append(ZoneRows(members[0].zone_id, members[0].zone.name, "", Markup("".join(rows))))  # noqa: S704 - each part escaped
    position = None
    if wall is not None and day == today:
        position = wall.minute(instant) // 5
        position = position if start <= position * 5 <= end else None
    return Timeline(day, start, end, position, zones, lines)


class _Wall:
    """The wall clock of one day: minutes after local midnight of an instant, clipped to the day."""

    def __init__(self, row: LieuDay, zone: str) -> None:
        self.row = row
        self._zone = ZoneInfo(zone)
        self._plain = row.ends_at - row.starts_at == timedelta(hours=24)

    def minute(self, instant: datetime) -> int:
        if instant <= self.row.starts_at:
            return 0
        if instant >= self.row.ends_at:
            return 1440
        if self._plain:
            return int((instant - self.row.starts_at).total_seconds()) // 60
        local = instant.astimezone(self._zone)
        return local.hour * 60 + local.minute

    def window(self, bars: dict[int, list[Bar]]) -> tuple[int, int]:
        """The open hours, widened to what is booked outside them, in whole hours."""
        spans = [*self.row.open(), *(bar.span for group in bars.values() for bar in group if bar.booking)]
        if not spans:
            return DEFAULT_WINDOW
        start = min(self.minute(span.start) for span in spans) // 60 * 60
        end = -(-max(self.minute(span.end) for span in spans) // 60) * 60
        return start, max(end, start + 60)


class _Painter:
    """Draws rows and lines of one day for one reader."""

    def __init__(self, day: date, wall: _Wall, start: int, end: int, reader: _Reader, instant: datetime) -> None:
        self.day, self.wall, self.reader, self.instant = day, wall, reader, instant
        self.first, self.last = start // SLOT, end // SLOT
        self.iso = day.isoformat()
        self.bookable = [span for span in wall.row.open() if span.end > instant]
        self.words = {
            "you": _("You"),
            "taken": _("Booked"),
            "blocked": _("Out of order"),
            "resident": _("Resident"),
            "workshop": _("Workshop"),
            "held": _("On hold"),
            "tidying": _("tidying up"),
        }
        self.booking_url = url_for("booking.booking", public_id="x").removesuffix("x")
        self.new_url = url_for("frontdesk.new", public_id="x").removesuffix("x")

    def row(self, resource: Resource, bars: list[Bar], kept: dict[int, str]) -> str:
        """The row's HTML, from what was kept unless something in it is the reader's own."""
        personal = any(self.reader.concerns(bar) for bar in bars)
        if not personal and (found := kept.get(resource.id)) is not None:
            return found
        html = self._row(resource, bars)
        if not personal:
            kept[resource.id] = html
        return html

    def line(self, resource: Resource, bar: Bar) -> Line:
        state, who = self._said(bar)
        return Line(resource.name, bar.span, who, state, self._url(bar))

    def _row(self, resource: Resource, bars: list[Bar]) -> str:
        small = f"<small>{resource.seats}\u00a0{escape(_('seats'))}</small>" if resource.kind != "desk" else ""
        pieces: list[tuple[int, str]] = []
        taken: list[Span] = []
        at = self.first
        for bar in bars:
            left = max(self.wall.minute(bar.span.start) // SLOT, at)
            right = min(-(-self.wall.minute(bar.span.end) // SLOT), self.last)
            taken.append(Span(bar.span.start, bar.guarded_end))
            if right <= left:
                continue
            pieces.append((left, self._bar(bar, left, right - left)))
            at = right
            tidied = min(-(-self.wall.minute(bar.guarded_end) // SLOT), self.last)
            if tidied > right:
                pieces.append(
                    (
                        right,
                        f'<span class="is-closed c{right} w{tidied - right}" title="{self.words["tidying"]}"></span>',
                    )
                )
                at = tidied
        pieces += self._free(resource, taken)
        lane = "".join(html for _, html in sorted(pieces, key=lambda piece: piece[0]))
        return f'<li><span class="name">{escape(resource.name)}{small}</span><div class="lane">{lane}</div></li>'

    def _free(self, resource: Resource, taken: list[Span]) -> list[tuple[int, str]]:
        """Links over free open time that is not over; the running quarter of an hour still counts."""
        found: list[tuple[int, str]] = []
        for span in subtract(self.bookable, taken):
            left = max(
                -(-self.wall.minute(span.start) // SLOT),
                self.wall.minute(self.instant) // SLOT if span.contains(self.instant) else 0,
            )
            right = self.wall.minute(span.end) // SLOT
            if right <= left:
                continue
            query = f"day={self.iso}&amp;from={_hhmm(left)}&amp;to={_hhmm(right)}"
            label = minute_of_day(left * SLOT)
            found.append(
                (
                    left,
                    f'<a class="f c{left} w{right - left}" href="{self.new_url}{resource.public_id}?{query}">+ {label}</a>',
                )
            )
        return found

    def _bar(self, bar: Bar, left: int, width: int) -> str:
        state, who = self._said(bar)
        until = minute_of_day(self.wall.minute(bar.span.end))
        start = minute_of_day(self.wall.minute(bar.span.start))
        title = f"{escape(who)}, {start}\u2013{until}"
        url = self._url(bar)
        tag, href = ("a", f' href="{url}"') if url else ("span", "")
        return f'<{tag} class="is-{state} c{left} w{width}"{href} title="{title}"><b>{escape(who)}</b><i>{until}</i></{tag}>'

    def _url(self, bar: Bar) -> str | None:
        """A booking's sheet, for staff and for one's own; others see no link."""
        own = bar.person_id is not None and bar.person_id == self.reader.actor.person_id
        return self.booking_url + bar.booking if bar.booking and (own or self.reader.actor.is_staff) else None

    def _said(self, bar: Bar) -> tuple[str, str]:
        """The state's class and the words on the bar."""
        staff = self.reader.actor.is_staff
        if bar.holder_kind != "booking":
            state = {"block": "blocked"}.get(bar.holder_kind, bar.holder_kind)
            return state, bar.title if staff and bar.title else self.words[state]
        mine = bar.person_id == self.reader.actor.person_id
        name = f"{bar.first_name} {(bar.last_name or '')[:1]}.".strip() if bar.first_name else self.words["taken"]
        known = staff or bar.person_id in self.reader.colleagues
        words = (
            self.words["you"]
            if mine
            else f"{bar.title} \u00b7 {name}"
            if staff and bar.title
            else name
            if known
            else self.words["taken"]
        )
        if bar.held:
            return "held", self.words["held"]
        return self._state(bar, mine, known), words

    def _state(self, bar: Bar, mine: bool, known: bool) -> str:
        over = bar.span.end <= self.instant
        if known or mine:
            if bar.outcome == "absent":
                return "absent"
            if bar.outcome == "came":
                return "past" if over else "present" if not mine else "mine"
            if over:
                return "unknown"
        elif over:
            return "past"
        return "mine" if mine else "colleague" if known and not self.reader.actor.is_staff else "taken"


def _hhmm(slot: int) -> str:
    return f"{slot * SLOT // 60:02d}:{slot * SLOT % 60:02d}"


def address(day: date, **more: str) -> str:
    """The timeline's address for a day."""
    return url_for("frontdesk.timeline") + "?" + urlencode({"day": day.isoformat(), **more})
