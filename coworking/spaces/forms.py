"""What managers type about the lieu: read, coerced, and told what is wrong input by input.

Each ``read_…`` takes the inputs it needs and leaves its complaints in the `Form`; each ``…_fields`` goes the other
way.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.reading import email_of, minute_of, one_of, postcode_of, siret_of
from coworking.spaces.models import DESK, OFFICE, ROOM, Lieu, Resource
from coworking.spaces.rules import ACCESSIBLE, AREAS, STAFFED, Closing, Opening

LEGAL_STATUSES = ("association", "company", "public", "individual")
VAT_STATUSES = ("taxable", "franchise", "exempt")
WEEKDAYS = range(7)
KINDS = (DESK, ROOM, OFFICE)
MAX_ADDED = 200


def read_lieu(form: Form) -> dict[str, Any]:
    """The lieu's identity, calendar and arrival sheet, as values of its columns."""
    area = form.maybe("holiday_area", lambda text: one_of(AREAS, text))
    free_cancel = form.minute("free_cancel")
    if free_cancel is None or free_cancel > 1439:
        form.refuse("free_cancel", _("A time, such as 18:00."))
    return {
        "name": form.text("name", most=120),
        "legal_status": form.choice("legal_status", LEGAL_STATUSES),
        "vat_status": form.choice("vat_status", VAT_STATUSES),
        "siret": form.maybe("siret", siret_of),
        "address": form.optional("address") or "",
        "postcode": form.check("postcode", postcode_of) or "",
        "city": form.text("city", most=120),
        "email": form.maybe("email", email_of),
        "phone": form.optional("phone", most=30),
        "website": _website(form),
        "presentation": form.lines("presentation"),
        "directions": form.lines("directions"),
        "observes_holidays": form.checked("observes_holidays"),
        "holiday_area": area,
        "horizon_days": form.integer("horizon_days", 1, 730),
        "free_cancel_minute": free_cancel,
        "arrival_door": form.lines("arrival_door"),
        "arrival_wifi": form.lines("arrival_wifi"),
        "arrival_parking": form.lines("arrival_parking"),
        "host_phone": form.optional("host_phone", most=30),
    }


def _website(form: Form) -> str | None:
    value = form.optional("website", most=200)
    if value and not value.startswith(("https://", "http://")):
        form.refuse("website", _("An address that begins with https://."))
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


def read_closing(form: Form) -> Closing:
    """A closure; an empty ``last_day`` means the same day, empty ``from_minute`` and ``to_minute`` whole days."""
    first = form.day("first_day")
    last = form.day("last_day") if form.raw("last_day") else first
    start, end = form.minute("from_minute"), form.minute("to_minute")
    if start is not None and end == 0:
        end = 1440
    return Closing(first, last, start, end, form.text("reason", most=120))


def read_split(form: Form) -> int:
    """The minute at which mornings end; 13:00 stands in for one that cannot be read."""
    minute = form.minute("split")
    if minute is None or not 6 * 60 <= minute <= 18 * 60:
        form.refuse("split", _("A time between 6:00 and 18:00."))
        return 13 * 60
    return minute


def read_resources(form: Form) -> dict[str, Any]:
    """What to add: ``kind``, ``names`` (one per line), ``seats`` (one at a desk) and the zone, for `add_resources`."""
    kind = form.choice("kind", KINDS)
    return {
        "kind": kind,
        "names": read_names(form, "names"),
        "seats": 1 if kind == DESK else form.integer("seats", 1, 500),
        "zone_public_id": form.raw("zone_id"),
    }


