"""Organisations and who belongs to them: for managers, and for an organisation's contact what says so. Each public
function is one unit of work."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from coworking.accounts import access, emails, queries
from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.accounts.organisation_rules import DomainTaken, numbers_after
from coworking.accounts.rules import AlreadyMember, DatesCross, EndsInThePast, LastContact, OrganisationTaken
from coworking.core import audit, place
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.timespan import local_date
from coworking.core.units import locked, require_unit, write_unit

FIELDS = (
    "name", "siren", "siret", "vat_number", "email", "address", "postcode", "city", "service_code", "is_public", "domain",
)  # fmt: skip


def create_organisation(actor: Actor, values: dict[str, Any]) -> Organisation:
    """Add an organisation; ``values`` by `FIELDS`. Raises `OrganisationTaken`, `DomainTaken`, `SiretOfAnother`."""
    with write_unit() as unit:
        organisation = add_organisation(actor, values | numbers_after(values, None, None))
        unit.result = organisation.public_id
    return organisation


def add_organisation(actor: Actor, values: dict[str, Any]) -> Organisation:
    """The same inside the caller's unit."""
    require_unit()
    _check_manager(actor)
    organisation = Organisation(**{name: values[name] for name in FIELDS if name in values})
    db.session.add(organisation)
    _flush()
    audit.record(actor, "organisation.created", ("organisation", organisation.id))
    return organisation


def update_organisation(actor: Actor, public_id: str, values: dict[str, Any]) -> Organisation:
    """Change those of its details on invoices that ``values`` names.

    Raises `NotFound`, `OrganisationTaken`, `DomainTaken` or `SiretOfAnother`.
    """
    _check_manager(actor)
    with write_unit() as unit:
        unit.result = public_id
        held = _locked(public_id)
        return change_organisation(actor, public_id, values | numbers_after(values, held.siren, held.siret))


def change_organisation(actor: Actor, public_id: str, values: dict[str, Any]) -> Organisation:
    """The same inside the caller's unit."""
    require_unit()
    _check_manager(actor)
    organisation = _locked(public_id)
    changed = [name for name in FIELDS if name in values and getattr(organisation, name) != values[name]]
    for name in changed:
        setattr(organisation, name, values[name])
    if changed:
        _flush()
        audit.record(actor, "organisation.changed", ("organisation", organisation.id), fields=changed)
    return organisation


def add_member(
    actor: Actor, public_id: str, person: str, *, since: date, until: date | None = None, is_contact: bool = False
) -> OrganisationMember:
    """Someone belongs to the organisation from ``since`` to ``until`` inclusive. Raises `AlreadyMember`, `DatesCross`."""
    with write_unit() as unit:
        unit.result = person
        return join(actor, public_id, person, since=since, until=until, is_contact=is_contact)


def join(
    actor: Actor, public_id: str, person: str, *, since: date, until: date | None = None, is_contact: bool = False
) -> OrganisationMember:
    """The same inside the caller's unit."""
    require_unit()
    _check_manager(actor)
    if until is not None and until < since:
        raise DatesCross()
    organisation = _locked(public_id)
    who = access.by_public_id(person)
    if who is None:
        raise NotFound(field="person")
    crossing = select(OrganisationMember.id).where(
        OrganisationMember.organisation_id == organisation.id,
        OrganisationMember.person_id == who.id,
        or_(OrganisationMember.until.is_(None), OrganisationMember.until >= since),
    )
    if until is not None:
        crossing = crossing.where(OrganisationMember.since <= until)
    if db.session.scalar(crossing.limit(1)) is not None:
        raise AlreadyMember(name=who.name)
    member = OrganisationMember(
        organisation_id=organisation.id, person_id=who.id, since=since, until=until, is_contact=is_contact
    )
    db.session.add(member)
    db.session.flush()
    audit.record(
        actor,
        "organisation.joined",
        ("organisation", organisation.id),
        person_id=who.id,
        since=since.isoformat(),
    )
    return member


def end_member(actor: Actor, public_id: str, member_id: int, last_day: date) -> None:
    """Someone belongs to the organisation until ``last_day``; half-days already booked stay paid as they were quoted.

    For managers and the organisation's contact, who ends nothing in the past (`EndsInThePast`). Raises `DatesCross`,
    `LastContact`, and `NotFound` also for who belongs to it no longer: nobody is brought back by a later last day.
    """
    with write_unit() as unit:
        organisation = _locked(public_id)
        today = local_date(now(), place.clock())
        if not actor.has(Role.MANAGER):
            check_contact(actor, organisation, today)
            if last_day < today:
                raise EndsInThePast()
        member = db.session.scalar(
            select(OrganisationMember).where(
                OrganisationMember.id == member_id,
                OrganisationMember.organisation_id == organisation.id,
                or_(OrganisationMember.until.is_(None), OrganisationMember.until >= today),
            )
        )
        if member is None:
            raise NotFound()
        person = db.session.scalars(locked(select(Person).where(Person.id == member.person_id))).unique().one()
        if last_day < member.since:
            raise DatesCross()
        if member.person_id == actor.person_id and member.is_contact and not actor.has(Role.MANAGER):
            _check_another_contact(organisation, member, today)
        member.until, unit.result = last_day, person.public_id
        if person.id != actor.person_id:
            emails.enqueue_ended(organisation, person, member.id, last_day)
        audit.record(
            actor,
            "organisation.left",
            ("organisation", organisation.id),
            person_id=member.person_id,
            until=last_day.isoformat(),
        )


def check_contact(actor: Actor, organisation: Organisation, on: date) -> None:
    """Raise `NotFound` unless ``actor`` is the organisation's contact that day: for others it does not exist."""
    mine = queries.contact_of(actor.person_id, on).where(OrganisationMember.organisation_id == organisation.id)
    if db.session.scalar(mine.limit(1)) is None:
        raise NotFound()


def _check_another_contact(organisation: Organisation, member: OrganisationMember, on: date) -> None:
    other = select(OrganisationMember.id).where(
        OrganisationMember.organisation_id == organisation.id,
        OrganisationMember.id != member.id,
        OrganisationMember.is_contact,
        OrganisationMember.since <= on,
        or_(OrganisationMember.until.is_(None), OrganisationMember.until > on),
    )
    if db.session.scalar(other.limit(1)) is None:
        raise LastContact()


def _locked(public_id: str) -> Organisation:
    found = db.session.scalar(locked(select(Organisation).where(Organisation.public_id == public_id)))
    if found is None:
        raise NotFound()
    return found


def _check_manager(actor: Actor) -> None:
    if not actor.has(Role.MANAGER):
        raise Forbidden()


def _flush() -> None:
    """Write now: of two who take one name at once only the database can tell them apart."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if "domain" in str(error.orig):
            raise DomainTaken() from error
        if "name" in str(error.orig):
            raise OrganisationTaken() from error
        raise
