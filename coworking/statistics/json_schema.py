"""The ``monthly-return/1`` as a JSON Schema (2020-12), for whoever writes a sender in another language.

It says what each field may hold. What numbers may not say together stands in `coworking.statistics.consistency`.
"""

from __future__ import annotations

from typing import Any

from coworking.statistics.schema import (
    CHAIN_HEADS,
    COUNTED_FROM,
    COUNTS,
    FAMILIES,
    MOST,
    MOST_CHAINS,
    ORDER,
    REASONS,
    SCHEMA,
    STATUS_NAMES,
    STATUSES,
)

Schema = dict[str, Any]
_INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
_DIGEST = "^[0-9a-f]{64}$"


def figures_schema() -> Schema:
    """The schema of ``figures``."""
    count = _whole(0)
    maybe_count = {**count, "type": ["integer", "null"]}
    may_be_null = (*ORDER, *(f"people_by_status.{name}" for name in STATUS_NAMES))
    by_status = _object(dict.fromkeys(STATUS_NAMES, maybe_count))
    by_family = _object(dict.fromkeys(FAMILIES, _whole(-MOST)))
    pair = {"type": "array", "items": count, "minItems": 2, "maxItems": 2}
    day = {"type": "array", "items": pair, "minItems": 24, "maxItems": 24}
    week = {"type": ["array", "null"], "items": day, "minItems": 7, "maxItems": 7}
    reasons = {"type": "string", "enum": list(REASONS)}
    return _object(
        {
            **dict.fromkeys(COUNTS, maybe_count),
            "peak_at": {"type": ["string", "null"], "pattern": _INSTANT},
            "people_by_status": {**by_status, "type": ["object", "null"]},
            "revenue_cents_by_family": {**by_family, "type": ["object", "null"]},
            "by_weekday_hour": {**week, "description": "From Monday, from midnight: minutes booked, minutes offered."},
            "null_reasons": {
                **_object(dict.fromkeys(may_be_null, reasons), required=()),
                "description": "Why each figure that is null is so; no other figure may stand here.",
            },
        }
    )


def return_schema() -> Schema:
    """The schema of a whole return, with what is optional in it."""
    head = _object({"seq": _whole(0), "digest": {"type": "string", "pattern": _DIGEST}})
    chains = {"type": "object", "maxProperties": MOST_CHAINS, "additionalProperties": head}
    chains["propertyNames"] = {"pattern": "^[a-z][a-z0-9_]{0,31}$"}
    fields: Schema = {
        "schema": {"const": SCHEMA},
        "lieu_id": {"type": "string", "format": "uuid", "description": "In lower case."},
        "siret": {"type": ["string", "null"], "pattern": r"^\d{14}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": 200},
        "code_insee": {"type": ["string", "null"], "pattern": r"^(\d{2}|2[AB])\d{3}$"},
        "month": {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$"},
        "status": {"enum": list(STATUSES)},
        "revision": _whole(1, 10_000),
        "reason": {"type": ["string", "null"], "minLength": 1, "maxLength": 500},
        "generated_at": {"type": "string", "pattern": _INSTANT},
        "software_version": {"type": "string", "pattern": r"^[\w.+-]{1,64}$"},
        "figures_sha256": {"type": "string", "pattern": _DIGEST},
        "figures": figures_schema(),
    }
    counted_from: Schema = {
        "type": "string",
        "format": "date",
        "description": "The first day counted, where the place was not here on the first of the month.",
    }
    whole = _object({**fields, CHAIN_HEADS: chains, COUNTED_FROM: counted_from}, required=tuple(fields))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **whole}


def _object(properties: Schema, required: tuple[str, ...] | None = None) -> Schema:
    names = tuple(properties) if required is None else required
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": list(names)} if names else made


def _whole(least: int, most: int = MOST) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}
