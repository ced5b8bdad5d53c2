"""A return's document and the columns beside it. No Flask, no database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from coworking.statistics.schema import CHAIN_HEADS, COUNTED_FROM

FILED: tuple[str, ...] = (
    "open_days",
    "desks_in_service",
    "desk_offered_halfdays",
    "desk_booked_halfdays",
    "desk_attended_halfdays",
    "desk_known_halfdays",
    "desk_absent_halfdays",
    "room_offered_minutes",
    "room_booked_minutes",
    "room_attended_minutes",
    "distinct_people",
    "workshop_participants",
)
"""The figures with a column of their own: a network's rates, what its pages show of each lieu, what doubts compare."""


def columns_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `coworking.network.head.models.ReceivedReturn` that repeat what ``document`` says."""
    heads, counted_from = document.get(CHAIN_HEADS), document.get(COUNTED_FROM)
    return {
        "lieu_uuid": document["lieu_id"],
        "chain_heads": None if heads is None else json.dumps(heads, sort_keys=True),
        "counted_from": None if counted_from is None else date.fromisoformat(counted_from),
        **{name: document["figures"][name] for name in FILED},
    }
