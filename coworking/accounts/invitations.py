"""How people come to belong to an organisation by themselves: invited by its contact or a manager, or by their address.

Whoever invites learns nothing of the address: not whether there is an account, nor whether it belongs here already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from coworking.accounts import access, devices, emails, organisation_rules, organisations, rules, terms, tokens
from coworking.accounts.devices import Browser, Halfway, SignedIn
from coworking.accounts.models import Organisation, OrganisationInvitation, OrganisationMember, Person
from coworking.core import audit, place
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Gone, NotFound, SignInRequired
from coworking.core.i18n import language
from coworking.core.policy import Actor, Role
from coworking.core.reading import email_of
from coworking.core.sql import inserted
from coworking.core.timespan import local_date
from coworking.core.units import locked, write_unit

LASTS = timedelta(days=14)
MOST_OPEN = 100
"""How many of an organisation may be open at once: nobody sends bulk mail through us."""


def invite(actor: Actor, public_id: str, email: str, *, as_contact: bool = False) -> OrganisationInvitation:
    """Ask ``email`` by e-mail to belong to the organisation; asking again sends it again and lets it last longer.

    For its contact and managers; `NotFound` for others. Raises `EmailInvalid`, `TooManyInvitations`.
    """
    email = email_of(email)
    with write_unit() as unit:
        organisation = _spoken_for(actor, public_id)
        row = db.session.scalar(locked(select(OrganisationInvitation).where(*_waiting(organisation), _to(email))))
        if row is not None and not row.is_open:
            row.withdrawn_at, row = now(), None
            db.session.flush()
        if row is None:
            _check_few(organisation)
            row = OrganisationInvitation(organisation_id=organisation.id, email=email, invited_by_id=actor.person_id)
            db.session.add(row)
        row.as_contact, row.ends_at = row.as_contact or as_contact, now() + LASTS
        db.session.flush()
        emails.enqueue_invitation(row)
        audit.record(actor, "organisation.invited", ("organisation", organisation.id), as_contact=as_contact)
        unit.result = row.public_id
    return row


def withdraw(actor: Actor, public_id: str, invitation: str) -> OrganisationInvitation:
    """Its link works no longer; twice is fine. For the organisation's contact and managers."""
    with write_unit() as unit:
        unit.result = invitation
        organisation = _spoken_for(actor, public_id)
        row = db.session.scalar(
            locked(
                select(OrganisationInvitation).where(
                    OrganisationInvitation.public_id == invitation,
                    OrganisationInvitation.organisation_id == organisation.id,
                )
            )
        )
        if row is None:
            raise NotFound()
        if row.accepted_at is None and row.withdrawn_at is None:
            row.withdrawn_at = now()
            audit.record(actor, "organisation.uninvited", ("organisation", organisation.id))
    return row


def open_invitations(organisation: Organisation) -> Sequence[OrganisationInvitation]:
    """Those that can still be accepted, the latest first."""
    return db.session.scalars(
        select(OrganisationInvitation)
        .where(*_waiting(organisation), OrganisationInvitation.ends_at > now())
        .order_by(OrganisationInvitation.id.desc())
    ).all()


def by_public_id(public_id: str) -> OrganisationInvitation:
    """The invitation, whatever became of it; raises `NotFound`."""
    row = db.session.scalar(select(OrganisationInvitation).where(OrganisationInvitation.public_id == public_id))
    if row is None:
        raise NotFound()
    return row


def read(token: str) -> OrganisationInvitation:
    """The invitation that the link of an e-mail is for; raises `Gone` when it is used, withdrawn or over."""
    public_id = tokens.read_change(token, tokens.EMPLOYER)
    row = db.session.scalar(select(OrganisationInvitation).where(OrganisationInvitation.public_id == public_id))
    if row is None or not row.is_open:
        raise Gone()
    return row


def accept(
    token: str,
    actor: Actor | None,
    *,
    first_name: str = "",
    last_name: str = "",
    shown: Collection[str] = (),
    browser: Browser | None = None,
) -> SignedIn | Halfway | None:
    """Belong to the organisation from today on, once.

    ``actor``: who is signed in; the invitation must be for their address (`InvitationOfAnother`). A visitor gets an account
    by it, under the name given, and is signed in: only the address's reader has the link. Where the address has an account
    they sign in first (`SignInRequired`). ``shown``: the versions of terms and house rules that they accept with it; raises
    `TextsChanged` where these are not all that waits for them. Raises `Gone`.
    """
    public_id = read(token).public_id
    with write_unit():
        row = _locked(public_id)
        if row is None or not row.is_open:
            raise Gone()
        signed_in = None
        person = access.by_email(row.email)
        if actor is not None:
            if person is None or person.id != actor.person_id or not person.is_active:
                raise organisation_rules.InvitationOfAnother(email=row.email)
            if not person.may_book:
                raise rules.NotConfirmedYet()
            terms.check_shown(shown, person.id)
        elif person is not None:
            raise SignInRequired()
        else:
            terms.check_shown(shown)
            person = _new_person(row.email, first_name, last_name)
            signed_in = devices.sign_in(person, browser or Browser())
        terms.accept_shown(person.id, shown)
        row.accepted_at, row.person_id = now(), person.id
        _belong(person, row.organisation_id, as_contact=row.as_contact)
    return signed_in


