"""What managers type about the lieu: read, coerced, and told what is wrong input by input.

Each ``read_…`` takes the inputs it needs and leaves its complaints in the `Reader`; each ``…_fields`` goes the other
way.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from babel.dates import get_day_names

from coworking.core.i18n import _, language
from coworking.spaces.inputs import Reader
from coworking.spaces.models import DESK, OFFICE, ROOM, Lieu, Resource
from coworking.spaces.rules import ACCESSIBLE, AREAS, STAFFED, Closing, Opening

LEGAL_STATUSES = ("association", "company", "public", "individual")
VAT_STATUSES = ("taxable", "franchise", "exempt")
WEEKDAYS = range(7)
KINDS = (DESK, ROOM, OFFICE)
MAX_ADDED = 200


def read_lieu(reader: Reader) -> dict[str, Any]:
    """The lieu's identity, calendar and arrival sheet, as values of its columns."""
    area = reader.raw("holiday_area")
    if area and area not in AREAS:
        reader.refuse("holiday_area", _("Choose one of these."))
    free_cancel = reader.minute("free_cancel")
    if free_cancel is None or free_cancel > 1439:
        reader.refuse("free_cancel", _("A time, such as 18:00."))
    return {
        "name": reader.text("name", most=120),
        "legal_status": reader.choice("legal_status", LEGAL_STATUSES),
        "vat_status": reader.choice("vat_status", VAT_STATUSES),
        "siret": reader.siret("siret"),
        "address": reader.text("address", required=False),
        "postcode": reader.postcode("postcode"),
        "city": reader.text("city", most=120),
        "email": reader.email("email", required=False),
        "phone": reader.optional("phone", most=30),
        "website": _website(reader),
        "presentation": reader.lines("presentation"),
        "directions": reader.lines("directions"),
        "observes_holidays": reader.checked("observes_holidays"),
        "holiday_area": area or None,
        "horizon_days": reader.integer("horizon_days", 1, 730),
        "free_cancel_minute": free_cancel,
        "arrival_door": reader.lines("arrival_door"),
        "arrival_wifi": reader.lines("arrival_wifi"),
        "arrival_parking": reader.lines("arrival_parking"),
        "host_phone": reader.optional("host_phone", most=30),
    }


def _website(reader: Reader) -> str | None:
    value = reader.optional("website", most=200)
    if value and not value.startswith(("https://", "http://")):
        reader.refuse("website", _("An address that begins with https://."))
    return value


_AS_TEXT = (
    *(
        "name",
        "legal_status",
        "vat_status",
        "siret",
        "address",
        "postcode",
        "city",
        "email",
        "phone",
        "website",
    ),
    *("presentation", "directions", "holiday_area", "horizon_days"),
    *("arrival_door", "arrival_wifi", "arrival_parking", "host_phone"),
)


def lieu_fields(lieu: Lieu) -> dict[str, str]:
    """The inputs of `read_lieu` that say what ``lieu`` is now."""
    fields = {name: str(value) for name in _AS_TEXT if (value := getattr(lieu, name)) is not None}
    if lieu.observes_holidays:
        fields["observes_holidays"] = "1"
    return fields | {"free_cancel": clock(lieu.free_cancel_minute)}


def read_closing(reader: Reader) -> Closing:
    """A closure; an empty ``last_day`` means the same day, empty ``from_minute`` and ``to_minute`` whole days."""
    first = reader.day("first_day")
    last = reader.day("last_day") if reader.raw("last_day") else first
    start, end = reader.minute("from_minute"), reader.minute("to_minute")
    if start is not None and end == 0:
        end = 1440
    return Closing(first, last, start, end, reader.text("reason", most=120))


def read_split(reader: Reader) -> int:
    """The minute at which mornings end; 13:00 stands in for one that cannot be read."""
    minute = reader.minute("split")
    if minute is None or not 6 * 60 <= minute <= 18 * 60:
        reader.refuse("split", _("A time between 6:00 and 18:00."))
        return 13 * 60
    return minute


def read_resources(reader: Reader) -> dict[str, Any]:
    """What to add: ``kind``, ``names`` (one per line), ``seats`` (one at a desk) and the zone, for `add_resources`."""
    kind = reader.choice("kind", KINDS)
    return {
        "kind": kind,
        "names": read_names(reader, "names"),
        "seats": 1 if kind == DESK else reader.integer("seats", 1, 500),
        "zone_public_id": reader.raw("zone_id"),
    }


def read_resource(reader: Reader) -> dict[str, Any]:
    """Changes to one resource, for `update_resource`."""
    return {
        "name": reader.text("name", most=80),
        "seats": reader.integer("seats", 1, 500),
        "buffer_after": reader.integer("buffer_after", 0, 240),
        "description": reader.lines("description"),
        "zone_public_id": reader.raw("zone_id"),
    }


def resource_fields(resource: Resource) -> dict[str, str]:
    """The inputs of `read_resource` that say what ``resource`` is now."""
    return {
        "name": resource.name,
        "seats": str(resource.seats),
        "buffer_after": str(resource.buffer_after),
        "description": resource.description or "",
        "zone_id": resource.zone.public_id,
    }


