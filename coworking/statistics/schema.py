"""The monthly return, schema ``monthly-return/1``: its fields.

A document is a flat envelope (`ENVELOPE`) around ``figures`` (`FIGURES`). Every figure may be null, and then
``figures.null_reasons`` says why; nothing else is ever null inside them. ``figures_sha256`` is the SHA-256 of the
figures' RFC 8785 bytes, so that both ends speak of the same numbers. `coworking.statistics.return_rules` checks a document.
Definitions: ``docs/statistics.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SCHEMA = "monthly-return/1"
Figures = Mapping[str, Any]
"""The figures of a month by name, with ``null_reasons``."""
PROVISIONAL, FINAL, RESTATEMENT = "provisional", "final", "restatement"
STATUSES = (PROVISIONAL, FINAL, RESTATEMENT)
MOST = 2**53 - 1
"""The largest integer that JSON readers agree on (RFC 7493)."""

REASONS = (
    "not_recorded",  # the lieu keeps no record of it
    "not_shared",  # it does, and chose not to send it
    "too_few_known",  # of fewer than 80 % of what was booked anyone knows whether the people came
    "too_little_history",  # it needs months before this one that the lieu does not have
    "nothing_booked",  # there was no moment to date
    "without_software",  # only the six figures of a lieu without the software were given
    "suppressed",  # people could be recognised
)
"""Why a figure may be null."""

STATUS_NAMES = ("employee", "self_employed", "jobseeker", "student", "association", "other", "unknown")
FAMILIES = ("desk", "room", "subscription", "pack", "training", "subsidy", "other")

COUNTS = (
    "open_days",
    "accessible_minutes",
    "staffed_minutes",
    "desks_in_service",
    "rooms_in_service",
    "seats_in_rooms",
    "desk_offered_halfdays",
    "desk_booked_halfdays",
    "desk_attended_halfdays",
    "desk_known_halfdays",
    "desk_absent_halfdays",
    "desk_late_cancelled_halfdays",
    "desk_resident_halfdays",
    "room_offered_minutes",
    "room_booked_minutes",
    "room_attended_minutes",
    "room_minutes_paid",
    "room_minutes_free",
    "room_minutes_internal",
    "room_guests_declared",
    "peak_seats",
    "peak_seats_in_service",
    "days_over_80_percent",
    "waitlisted_requests",
    "refused_requests",
    "distinct_people",
    "distinct_people_ytd",
    "newcomers",
    "returning_people",
    "worker_days",
    "active_subscriptions",
    "joined",
    "left",
    "workshops",
    "workshop_participants",
    "training_sessions",
    "trainee_hours",
    "digital_help_individual",
    "digital_help_group",
    "digital_help_beneficiaries",
    "volunteer_minutes",
    "staff_fte_hundredths",
)
"""The figures that are non-negative integers, in the order of the law's list."""

ORDER = (*COUNTS, "peak_at", "people_by_status", "revenue_cents_by_family", "by_weekday_hour")
FIGURES = frozenset(ORDER)
"""Every figure; with ``null_reasons`` they are the members of ``figures``."""

SIX = (
    "open_days",
    "desk_offered_halfdays",
    "desk_booked_halfdays",
    "desk_attended_halfdays",
    "distinct_people",
    "workshop_participants",
)
"""What a lieu without the software gives; the rest of its figures is null with the reason ``without_software``."""

EIGHT = (
    "open_days",
    "desk_offered_halfdays",
    "desk_booked_halfdays",
    "desk_attended_halfdays",
    "room_booked_minutes",
    "distinct_people",
    "newcomers",
    "worker_days",
)
"""What a page shows first."""

ENVELOPE = (
    "schema",
    "lieu_id",
    "siret",
    "name",
    "code_insee",
    "month",
    "status",
    "revision",
    "reason",
    "generated_at",
    "software_version",
    "figures_sha256",
)

CHAIN_HEADS, MOST_CHAINS = "chain_heads", 16
"""An optional member of the envelope: where each of the lieu's signed chains ended when the return was sent."""
COUNTED_FROM = "counted_from"
"""The other: the first local date counted, of a lieu that was not here on the first of the month."""
OPTIONAL = (CHAIN_HEADS, COUNTED_FROM)
"""What a receiver may not know yet: where it refuses one by name, the sender leaves it out."""


def canonical(document: Mapping[str, Any]) -> bytes:
    """The RFC 8785 bytes of figures or of a whole return, in which every number is whole and every name is ASCII.

    For such values they are what the standard library's encoder writes, ten times as quickly as a general one; a test
    compares the two.
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
    ).encode()


def digest(figures: bytes) -> str:
    """The SHA-256 of canonical bytes, in hexadecimal."""
    return hashlib.sha256(figures).hexdigest()


def blank(reason: str) -> dict[str, Any]:
    """Figures of which nothing is known, for ``reason``; see `filled`."""
    return {**dict.fromkeys(FIGURES), "null_reasons": dict.fromkeys(FIGURES, reason)}


def filled(figures: Mapping[str, Any], **known: Any) -> dict[str, Any]:
    """``figures`` with the ``known`` ones in their place and their reasons gone."""
    reasons = {name: reason for name, reason in figures["null_reasons"].items() if name not in known}
    return {**figures, **known, "null_reasons": reasons}
