"""Terms and house rules, who accepted them, and what people agree to besides."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from coworking.accounts.terms_rules import KINDS, MOST_CHARACTERS
from coworking.api.fields import (
    NOT_A_LIST,
    NULL,
    OUT_OF_BOUNDS,
    REQUIRED,
    Day,
    OneOf,
    StrictSchema,
    Text,
    TextLines,
    Truth,
)
from coworking.api.schemas.common import Page, Shown, choice, instant, text
from coworking.core.errors import N_

CONSENTS = ("colleagues", "employer_dates")
WHICH_ORGANISATION = N_("Say for which organisation; colleagues belong to none.")


class NewHouseText(StrictSchema):
    """``kind``: the general ``terms`` or the house ``rules``. ``text``: a line that begins with ``#`` is a heading, with
    ``-`` a point. ``news``: what is new in it, for those who accepted an earlier one."""

    kind = OneOf(*KINDS, required=True)
    from_day = Day(required=True, metadata={"example": "2026-12-01"})
    text = TextLines(most=MOST_CHARACTERS, required=True)
    news = TextLines(most=2000, load_default="")


class HouseTextRef(Shown):
    id = text(required=True, metadata={"example": "rules-2026-12-01"})
    kind = text(required=True, metadata={"enum": [*KINDS]})
    from_day = fields.Date(required=True)


class HouseTextHead(HouseTextRef):
    """A version. It holds from ``from_day`` until the next of its kind; ``in_force``: today."""

    in_force = fields.Boolean(required=True)


class ShownHouseTexts(Page):
    items = fields.List(fields.Nested(HouseTextHead), required=True)


class ShownHouseText(HouseTextHead):
    text = fields.String(required=True)
    news = fields.String(required=True, allow_none=True)


class Acceptance(StrictSchema):
    """``text_ids``: the versions that were read."""

    text_ids = fields.List(
        Text(),
        required=True,
        validate=validate.Length(1, len(KINDS), error=OUT_OF_BOUNDS),
        error_messages={"invalid": NOT_A_LIST, "required": REQUIRED, "null": NULL},
    )


class SignedOnPaper(StrictSchema):
    signed_on = Day(required=True, metadata={"example": "2026-11-24"})


class NewConsentOfSomebody(StrictSchema):
    given = Truth(required=True)


class NewConsent(NewConsentOfSomebody):
    """``colleagues`` see when one comes; ``employer_dates``: an organisation sees the dates that it pays."""

    kind = OneOf(*CONSENTS, required=True)
    organisation_id = Text()

    @validates_schema
    def _which(self, data: dict[str, Any], **_options: Any) -> None:
        if (data.get("kind") == "employer_dates") != bool(data.get("organisation_id")):
            raise ValidationError(WHICH_ORGANISATION, "organisation_id")


class AcceptedText(HouseTextRef):
    """``way``: ``online`` by the person, or on ``paper`` that ``written_by`` has seen."""

    way = choice("online", "paper")
    agreed_on = fields.Date(required=True)
    written_by = text(required=True, allow_none=True)


class NamedOrganisation(Shown):
    id = text(required=True)
    name = text(required=True)


class ConsentState(Shown):
    """``since``: of the change that said so; null: it was so before changes were kept."""

    kind = choice(*CONSENTS)
    organisation = fields.Nested(NamedOrganisation, required=True, allow_none=True)
    given = fields.Boolean(required=True)
    since = instant(required=True, allow_none=True)


class ConsentNote(Shown):
    kind = choice(*CONSENTS)
    organisation = fields.Nested(NamedOrganisation, required=True, allow_none=True)
    given = fields.Boolean(required=True)
    said_at = instant(required=True)
    said_by = text(required=True, allow_none=True)


class Agreements(Shown):
    """``waiting``: versions in force that were not accepted yet. ``changes``: of consents, the latest first."""

    waiting = fields.List(fields.Nested(HouseTextRef), required=True)
    accepted = fields.List(fields.Nested(AcceptedText), required=True)
    consents = fields.List(fields.Nested(ConsentState), required=True)
    changes = fields.List(fields.Nested(ConsentNote), required=True)
