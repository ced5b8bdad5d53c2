"""Reading an assignment as managers type it."""

from __future__ import annotations

from coworking.accounts import queries as accounts
from coworking.accounts.models import Organisation, Person
from coworking.core.errors import NotFound
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.reading import day_of, number_of
from coworking.core.search import fold
from coworking.pricing import forms as pricing
from coworking.residents.rules import MIN_MONTHS, NOTICE_MONTHS
from coworking.residents.services import Assigning

FIELDS = (
    "place",
    "who",
    "chosen",
    "first_day",
    "last_day",
    "monthly",
    "basis",
    "vat_rate",
    "parts",
    "min_months",
    "notice_months",
)
"""The inputs that go with an assignment from its form to the page that says what it comes to."""


def read_assigning(form: Form, *, taxable: bool) -> tuple[Assigning, Person | Organisation | None]:
    """What is to be assigned and to whom, to be used only where the form is good."""
    who = read_resident(form)
    person, organisation = (who, None) if isinstance(who, Person) else (None, who)
    return (
        Assigning(
            place=form.text("place", most=40),
            first_day=form.day("first_day"),
            monthly_cents=pricing.cents(form, "monthly", required=True) or 0,
            person=person.public_id if person is not None else None,
            organisation=organisation.public_id if organisation is not None else None,
            last_day=form.maybe("last_day", day_of),
            basis=pricing.basis(form, taxable=taxable),
            vat_rate_bp=pricing.vat_rate(form, taxable=taxable),
            is_prorata=form.choice("parts", ("days", "whole")) == "days",
            min_months=form.maybe("min_months", number_of, MIN_MONTHS[0], MIN_MONTHS[-1]),
            notice_months=form.integer("notice_months", NOTICE_MONTHS[0], NOTICE_MONTHS[-1]),
        ),
        who,
    )


def read_resident(form: Form) -> Person | Organisation | None:
    """Whom ``who`` names: an organisation by its whole name, a person by address or name. ``chosen`` says it for certain
    where one came from a page of theirs (``o:`` or ``p:`` and the public id), as long as the name was not changed."""
    text = form.text("who", most=254)
    found = _chosen(form.raw("chosen"))
    if not text or (found is not None and found.name == text):
        return found if text else None
    organisations = [one for one in accounts.every_organisation(text) if fold(one.name) == fold(text)]
    if organisations:
        return organisations[0]
    person = accounts.person_by_email(text.lower())
    people = [person] if person is not None else accounts.search_people(text, 2)
    others = accounts.every_organisation(text)
    if len(people) + len(others) > 1:
        form.refuse("who", _("Several people or organisations match. Write the whole name or the e-mail address."))
    elif not people and not others:
        form.refuse("who", _("No person and no organisation of that name or address is on the list."))
    return (people or others or [None])[0]


def _chosen(text: str) -> Person | Organisation | None:
    kind, _colon, public_id = text.partition(":")
    try:
        if kind == "o":
            return accounts.organisation_by_public_id(public_id)
        return accounts.person_by_public_id(public_id) if kind == "p" else None
    except NotFound:
        return None


def chosen_of(who: Person | Organisation | None) -> str:
    """What `read_resident` reads again."""
    return "" if who is None else f"{'p' if isinstance(who, Person) else 'o'}:{who.public_id}"