def read_resource(form: Form) -> dict[str, Any]:
    """Changes to one resource, for `update_resource`."""
    return {
        "name": form.text("name", most=80),
        "seats": form.integer("seats", 1, 500),
        "buffer_after": form.integer("buffer_after", 0, 240),
        "description": form.lines("description"),
        "zone_public_id": form.raw("zone_id"),
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


def read_week(form: Form) -> list[Opening]:
    """The weekly hours of both layers.

    Inputs, per weekday 0 to 6: ``open_N`` (checked), ``from_N``, ``to_N``. For the week: ``lunch`` (checked: closed
    from ``lunch_from`` to ``lunch_to`` on days that go on afterwards), and ``staffed`` (``same``, ``none`` or ``part``:
    ``staffed_from`` to ``staffed_to`` within the hours above).
    """
    lunch = _pair(form, "lunch_from", "lunch_to") if form.checked("lunch") else None
    staffed = form.raw("staffed") or "same"
    duty = _pair(form, "staffed_from", "staffed_to") if staffed == "part" else (0, 1440)
    openings: list[Opening] = []
    for weekday in WEEKDAYS:
        if not form.checked(f"open_{weekday}"):
            continue
        hours = _pair(form, f"from_{weekday}", f"to_{weekday}")
        for opens, closes in _without(hours, lunch):
            openings.append(Opening(weekday, ACCESSIBLE, opens, closes))
            if staffed != "none" and duty is not None:
                first, last = max(opens, duty[0]), min(closes, duty[1])
                openings += [Opening(weekday, STAFFED, first, last)] if first < last else []
    if not openings and not form.errors:
        form.refuse("open_0", _("Open on at least one day of the week."))
    return openings


def _pair(form: Form, first: str, last: str) -> tuple[int, int] | None:
    start, end = form.check(first, minute_of), form.check(last, minute_of)
    if start is None or end is None:
        return None
    end = end or 1440  # clocks show the day's end as 0:00
    if end <= start:
        form.refuse(last, _("The end must come after the start."))
        return None
    return start, end


def _without(hours: tuple[int, int] | None, lunch: tuple[int, int] | None) -> list[tuple[int, int]]:
    if hours is None:
        return []
    if lunch is None or lunch[0] <= hours[0] or hours[1] <= lunch[1]:
        return [hours]  # a day that begins or ends by lunchtime has no pause: it stays as it was typed
    return [(hours[0], lunch[0]), (lunch[1], hours[1])]


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


def clock(minute: int) -> str:
    """« 09:30 », as time inputs want it; the end of the day is 00:00."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def read_rooms(form: Form, name: str) -> list[tuple[str, int]]:
    """One room per line, its seats behind the name: « Salle bleue 8 », « Salle bleue, 8 places »."""
    rooms: list[tuple[str, int]] = []
    for line in form.raw(name).splitlines():
        if not line.strip():
            continue
        room = _room_of(line)
        if room is None:
            form.refuse(name, _("On the line “%(line)s”, write the seats behind the name: Blue room, 8.", line=line))
            continue
        rooms.append(room)
    _refuse_duplicates(form, name, [room for room, _seats in rooms])
    return rooms


_NUMBER = re.compile(r"\d+")
_BETWEEN = " \t\u202f\u00a0:,;(–-"


def _room_of(line: str) -> tuple[str, int] | None:
    """Name and seats of a line: the last number stands for the seats, what comes before it is the name."""
    numbers = list(_NUMBER.finditer(line))
    if not numbers or len(numbers[-1][0]) > 3:
        return None
    name, seats = line[: numbers[-1].start()], int(numbers[-1][0])
    if not name or name[-1] not in _BETWEEN or not name.strip(_BETWEEN) or seats < 1:
        return None
    return name.rstrip(_BETWEEN).lstrip(), seats


def read_names(form: Form, name: str) -> list[str]:
    """One name per line."""
    names = [line.strip() for line in form.raw(name).splitlines() if line.strip()]
    if not names:
        form.refuse(name, _("Write one name per line."))
    if len(names) > MAX_ADDED:
        form.refuse(name, _("%(most)s at a time at most.", most=MAX_ADDED))
    _refuse_duplicates(form, name, names)
    return names


def _refuse_duplicates(form: Form, field: str, names: list[str]) -> None:
    if len({name.casefold() for name in names}) < len(names):
        form.refuse(field, _("Two of them have the same name."))
