"""Records that may be one person, as the API shows them to managers."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from coworking.accounts import merging, twin_queries
from coworking.accounts.models import Person
from coworking.accounts.twin_queries import TwinRecords
from coworking.accounts.twin_rules import FIELDS
from coworking.api.render import Json
from coworking.api.render_people import offset_instant
from coworking.frontdesk.twins import RecordFacts


def pair(row: TwinRecords) -> Json:
    return {"one": _ref(row.one), "other": _ref(row.other), "reasons": row.reasons}


def two_people() -> Json:
    """The two that the address names."""
    named = request.view_args or {}
    return {"one_id": named["person_id"], "other_id": named["other_id"]}


def comparison(facts: Sequence[RecordFacts], directions: Sequence[Json]) -> Json:
    return {"records": [_facts(one) for one in facts], "directions": directions}


def direction(kept: Person, gone: Person) -> Json:
    """What letting ``gone`` go into ``kept`` would do, what must be done first, and what to send back for it."""
    old, new = twin_queries.record_fields(kept), twin_queries.record_fields(gone)
    may_take_email = merging.may_take_email(gone, kept)
    return {
        "kept_id": kept.public_id,
        "gone_id": gone.public_id,
        "first": [one.words for one in merging.hindrances(gone=gone, kept=kept)],
        "differing": [
            {
                "name": name,
                "kept": old[name] or None,
                "gone": new[name],
                "may_take": name != "email" or may_take_email,
                "is_taken": name in merging.what_is_taken(gone, kept, ()),
            }
            for name in FIELDS
            if new[name] and new[name] != old[name]
        ],
        "seen": twin_queries.pair_digest(kept, gone),
    }


def _facts(row: RecordFacts) -> Json:
    return {
        "person": _ref(row.person),
        "is_open": row.person.is_active,
        "bookings_to_come": row.coming,
        "bookings_past": row.past,
        "days_here": row.days,
        "last_day_here": row.last_day,
        "plans": row.plans,
        "left": row.left,
        "member_until": row.member_until,
        "employers": row.employers,
        "invoices": row.invoices,
        "owed_cents": row.owed_cents,
        "credit_cents": row.credit_cents,
        "has_card": row.has_card,
        "accepted_texts": row.accepted,
        "last_signed_in_at": offset_instant(row.last_seen),
    }


def _ref(row: Person) -> Json:
    return {"id": row.public_id, "name": row.name}
