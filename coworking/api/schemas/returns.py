"""The figures of closed months: a lieu's own, and those that a network head received."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.schemas.common import Page, Shown, instant, text
from coworking.statistics.json_schema import figures_schema
from coworking.statistics.schema import STATUSES

_FIGURES = {name: value for name, value in figures_schema().items() if name != "type"}
"""What `figures` holds: the same in OpenAPI as in ``docs/monthly-return-1.schema.json``."""


class MonthlyReturn(Shown):
    """A ``monthly-return/1``: the highest revision of a closed month. ``figures_sha256`` is that of the RFC 8785 bytes.

    Every figure may be null; ``figures.null_reasons`` then says why.
    """

    schema = text(required=True, metadata={"example": "monthly-return/1"})
    lieu_id = text(required=True, metadata={"format": "uuid"})
    siret = text(required=True, allow_none=True)
    name = text(required=True)
    code_insee = text(required=True, allow_none=True)
    month = text(required=True, metadata={"example": "2026-10"})
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    revision = fields.Integer(required=True)
    reason = text(required=True, allow_none=True)
    generated_at = instant(required=True)
    software_version = text(required=True)
    figures_sha256 = text(required=True)
    counted_from = text(
        metadata={"format": "date", "description": "The first day counted, where the month is not whole."}
    )
    figures = fields.Dict(keys=fields.String(), required=True, metadata=_FIGURES)


class ReturnReceipt(Shown):
    """A revision is here. ``ack`` is the head's signature of that: a compact JWS of the same, its ids and the instant."""

    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    month = text(required=True, metadata={"example": "2026-10"})
    revision = fields.Integer(required=True)
    digest = text(required=True)
    ack = text(required=True)


class NetworkMember(Shown):
    """A lieu of the network: ``id`` is its UUID, None where it has none."""

    id = text(required=True, allow_none=True, metadata={"format": "uuid"})
    name = text(required=True)
    city = text(required=True, allow_none=True)
    code_insee = text(required=True, allow_none=True)


class ReturnDoubt(Shown):
    """Why a figure is improbable: its value, and the usual one or the bound that it was measured by."""

    code = text(required=True)
    field = text(required=True)
    value = fields.Integer(required=True)
    usual = fields.Integer(required=True)


class NetworkReturn(Shown):
    """The highest revision of one lieu's month. ``way``: ``software`` (signed) or ``link`` (six figures typed in).

    ``set_aside``: why the network head leaves it out of ``aggregate``; null: it counts. ``counted_from``: the first day
    counted, where the lieu was not there from the first of the month on; null: all of it.
    """

    lieu = fields.Nested(NetworkMember, required=True)
    month = text(required=True)
    revision = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    reason = text(required=True, allow_none=True)
    digest = text(required=True)
    way = fields.String(required=True, metadata={"enum": ["software", "link"]})
    received_at = instant(required=True)
    doubts = fields.List(fields.Nested(ReturnDoubt), required=True)
    set_aside = text(required=True, allow_none=True)
    counted_from = text(required=True, allow_none=True, metadata={"format": "date"})
    figures = fields.Dict(keys=fields.String(), required=True, metadata=_FIGURES)


class NetworkReturns(Page):
    """``aggregate`` is the network's own ``network-return/1``: members, sums, numerators and denominators.

    ``missing``: lieux whose figures of the month are awaited and not here.
    """

    items = fields.List(fields.Nested(NetworkReturn), required=True)
    missing = fields.Integer(required=True)
    aggregate = fields.Dict(keys=fields.String(), required=True)
