"""Shapes that several subjects share. Times are RFC 3339 with an offset, ids opaque text, money integer cents."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from marshmallow import EXCLUDE, fields

from coworking.api.fields import Instant, Month, Number, StrictSchema, Text

KINDS = ("desk", "room", "office")
MAX_PAGE = 200


def text(**options: Any) -> fields.String:
    return fields.String(**options)


def instant(**options: Any) -> fields.String:
    """An instant already written in the lieu's offset."""
    return fields.String(metadata={"format": "date-time", "example": "2026-11-26T09:00:00+01:00"}, **options)


def choice(*among: str) -> fields.String:
    """One of these, or null."""
    return fields.String(required=True, allow_none=True, metadata={"enum": [*among, None]})


class SpanQuery(StrictSchema):
    from_ = Instant(data_key="from", required=True, metadata={"example": "2026-11-26T00:00:00+01:00"})
    to = Instant(required=True, metadata={"example": "2026-11-27T00:00:00+01:00"})


class PageQuery(StrictSchema):
    limit = Number(1, MAX_PAGE, load_default=50)
    cursor = Text(most=400)


class MonthQuery(StrictSchema):
    month = Month(required=True, metadata={"example": "2026-10"})


class Shown(Schema):
    """An object that is only ever sent. Readers must expect further fields, so the description leaves it open."""

    class Meta:
        unknown = EXCLUDE


class Page(Shown):
    next = text(required=True, allow_none=True, metadata={"description": "The cursor of the next page, or null."})