def may_join(person: Person) -> Organisation | None:
    """The organisation that ``person`` may join by their confirmed address; never one they belonged to before: whom its
    contact ended comes back by an invitation only (at most 1 statement)."""
    if person.email is None or person.email_confirmed_at is None or not person.is_active:
        return None
    ever = select(OrganisationMember.id).where(
        OrganisationMember.organisation_id == Organisation.id, OrganisationMember.person_id == person.id
    )
    return db.session.scalar(
        select(Organisation).where(Organisation.domain == person.email.rpartition("@")[2], ~ever.exists())
    )


def join_by_address(actor: Actor, public_id: str) -> None:
    """Belong to the organisation of one's e-mail address from today on; raises `NotFound` where `may_join` says no."""
    with write_unit():
        organisation = db.session.scalar(locked(select(Organisation).where(Organisation.public_id == public_id)))
        person = access.oneself(actor)
        if organisation is None or may_join(person) is not organisation:
            raise NotFound()
        _belong(person, organisation.id, as_contact=False)


def _spoken_for(actor: Actor, public_id: str) -> Organisation:
    """The organisation, locked, for its contact of today and for managers."""
    organisation = db.session.scalar(locked(select(Organisation).where(Organisation.public_id == public_id)))
    if organisation is None:
        raise NotFound()
    if not actor.has(Role.MANAGER):
        organisations.check_contact(actor, organisation, _today())
    return organisation


def _locked(public_id: str) -> OrganisationInvitation | None:
    """The invitation, locked after its organisation."""
    this = OrganisationInvitation.public_id == public_id
    employer = select(OrganisationInvitation.organisation_id).where(this).scalar_subquery()
    db.session.scalars(locked(select(Organisation).where(Organisation.id == employer))).one_or_none()
    return db.session.scalar(locked(select(OrganisationInvitation).where(this)))


def _waiting(organisation: Organisation) -> tuple[ColumnElement[bool], ...]:
    return (
        OrganisationInvitation.organisation_id == organisation.id,
        OrganisationInvitation.accepted_at.is_(None),
        OrganisationInvitation.withdrawn_at.is_(None),
    )


def _to(email: str) -> ColumnElement[bool]:
    return OrganisationInvitation.email == email


def _check_few(organisation: Organisation) -> None:
    waiting = select(func.count()).select_from(OrganisationInvitation).where(*_waiting(organisation))
    if (db.session.scalar(waiting) or 0) >= MOST_OPEN:
        raise organisation_rules.TooManyInvitations(most=MOST_OPEN)


def _new_person(email: str, first_name: str, last_name: str) -> Person:
    """An account for whoever reads ``email``; raises `SignInRequired` where one was made meanwhile."""
    values = {"first_name": rules.name_of(first_name), "last_name": rules.name_of(last_name)}
    if not inserted(Person, email=email, email_confirmed_at=now(), locale=language(), **values):
        raise SignInRequired()
    person = access.by_email(email)
    assert person is not None, "it was just inserted"
    return person


def _belong(person: Person, organisation_id: int, *, as_contact: bool) -> None:
    """Belong to it from today on; who does already goes on, and speaks for it where they were asked to."""
    today = _today()
    member = db.session.scalar(
        select(OrganisationMember)
        .where(
            OrganisationMember.organisation_id == organisation_id,
            OrganisationMember.person_id == person.id,
            or_(OrganisationMember.until.is_(None), OrganisationMember.until >= today),
        )
        .order_by(OrganisationMember.since)
        .limit(1)
    )
    if member is None:
        member = OrganisationMember(organisation_id=organisation_id, person_id=person.id, since=today)
        db.session.add(member)
    member.until = None if member.since <= today else member.until
    member.is_contact = member.is_contact or as_contact
    db.session.flush()
    on = ("organisation", organisation_id)
    audit.record(person.actor(), "organisation.joined", on, person_id=person.id, since=member.since.isoformat())


def _today() -> date:
    return local_date(now(), place.clock())
