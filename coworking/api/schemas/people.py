"""People: as staff add them, and as they are shown."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from coworking.accounts.rules import STATUSES
from coworking.api.fields import OneOf, StrictSchema, Text, Truth
from coworking.api.schemas.common import Page, Shown, choice, instant, text
from coworking.core.errors import N_

NO_FIGURE = N_("Give status, commune or both.")


class NewPerson(StrictSchema):
    first_name = Text(most=80, required=True)
    last_name = Text(most=80, load_default="")
    email = Text(most=254, load_default="")
    phone = Text(most=32, load_default="")
    invite = Truth(load_default=False)


class Figures(StrictSchema):
    """``status`` and ``commune`` (where the person lives) are for the figures alone; empty text: not said. What is left out
    stays."""

    status = OneOf("", *STATUSES)
    commune = Text(most=120, metadata={"example": "Felletin"})

    @validates_schema
    def _something(self, data: dict[str, Any], **_options: Any) -> None:
        if not data:
            raise ValidationError(NO_FIGURE, "status")


class PersonRef(Shown):
    id = text(required=True)
    name = text(required=True)


class Person(Shown):
    id = text(required=True)
    first_name = text(required=True)
    last_name = text(required=True)
    email = text(required=True, allow_none=True)
    phone = text(required=True, allow_none=True)
    status = choice(*STATUSES)
    commune = text(required=True, allow_none=True)
    created_at = instant(required=True)


class People(Page):
    items = fields.List(fields.Nested(Person), required=True)
