"""Reading payers: whom a charge can be for, and who receives a document."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select

from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.billing import rules
from coworking.billing.means_models import SavedMeans
from coworking.billing.models import Charge, Invoice
from coworking.core.db import db
from coworking.core.search import folded
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class Receiver:
    """The address that a document is sent to, and the language of the e-mail."""

    email: str
    locale: str


def receiver_of(row: Invoice | Charge | SavedMeans) -> Receiver | None:
    """Who gets the document of ``row``'s payer: an organisation's own address, else its contact; None: by hand."""
    organisation, person = row.payer_organisation, row.payer_person
    if organisation is not None:
        if organisation.email:
            return Receiver(organisation.email, "fr")
        person = contact_of(organisation, spaces.today())
    if person is None or person.email is None or not person.is_active:
        return None
    return Receiver(person.email, person.locale)


def receivers_of(rows: Sequence[Invoice]) -> dict[int, Receiver | None]:
    """`receiver_of` for many documents at once, by their ids (at most 3 statements)."""
    people = {row.payer_person_id for row in rows} - {None}
    organisations = {row.payer_organisation_id for row in rows} - {None}
    held: list[object] = []  # the session forgets what nobody holds; the documents find their payers there
    if people:
        held += db.session.scalars(select(Person).where(Person.id.in_(people))).unique()
    contacts: dict[int, Person] = {}
    if organisations:
        held += db.session.scalars(select(Organisation).where(Organisation.id.in_(organisations)))
        contacts = _contacts_of(organisations, spaces.today())
    found: dict[int, Receiver | None] = {}
    for row in rows:
        organisation = row.payer_organisation
        if organisation is None or organisation.email:
            found[row.id] = receiver_of(row)
        else:
            person = contacts.get(organisation.id)
            found[row.id] = None if person is None else Receiver(str(person.email), person.locale)
    return found


def payers() -> list[tuple[str, str]]:
    """Everyone a line can be added for: (value, name), organisations first. Values: ``o:`` or ``p:`` and a public id."""
    organisations = db.session.execute(
        select(Organisation.public_id, Organisation.name).order_by(folded(Organisation.name))
    )
    people = db.session.scalars(
        select(Person)
        .where(Person.deactivated_at.is_(None))
        .order_by(folded(Person.last_name), folded(Person.first_name), Person.id)
    ).unique()
    return [(f"o:{public}", name) for public, name in organisations] + [(f"p:{p.public_id}", p.name) for p in people]


def payer_ids(value: str) -> tuple[int | None, int | None]:
    """(person id, organisation id), one of them None, for a value of `payers`; raises `PayerUnknown`."""
    kind, _colon, public = value.partition(":")
    model = {"o": Organisation, "p": Person}.get(kind)
    found = None if model is None else db.session.scalar(select(model.id).where(model.public_id == public))
    if found is None:
        raise rules.PayerUnknown()
    return (None, found) if kind == "o" else (found, None)


def payer_name(value: str) -> str:
    """The name of a payer by a value of `payers`; raises `PayerUnknown`."""
    person_id, organisation_id = payer_ids(value)
    payer = db.session.get_one(Person, person_id) if person_id else db.session.get_one(Organisation, organisation_id)
    return payer.name


def payer_value(row: Invoice | Charge) -> str:
    """The value of `payers` for whoever pays ``row``."""
    if row.payer_organisation is not None:
        return f"o:{row.payer_organisation.public_id}"
    assert row.payer_person is not None, "exactly one pays"
    return f"p:{row.payer_person.public_id}"


def contact_of(organisation: Organisation, on: date) -> Person | None:
    """The member who gets its e-mails when it has no address of its own."""
    return _contacts_of([organisation.id], on).get(organisation.id)


def _contacts_of(organisations: Collection[int | None], on: date) -> dict[int, Person]:
    rows = db.session.execute(
        select(OrganisationMember.organisation_id, Person)
        .join(Person, OrganisationMember.person_id == Person.id)
        .where(
            OrganisationMember.organisation_id.in_(organisations),
            OrganisationMember.is_contact,
            OrganisationMember.since <= on,
            or_(OrganisationMember.until.is_(None), OrganisationMember.until >= on),
            Person.email.is_not(None),
            Person.deactivated_at.is_(None),
        )
        .order_by(OrganisationMember.id.desc())
    ).unique()
    return {organisation_id: person for organisation_id, person in rows}  # noqa: C416 - a result is no pair of types
