"""Organisations that pay for people: their people, invitations and agreements."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from coworking.accounts.organisation_rules import domain_of
from coworking.api.fields import Day, Month, Number, Numbers, OneOf, ReadText, StrictSchema, Text, TextLines, Truth
from coworking.api.schemas.common import Page, Shown, choice, instant, text
from coworking.api.schemas.people import PersonRef
from coworking.core.errors import N_
from coworking.core.reading import email_of, postcode_of, siren_of, siret_of, vat_number_of
from coworking.membership.agreement_rules import BEYOND, CAP_OF
from coworking.membership.forms import MOST_HALFDAYS

_MOST_CENTS = 99_999_999
NO_DETAIL = N_("Give at least one detail.")
_A_DAY = {"example": "2026-12-31"}


class MaybeMonthQuery(StrictSchema):
    month = Month(metadata={"example": "2026-11"})


class OrganisationInList(Shown):
    """``domain``: whoever confirmed an address there may join it. What follows is for its invoices, and null for its
    contact: managers alone read it."""

    id = text(required=True)
    name = text(required=True)
    domain = text(required=True, allow_none=True)
    siren = text(required=True, allow_none=True)
    siret = text(required=True, allow_none=True)
    vat_number = text(required=True, allow_none=True)
    email = text(required=True, allow_none=True)
    address = text(required=True, allow_none=True)
    postcode = text(required=True, allow_none=True)
    city = text(required=True, allow_none=True)
    service_code = text(required=True, allow_none=True)
    is_public = fields.Boolean(required=True, allow_none=True)


class PayingOrganisation(OrganisationInList):
    """The same, by itself."""


class PayingOrganisations(Page):
    items = fields.List(fields.Nested(OrganisationInList), required=True)


class OrganisationDetails(StrictSchema):
    """What is left out stays; empty text: nothing. ``siren``: left out beside a ``siret``, it is the one of it. ``domain``:
    whoever confirmed an address there may join the organisation."""

    name = Text(most=120, least=1)
    siren = ReadText(siren_of, metadata={"example": "552100554"})
    siret = ReadText(siret_of, metadata={"example": "55210055400013"})
    vat_number = ReadText(vat_number_of)
    email = ReadText(email_of, most=254)
    address = TextLines(most=300)
    postcode = ReadText(postcode_of, metadata={"example": "63300"})
    city = Text(most=120)
    service_code = Text(most=100)
    is_public = Truth()
    domain = ReadText(domain_of, most=254, metadata={"example": "durand.example"})

    @validates_schema
    def _something(self, data: dict[str, Any], **_options: Any) -> None:
        if not data:
            raise ValidationError(NO_DETAIL, "name")


class NewOrganisation(OrganisationDetails):
    name = Text(most=120, least=1, required=True, metadata={"example": "Coutellerie Durand SA"})


class PaidDay(Shown):
    day = fields.Date(required=True)
    halfdays = fields.Integer(required=True)


class PaidPerson(Shown):
    """What an employer sees of one of its people in a month: half-days it paid up to yesterday (``used``) and may still be
    asked for (``left``; null: no limit of half-days, or nothing to ask any more). ``dates``: where the person agreed to show
    them, else null."""

    person = fields.Nested(PersonRef, required=True)
    is_contact = fields.Boolean(required=True)
    since = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)
    used = fields.Integer(required=True)
    left = fields.Integer(required=True, allow_none=True)
    dates = fields.List(fields.Nested(PaidDay), required=True, allow_none=True)


class PaidPeople(Page):
    month = text(required=True, metadata={"example": "2026-11"})
    items = fields.List(fields.Nested(PaidPerson), required=True)


class NewBelonging(StrictSchema):
    person_id = Text(required=True, metadata={"example": "k7mq2v9xw4tdz3hb"})
    since = Day(required=True, metadata={"example": "2026-12-01"})
    until = Day(metadata=_A_DAY)
    is_contact = Truth(load_default=False)


class Ending(StrictSchema):
    """``last_day``: the last day that counts."""

    last_day = Day(required=True, metadata=_A_DAY)


class Belonging(Shown):
    """Somebody belongs to an organisation from ``since`` to ``until``, both counted; null: without end."""

    person = fields.Nested(PersonRef, required=True)
    is_contact = fields.Boolean(required=True)
    since = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)


class NewInvitation(StrictSchema):
    email = Text(most=254, required=True, metadata={"example": "anne@demo.example"})
    as_contact = Truth(load_default=False)


class OrganisationInvitation(Shown):
    """An address that was asked to belong to an organisation. Nothing says whether there is an account."""

    id = text(required=True)
    email = text(required=True)
    as_contact = fields.Boolean(required=True)
    invited_at = instant(required=True)
    ends_at = instant(required=True)
    withdrawn_at = instant(required=True, allow_none=True)


class OrganisationInvitations(Page):
    items = fields.List(fields.Nested(OrganisationInvitation), required=True)


class NewAgreement(StrictSchema):
    """What is left out does not limit. ``weekdays``: 1 is Monday, 7 Sunday; ``cap_cents``: at most so much in a month, for
    each ``person`` or for the whole ``organisation`` (``cap_of``); ``share_percent``: how much of each price it pays;
    ``beyond``: what follows where a limit is reached; ``halfday_cents``: the price agreed, else the tariff's. Cents are in
    the basis of the tariff."""

    valid_from = Day(required=True, metadata={"example": "2026-12-01"})
    valid_until = Day(metadata=_A_DAY)
    weekdays = Numbers(1, 7, most_of=7)
    days_per_week = Number(1, 6)
    halfdays_per_month = Number(1, MOST_HALFDAYS)
    cap_cents = Number(1, _MOST_CENTS)
    cap_of = OneOf(*CAP_OF, load_default="person")
    share_percent = Number(1, 100, load_default=100)
    pays_rooms = Truth(load_default=False)
    halfday_cents = Number(0, _MOST_CENTS)
    beyond = OneOf(*BEYOND, load_default="person")
    order_number = Text(most=60)


class NewOrderNumber(StrictSchema):
    """``order_number`` left out: the next invoices carry none."""

    order_number = Text(most=60, metadata={"example": "BC-2026-118"})


class AgreementTerms(Shown):
    """What an organisation agreed to pay, see the request that makes one; ``weekdays`` null: every day.

    ``spent_cents``: what it cost in the month asked for, up to yesterday; ``forecast_cents``: what the running month may
    come to, null where it is too early to say.
    """

    id = text(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    weekdays = fields.List(fields.Integer(), required=True, allow_none=True)
    days_per_week = fields.Integer(required=True, allow_none=True)
    halfdays_per_month = fields.Integer(required=True, allow_none=True)
    cap_cents = fields.Integer(required=True, allow_none=True)
    cap_of = choice(*CAP_OF)
    share_percent = fields.Integer(required=True)
    pays_rooms = fields.Boolean(required=True)
    halfday_cents = fields.Integer(required=True, allow_none=True)
    beyond = choice(*BEYOND)
    order_number = text(required=True, allow_none=True)
    price_basis = choice("ttc", "ht")
    spent_cents = fields.Integer(required=True)
    forecast_cents = fields.Integer(required=True, allow_none=True)


class AgreementList(Page):
    month = text(required=True, metadata={"example": "2026-11"})
    items = fields.List(fields.Nested(AgreementTerms), required=True)
