"""The labels of figures. A label always names what is counted; see ``docs/statistics.md`` for definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from babel.dates import get_day_names

from coworking.core.errors import N_
from coworking.core.formats import day_long, duration, hour, number
from coworking.core.i18n import _, language

GROUPS: Sequence[tuple[str, Mapping[str, str]]] = (
    (
        N_("Opening"),
        {
            "open_days": N_("Open days"),
            "accessible_minutes": N_("Open hours"),
            "staffed_minutes": N_("Hours with someone at the desk"),
        },
    ),
    (
        N_("Desks"),
        {
            "desks_in_service": N_("Desks in service"),
            "desk_offered_halfdays": N_("Half-days offered"),
            "desk_booked_halfdays": N_("Half-days booked"),
            "desk_attended_halfdays": N_("Half-days attended"),
            "desk_known_halfdays": N_("Half-days whose outcome is known"),
            "desk_absent_halfdays": N_("Half-days booked and not used"),
            "desk_late_cancelled_halfdays": N_("Half-days cancelled late"),
            "desk_resident_halfdays": N_("Half-days of residents"),
        },
    ),
    (
        N_("At once"),
        {
            "peak_seats": N_("Most desks booked at once"),
            "peak_seats_in_service": N_("Desks in service that day"),
            "peak_at": N_("First moment of it"),
            "days_over_80_percent": N_("Days with four desks in five booked at once"),
        },
    ),
    (
        N_("Rooms"),
        {
            "rooms_in_service": N_("Rooms and offices in service"),
            "seats_in_rooms": N_("Seats in them"),
            "room_offered_minutes": N_("Room hours offered"),
            "room_booked_minutes": N_("Room hours booked"),
            "room_attended_minutes": N_("Room hours attended"),
            "room_minutes_paid": N_("Room hours that were paid"),
            "room_minutes_free": N_("Room hours free of charge"),
            "room_minutes_internal": N_("Room hours for the place itself"),
            "room_guests_declared": N_("Guests of meetings, declared"),
        },
    ),
    (
        N_("People"),
        {
            "distinct_people": N_("Different people"),
            "distinct_people_ytd": N_("Different people since January"),
            "newcomers": N_("People who came for the first time"),
            "returning_people": N_("People who came back within three months"),
            "worker_days": N_("Days of presence, all people together"),
            "people_by_status": N_("People by status"),
        },
    ),
    (
        N_("Requests and subscriptions"),
        {
            "waitlisted_requests": N_("Requests put on a waiting list"),
            "refused_requests": N_("Requests refused"),
            "active_subscriptions": N_("Subscriptions in force"),
            "joined": N_("People who subscribed"),
            "left": N_("People whose subscription ended"),
        },
    ),
    (
        N_("Activities"),
        {
            "workshops": N_("Workshops"),
            "workshop_participants": N_("Participants in workshops"),
            "training_sessions": N_("Training sessions"),
            "trainee_hours": N_("Hours of trainees"),
            "digital_help_individual": N_("Digital help, one to one"),
            "digital_help_group": N_("Digital help, in groups"),
            "digital_help_beneficiaries": N_("People helped with digital matters"),
        },
    ),
    (
        N_("Means"),
        {
            "revenue_cents_by_family": N_("Revenue by family"),
            "volunteer_minutes": N_("Hours of volunteers"),
            "staff_fte_hundredths": N_("Staff, in full-time equivalents"),
        },
    ),
)
LABELS: Mapping[str, str] = {name: label for _group, labels in GROUPS for name, label in labels.items()}

REASON_WORDS: Mapping[str, str] = {
    "not_recorded": N_("not recorded here"),
    "not_shared": N_("not shared"),
    "too_few_known": N_("fewer than 80 in 100 outcomes are known"),
    "too_little_history": N_("not enough months before this one"),
    "nothing_booked": N_("nothing was booked"),
    "without_software": N_("given without the software"),
    "suppressed": N_("too few people to be shown"),
}

_NOT_RECORDED: Mapping[str, str] = {
    "desk_resident_halfdays": N_("no desk belongs to a resident"),
    "room_minutes_paid": N_("booked without a price list"),
    "room_minutes_free": N_("booked without a price list"),
    "room_minutes_internal": N_("no room was taken for the place itself"),
    "waitlisted_requests": N_("there is no waiting list yet"),
    "refused_requests": N_("not counted yet on all days of this month"),
    **dict.fromkeys(
        ("distinct_people", "distinct_people_ytd", "newcomers", "returning_people", "worker_days"),
        N_("nobody said who came"),
    ),
    "people_by_status": N_("nobody has said yet what they do"),
    **dict.fromkeys(("active_subscriptions", "joined", "left"), N_("there is no subscription plan")),
    **dict.fromkeys(("workshops", "workshop_participants"), N_("workshops are not recorded here yet")),
    **dict.fromkeys(("training_sessions", "trainee_hours"), N_("training is not recorded here yet")),
    **dict.fromkeys(
        ("digital_help_individual", "digital_help_group", "digital_help_beneficiaries"),
        N_("digital help is not recorded here yet"),
    ),
    "revenue_cents_by_family": N_("not added up by family yet"),
    **dict.fromkeys(("volunteer_minutes", "staff_fte_hundredths"), N_("nobody is asked for it yet")),
}
"""What ``not_recorded`` means at a lieu with this software, figure by figure."""


def why_unknown(name: str, reason: str) -> str:
    """Why this lieu does not know the figure ``name``, as a text to translate; ``reason`` as the return says it."""
    return _NOT_RECORDED.get(name, REASON_WORDS[reason]) if reason == "not_recorded" else REASON_WORDS[reason]


STATUS_WORDS: Mapping[str, str] = {
    "provisional": N_("provisional"),
    "final": N_("final"),
    "restatement": N_("restated"),
}


def worded(name: str, value: Any) -> str:
    """The ``value`` of the figure ``name`` (not null) as people read it."""
    if name == "peak_at":
        at = datetime.fromisoformat(value)
        return _("%(day)s, %(hour)s", day=day_long(at.date()), hour=hour(at))
    if name == "staff_fte_hundredths":
        return f"{value // 100}{',' if language() == 'fr' else '.'}{value % 100:02d}"
    if name == "people_by_status":
        return _split(value)
    if "minutes" in name:
        return duration(value) if value else "0\u202fh"
    return number(value) if isinstance(value, int) else ""


_BY_STATUS: Mapping[str, str] = {
    "employee": N_("employees"),
    "self_employed": N_("self-employed people"),
    "jobseeker": N_("jobseekers"),
    "student": N_("students"),
    "association": N_("associations"),
    "other": N_("other people"),
    "unknown": N_("people who did not say"),
}


def _split(counts: Mapping[str, int | None]) -> str:
    """« salariés 12 · étudiants 7 · trop peu pour être montrés : autres, indépendants »."""
    labels = {name: _(label) for name, label in _BY_STATUS.items()}
    shown = [f"{labels[name]} {number(count)}" for name in labels if (count := counts[name])]
    hidden = [label for name, label in labels.items() if counts[name] is None]
    few = [_("too few to be shown: %(groups)s", groups=", ".join(hidden))] if hidden else []
    return " · ".join([*shown, *few]) or "0"


def percent(value: int) -> str:
    """« 68 % »."""
    return f"{value}\u202f%" if language() == "fr" else f"{value}%"


def weekday(number_: int) -> str:
    """« jeudi » for 3."""
    return str(get_day_names("wide", locale=language())[number_])
