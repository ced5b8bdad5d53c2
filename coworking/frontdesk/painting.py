"""Drawing one day of the timeline, for one reader: the wall clock, the bars and the free ground of each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import url_for
from markupsafe import escape

from coworking.core.formats import minute_in, span_hours
from coworking.core.i18n import _, language, ngettext
from coworking.core.policy import Actor
from coworking.core.timespan import Span
from coworking.frontdesk.bars import Bar
from coworking.spaces.queries import PlainResource

SLOT = 15
_MINUTE = timedelta(minutes=1)
_MIDNIGHT = 24 * 60
DEFAULT_WINDOW = (8 * 60, 19 * 60)


@dataclass(frozen=True, slots=True)
class ListedClaim:
    """One claim as a list says it: for those who do not read the picture."""

    resource: str
    hours: str
    words: str
    state: str
    url: str | None


@dataclass(frozen=True, slots=True)
class TimelineReader:
    """Who reads: staff see names, members their own and those of colleagues who agreed."""

    actor: Actor
    colleagues: frozenset[int]

    def concerns(self, bar: Bar) -> bool:
        """Whether this bar looks different to this reader than to others of the same audience."""
        return bar.person_id is not None and (bar.person_id == self.actor.person_id or bar.person_id in self.colleagues)


class PlacedBar(NamedTuple):
    """A bar by the wall clock: minutes after local midnight at which its use starts and ends, and its place is ready."""

    bar: Bar
    start: int
    end: int
    ready: int


class Wall:
    """The wall clock of one local date, ``span``, of which ``open`` is open: minutes after midnight, clipped to the date."""

    def __init__(self, span: Span, open_spans: list[Span], zone: str) -> None:
        self.span, self.open = span, open_spans
        self._start, self._end = span.start, span.end
        self._zone = ZoneInfo(zone)
        self._plain = self._end - self._start == timedelta(hours=24)

    def minute(self, instant: datetime) -> int:
        if self._plain:
            minutes = (instant - self._start) // _MINUTE
            return 0 if minutes < 0 else min(minutes, _MIDNIGHT)
        if instant <= self._start:
            return 0
        if instant >= self._end:
            return _MIDNIGHT
        local = instant.astimezone(self._zone)
        return local.hour * 60 + local.minute

    def beyond(self, bar: Bar) -> str:
        """The classes of a bar that began the day before, or goes on into the next one."""
        return (" came-on" if bar.start < self._start else "") + (" goes-on" if bar.end > self._end else "")

    def place(self, bars: Iterable[Bar]) -> Iterator[PlacedBar]:
        """The bars in the same order, by the wall clock."""
        for bar in bars:
            yield PlacedBar(bar, self.minute(bar.start), self.minute(bar.end), self.minute(bar.guarded_end))

    def window(self, bars: dict[int, list[PlacedBar]]) -> tuple[int, int]:
        """The open hours, widened to what is booked outside them, in whole hours."""
        shown = [(self.minute(span.start), self.minute(span.end)) for span in self.open]
        shown += [(placed.start, placed.end) for group in bars.values() for placed in group if placed.bar.booking]
        if not shown:
            return DEFAULT_WINDOW
        start = min(start for start, _end in shown) // 60 * 60
        end = -(-max(end for _start, end in shown) // 60) * 60
        return start, max(end, start + 60)


class Painter:
    """Draws rows and lines of one day for one reader."""

    def __init__(self, day: date, wall: Wall, start: int, end: int, reader: TimelineReader, instant: datetime) -> None:
        self.day, self.wall, self.reader, self.instant = day, wall, reader, instant
        self.staff = reader.actor.is_staff
        self.first, self.last = start // SLOT, end // SLOT
        self.iso = day.isoformat()
        self._now = wall.minute(instant)
        self._bookable = [(wall.minute(span.start), wall.minute(span.end)) for span in wall.open if span.end > instant]
        self.words = {
            "you": _("You"),
            "taken": _("Booked"),
            "blocked": _("Out of order"),
            "resident": _("Resident"),
            "workshop": _("Workshop"),
            "held": _("On hold"),
            "tidying": _("tidying up"),
        }
        self._language = language()
        self.booking_url = url_for("booking.booking", public_id="x").removesuffix("x")
        self.new_url = url_for("frontdesk.new", public_id="x").removesuffix("x")

    def row(self, resource: PlainResource, bars: list[PlacedBar], kept: dict[int, str]) -> str:
        """The row's HTML, from what was kept unless something in it is the reader's own."""
        personal = any(self.reader.concerns(placed.bar) for placed in bars)
        if not personal and (found := kept.get(resource.id)) is not None:
            return found
        html = self._row(resource, bars)
        if not personal:
            kept[resource.id] = html
        return html

    def line(self, resource: PlainResource, bar: Bar) -> ListedClaim:
        state, who = self._said(bar)
        hours = _("all day") if bar.holder_kind == "resident" else span_hours(bar.span)
        return ListedClaim(resource.name, hours, who, state, self._url(bar))

    def _row(self, resource: PlainResource, bars: list[PlacedBar]) -> str:
        small = ""
        if resource.kind != "desk":
            seats = ngettext("%(num)s seat", "%(num)s seats", resource.seats)
            small = f"<small>{escape(seats)}</small>"
        pieces = self._free(resource, bars)
        at = self.first
        for placed in bars:
            left = max(placed.start // SLOT, at)
            right = min(-(-placed.end // SLOT), self.last)
            if right <= left:
                continue
            pieces.append((left, self._bar(placed, left, right - left)))
            at = right
            ready = min(-(-placed.ready // SLOT), self.last)
            if ready > right:
                tidying = f'<span class="is-closed c{right} w{ready - right}" title="{self.words["tidying"]}"></span>'
                pieces.append((right, tidying))
                at = ready
        lane = "".join([html for _, html in sorted(pieces)])
        return f'<li><span class="name">{escape(resource.name)}{small}</span><div class="lane">{lane}</div></li>'

    def _free(self, resource: PlainResource, bars: list[PlacedBar]) -> list[tuple[int, str]]:
        """Links over free open time that is not over."""
        found: list[tuple[int, str]] = []
        for start, end in self._bookable:
            at = start
            for placed in bars:
                if placed.start > at:
                    found += self._link(resource, at, min(placed.start, end))
                at = max(at, placed.ready)
            found += self._link(resource, at, end)
        return found

    def _link(self, resource: PlainResource, start: int, end: int) -> list[tuple[int, str]]:
        """A link over the whole quarters of an hour between two minutes; the running one still counts."""
        left, right = -(-start // SLOT), end // SLOT
        if start <= self._now < end:
            left = max(left, self._now // SLOT)
        if right <= left:
            return []
        query = f"day={self.iso}&amp;from={_hhmm(left)}&amp;to={_hhmm(right)}"
        href = f"{self.new_url}{resource.public_id}?{query}"
        return [
            (left, f'<a class="f c{left} w{right - left}" href="{href}">+ {minute_in(self._language, left * SLOT)}</a>')
        ]

    def _bar(self, placed: PlacedBar, left: int, width: int) -> str:
        bar = placed.bar
        state, words = self._said(bar)
        who = str(escape(words))
        until = minute_in(self._language, placed.end)
        url = self._url(bar)
        tag, href = ("a", f' href="{url}"') if url else ("span", "")
        title = f"{who}, {minute_in(self._language, placed.start)}\u2013{until}"
        if bar.holder_kind == "resident":  # theirs day and night
            title, until = who if who == self.words["resident"] else _(": ").join([self.words["resident"], who]), ""
        elif bar.booking and (beyond := self.wall.beyond(bar)):  # the bar shows a part: say the whole
            state, hours = state + beyond, escape(span_hours(bar.span))
            title, until = f"{who}, {hours}", f'{until}</i><i class="vh">{hours}'
        return f'<{tag} class="is-{state} c{left} w{width}"{href} title="{title}"><b>{who}</b><i>{until}</i></{tag}>'

    def _url(self, bar: Bar) -> str | None:
        """A booking's sheet, for staff and for one's own; others see no link."""
        own = bar.person_id is not None and bar.person_id == self.reader.actor.person_id
        return self.booking_url + bar.booking if bar.booking and (own or self.staff) else None

    def _said(self, bar: Bar) -> tuple[str, str]:
        """The state's class and the words on the bar."""
        staff = self.staff
        if bar.holder_kind != "booking":
            state = {"block": "blocked"}.get(bar.holder_kind, bar.holder_kind)
            if bar.person_id is not None and bar.person_id == self.reader.actor.person_id:
                return state, self.words["you"]
            name = bar.title or (f"{bar.first_name} {(bar.last_name or '')[:1]}.".strip() if bar.first_name else None)
            return state, name if staff and name else self.words[state]
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
        if bar.expires_at is not None:
            return "held", self.words["held"]
        return self._state(bar, mine, known), words

    def _state(self, bar: Bar, mine: bool, known: bool) -> str:
        over = bar.end <= self.instant
        if known or mine:
            if bar.outcome == "absent":
                return "absent"
            if bar.outcome == "came":
                return "past" if over else "present" if not mine else "mine"
            if over:
                return "unknown"
        elif over:
            return "past"
        return "mine" if mine else "colleague" if known and not self.staff else "taken"


@cache
def _hhmm(slot: int) -> str:
    """The wall clock at a slot as an input of type time wants it: midnight at the end of the day is 00:00."""
    return f"{slot * SLOT // 60 % 24:02d}:{slot * SLOT % 60:02d}"
