"""People: as staff add them, and as they are shown."""

from __future__ import annotations

from marshmallow import fields

from coworking.api.fields import StrictSchema, Text, Truth
from coworking.api.schemas.common import Page, Shown, instant, text


class NewPerson(StrictSchema):
    first_name = Text(most=80, required=True)
    last_name = Text(most=80, load_default="")
    email = Text(most=254, load_default="")
    phone = Text(most=32, load_default="")
    invite = Truth(load_default=False)


class PersonRef(Shown):
    id = text(required=True)
    name = text(required=True)


class Person(Shown):
    id = text(required=True)
    first_name = text(required=True)
    last_name = text(required=True)
    email = text(required=True, allow_none=True)
    phone = text(required=True, allow_none=True)
    created_at = instant(required=True)


class People(Page):
    items = fields.List(fields.Nested(Person), required=True)
