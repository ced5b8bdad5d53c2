"""Records that may be one person."""

from __future__ import annotations

from marshmallow import fields, validate

from coworking.accounts.twin_rules import EMAIL, FIELDS, NAME, PHONE
from coworking.api.fields import NOT_A_LIST, NULL, OUT_OF_BOUNDS, OneOf, StrictSchema, Text
from coworking.api.schemas.common import Page, Shown, choice, instant, text
from coworking.api.schemas.people import PersonRef


class TwinPairRef(Shown):
    """``reasons``: the same mailbox, telephone or words of a name."""

    one = fields.Nested(PersonRef, required=True)
    other = fields.Nested(PersonRef, required=True)
    reasons = fields.List(choice(EMAIL, PHONE, NAME), required=True)


class PossibleTwins(Page):
    total = fields.Integer(required=True)
    items = fields.List(fields.Nested(TwinPairRef), required=True)


class TwoRecords(Shown):
    one_id = text(required=True)
    other_id = text(required=True)


class RecordOfSomebody(Shown):
    """What hangs on a record. ``plans``: those that run; ``left``: packs and what else something is left of."""

    person = fields.Nested(PersonRef, required=True)
    is_open = fields.Boolean(required=True)
    bookings_to_come = fields.Integer(required=True)
    bookings_past = fields.Integer(required=True)
    days_here = fields.Integer(required=True)
    last_day_here = fields.Date(required=True, allow_none=True)
    plans = fields.List(fields.String(), required=True)
    left = fields.List(fields.String(), required=True)
    member_until = fields.Date(required=True, allow_none=True)
    employers = fields.List(fields.String(), required=True)
    invoices = fields.Integer(required=True)
    owed_cents = fields.Integer(required=True)
    credit_cents = fields.Integer(required=True)
    has_card = fields.Boolean(required=True)
    accepted_texts = fields.Integer(required=True)
    last_signed_in_at = instant(required=True, allow_none=True)


class DifferingField(Shown):
    """``is_taken``: the record that stays takes it in any case, because it says nothing itself; ``may_take``: it can."""

    name = choice(*FIELDS)
    kept = text(required=True, allow_none=True)
    gone = text(required=True)
    may_take = fields.Boolean(required=True)
    is_taken = fields.Boolean(required=True)


class MergeDirection(Shown):
    """``first``: what must be done before, in words; ``seen``: to send with the merge."""

    kept_id = text(required=True)
    gone_id = text(required=True)
    first = fields.List(fields.String(), required=True)
    differing = fields.List(fields.Nested(DifferingField), required=True)
    seen = text(required=True)


class Comparison(Shown):
    records = fields.List(fields.Nested(RecordOfSomebody), required=True)
    directions = fields.List(fields.Nested(MergeDirection), required=True)


class Merging(StrictSchema):
    """``gone_id``: the record that goes; ``take``: what the one that stays takes from it instead of its own."""

    gone_id = Text(required=True, metadata={"example": "p3mq2v9xw4tdz3hb"})
    take = fields.List(
        OneOf(*FIELDS),
        load_default=(),
        validate=validate.Length(0, len(FIELDS), error=OUT_OF_BOUNDS),
        error_messages={"invalid": NOT_A_LIST, "null": NULL},
    )
    seen = Text(required=True)
