"""The day as a timeline: resources down, hours across.

Rows are joined strings, not a template: sixty rows of links are most of the page's time. What a row says depends on the
day's version and on who reads it; what was read of a day is kept for its version, and so are the rows that hold nothing of
the reader's own: the next reader costs neither the reading nor the drawing.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from urllib.parse import urlencode

from flask import url_for
from markupsafe import Markup

from coworking.accounts.queries import colleague_ids
from coworking.core.clock import now
from coworking.core.i18n import language
from coworking.core.page_versions import Keep, lieu_version
from coworking.core.policy import Actor
from coworking.frontdesk.bars import bars
from coworking.frontdesk.painting import DEFAULT_WINDOW, ListedClaim, Painter, PlacedBar, TimelineReader, Wall
from coworking.spaces import queries as spaces
from coworking.spaces.queries import PlainResource


@dataclass(frozen=True, slots=True)
class ZoneRows:
    """A zone with its rows, ready to be shown."""

    id: int
    name: str
    note: str
    rows: Markup


@dataclass(frozen=True, slots=True)
class Timeline:
    """One day. ``start`` and ``end`` are whole hours in minutes; ``now`` counts five minutes, None on other days."""

    day: date
    start: int
    end: int
    now: int | None
    zones: list[ZoneRows]
    lines: list[ListedClaim]


@dataclass(frozen=True, slots=True)
class _Known:
    """A day at its ``version``: plain values that outlive the session, and the ``rows`` drawn so far by resource id."""

    version: int
    places: list[PlainResource]
    bars: dict[int, list[PlacedBar]]
    rows: dict[int, str]


_kept, _kept_walls = Keep[_Known](64), Keep[Wall](400)


def _wall(day: date, zone: str) -> Wall | None:
    """The wall clock of ``day``, None where nothing is known of that date."""
    version = lieu_version()
    wall = _kept_walls.get((version, day)) if version is not None else None
    if wall is None and (row := spaces.days(day, day).get(day)) is not None:
        wall = Wall(row.span, row.open(), zone)
        if version is not None:
            _kept_walls.put((version, day), wall)
    return wall


def _known(day: date, wall: Wall, audience: tuple[Hashable, ...]) -> _Known:
    """What there is on ``day``: one statement, which reads the claims only if the day has changed since it was kept."""
    of_lieu = lieu_version()
    key = (of_lieu, day, *audience)
    kept = _kept.get(key) if of_lieu is not None else None
    version, found = bars(day, wall.span, kept.version if kept is not None else None)
    if kept is not None and found is None:
        return kept
    by_place: dict[int, list[PlacedBar]] = {}
    for placed in wall.place(found or ()):
        by_place.setdefault(placed.bar.resource_id, []).append(placed)
    known = _Known(version, spaces.places(day), by_place, {})
    if of_lieu is not None:
        _kept.put(key, known)
    return known


def timeline(actor: Actor, day: date, *, listed: bool) -> Timeline:
    """The day as ``actor`` may see it; ``listed``: as lines instead of rows."""
    instant = now()
    lieu = spaces.lieu()
    wall = _wall(day, lieu.tz.key)
    if wall is None:
        return Timeline(day, *DEFAULT_WINDOW, None, [], [])
    # Past, present and late change with the hour too: five minutes are part of the key.
    known = _known(day, wall, (language(), actor.is_staff, int(instant.timestamp()) // 300))
    colleagues = frozenset[int]()
    if not actor.is_staff and actor.person_id is not None:
        colleagues = colleague_ids(actor.person_id, day)
    start, end = wall.window(known.bars)
    painter = Painter(day, wall, start, end, TimelineReader(actor, colleagues), instant)
    lines: list[ListedClaim] = []
    zones: list[ZoneRows] = []
    if listed:
        lines = [painter.line(place, bar) for place in known.places for bar, *_ in known.bars.get(place.id, ())]
    else:
        for zone_id, group in groupby(known.places, key=lambda place: place.zone_id):
            members = list(group)
            rows = [painter.row(place, known.bars.get(place.id, []), known.rows) for place in members]
            zones.append(ZoneRows(zone_id, members[0].zone_name, "", Markup("".join(rows))))  # noqa: S704 - each part escaped
    position = None
    if day == instant.astimezone(lieu.tz).date():
        position = wall.minute(instant) // 5
        position = position if start <= position * 5 <= end else None
    return Timeline(day, start, end, position, zones, lines)


def address(day: date, **more: str) -> str:
    """The timeline's address for a day."""
    return url_for("frontdesk.timeline") + "?" + urlencode({"day": day.isoformat(), **more})