def read_week(reader: Reader) -> list[Opening]:
    """The weekly hours of both layers.

    Inputs, per weekday 0 to 6: ``open_N`` (checked), ``from_N``, ``to_N``. For the week: ``lunch`` (checked: closed
    from ``lunch_from`` to ``lunch_to``), and ``staffed`` (``same``, ``none`` or ``part``: ``staffed_from`` to
    ``staffed_to`` within the hours above).
    """
    lunch = _pair(reader, "lunch_from", "lunch_to") if reader.checked("lunch") else None
    staffed = reader.raw("staffed") or "same"
    duty = _pair(reader, "staffed_from", "staffed_to") if staffed == "part" else (0, 1440)
    openings: list[Opening] = []
    for weekday in WEEKDAYS:
        if not reader.checked(f"open_{weekday}"):
            continue
        hours = _pair(reader, f"from_{weekday}", f"to_{weekday}")
        for opens, closes in _without(hours, lunch):
            openings.append(Opening(weekday, ACCESSIBLE, opens, closes))
            if staffed != "none" and duty is not None:
                first, last = max(opens, duty[0]), min(closes, duty[1])
                openings += [Opening(weekday, STAFFED, first, last)] if first < last else []
    if not openings and not reader.errors:
        reader.refuse("open_0", _("Open on at least one day of the week."))
    return openings


def _pair(reader: Reader, first: str, last: str) -> tuple[int, int] | None:
    start, end = reader.minute(first), reader.minute(last)
    for name, value in ((first, start), (last, end)):
        if value is None:
            reader.refuse(name, _("A time, such as 9:30."))
    if start is None or end is None:
        return None
    end = end or 1440  # clocks show the day's end as 0:00
    if end <= start:
        reader.refuse(last, _("The end must come after the start."))
        return None
    return start, end


def _without(hours: tuple[int, int] | None, lunch: tuple[int, int] | None) -> list[tuple[int, int]]:
    if hours is None:
        return []
    if lunch is None or lunch[1] <= hours[0] or hours[1] <= lunch[0]:
        return [hours]
    parts = [(hours[0], lunch[0]), (lunch[1], hours[1])]
    return [(start, end) for start, end in parts if start < end]


def week_fields(openings: list[Opening]) -> dict[str, str]:
    """The inputs of `read_week` that say ``openings`` again, for showing hours that can be changed.

    Hours that those inputs cannot say exactly (three stretches a day, a lunch of its own on one weekday) are shown by
    their outer bounds and the commonest pause.
    """
    fields: dict[str, str] = {}
    pauses: list[tuple[int, int]] = []
    for weekday in WEEKDAYS:
        hours = sorted((o.opens, o.closes) for o in openings if (o.weekday, o.layer) == (weekday, ACCESSIBLE))
        if not hours:
            continue
        fields |= {
            f"open_{weekday}": "1",
            f"from_{weekday}": clock(hours[0][0]),
            f"to_{weekday}": clock(hours[-1][1]),
        }
        pauses += [(a[1], b[0]) for a, b in pairwise(hours)]
    if pauses:
        start, end = max(set(pauses), key=pauses.count)
        fields |= {"lunch": "1", "lunch_from": clock(start), "lunch_to": clock(end)}
    accessible = {(o.weekday, o.opens, o.closes) for o in openings if o.layer == ACCESSIBLE}
    staffed = {(o.weekday, o.opens, o.closes) for o in openings if o.layer == STAFFED}
    if not staffed:
        fields["staffed"] = "none"
    elif staffed == accessible:
        fields["staffed"] = "same"
    else:
        fields |= {
            "staffed": "part",
            "staffed_from": clock(min(opens for _day, opens, _end in staffed)),
            "staffed_to": clock(max(closes for _day, _start, closes in staffed)),
        }
    return fields


def weekday_names() -> list[str]:
    """Monday to Sunday in the reader's language."""
    names = get_day_names("wide", locale=language())
    return [str(names[weekday]) for weekday in WEEKDAYS]


def clock(minute: int) -> str:
    """« 09:30 », as time inputs want it; the end of the day is 00:00."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def read_rooms(reader: Reader, name: str) -> list[tuple[str, int]]:
    """One room per line, its seats behind the name: « Salle bleue 8 », « Salle bleue, 8 places »."""
    rooms: list[tuple[str, int]] = []
    for line in reader.raw(name).splitlines():
        if not line.strip():
            continue
        match = re.fullmatch(r"\s*(.+?)[\s:,;(\u202f\u00a0–-]+(\d{1,3})\D*", line)
        if match is None or int(match[2]) < 1:
            reader.refuse(name, _("On the line “%(line)s”, write the seats behind the name: Blue room, 8.", line=line))
            continue
        rooms.append((match[1].strip(), int(match[2])))
    _refuse_twins(reader, name, [room for room, _seats in rooms])
    return rooms


def read_names(reader: Reader, name: str) -> list[str]:
    """One name per line."""
    names = [line.strip() for line in reader.raw(name).splitlines() if line.strip()]
    if not names:
        reader.refuse(name, _("Write one name per line."))
    if len(names) > MAX_ADDED:
        reader.refuse(name, _("%(most)s at a time at most.", most=MAX_ADDED))
    _refuse_twins(reader, name, names)
    return names


def _refuse_twins(reader: Reader, field: str, names: list[str]) -> None:
    if len({name.casefold() for name in names}) < len(names):
        reader.refuse(field, _("Two of them have the same name."))
