"""What the lieu holds about somebody's account, for the copy of their data."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select

from coworking.accounts.card_models import PersonCard
from coworking.accounts.factor_models import Authenticator, Passkey, RecoveryCode
from coworking.accounts.models import (
    ApiToken,
    Device,
    EmailChange,
    Leaving,
    Organisation,
    OrganisationInvitation,
    OrganisationMember,
    Person,
    PersonRole,
    Throttle,
    UsedOnce,
)
from coworking.accounts.paper_models import PaperMessage
from coworking.accounts.proxy_models import BookingProxy
from coworking.accounts.terms_models import ConsentChange, HouseText, TextAcceptance
from coworking.accounts.twin_models import TwoPeople
from coworking.core import holdings
from coworking.core.audit import AuditEntry
from coworking.core.errors import N_
from coworking.core.holdings import ELSEWHERE, MINUTES, ORGANISATION, OTHERS, SECRET, THE_LIEU, Holds
from coworking.core.idempotency import IdempotencyKey
from coworking.core.outbox import OutboxRow
from coworking.core.security import SecurityEvent


def _invited(person_id: int) -> ColumnElement[bool]:
    """Invitations they accepted, and those to an address that they have shown to be theirs."""
    theirs = select(Person.email).where(Person.id == person_id, Person.email_confirmed_at.is_not(None))
    return or_(
        OrganisationInvitation.person_id == person_id,
        and_(OrganisationInvitation.person_id.is_(None), OrganisationInvitation.email.in_(theirs)),
    )


def _written_to(person_id: int) -> ColumnElement[bool]:
    """E-mails to their account, and those to their address where they have shown that it is theirs."""
    account = select(Person.public_id).where(Person.id == person_id).scalar_subquery()
    theirs = select(Person.email).where(Person.id == person_id, Person.email_confirmed_at.is_not(None))
    to_it = (OutboxRow.payload[name].as_string().in_(theirs) for name in ("to", "email"))
    return or_(OutboxRow.payload["person"].as_string() == account, *to_it)


def _came_from_them(person_id: int) -> ColumnElement[bool]:
    """A wrong password may be typed by anybody: where from is theirs only once they are in."""
    return or_(
        SecurityEvent.actor_id == person_id, and_(SecurityEvent.actor_id.is_(None), SecurityEvent.kind == "signed_in")
    )


holdings.declare(
    Holds(
        "account",
        N_("My account"),
        Person,
        rows=lambda person: Person.id == person,
        leaves={"password_hash": SECRET, "session_epoch": SECRET},
    ),
    Holds("leaving", N_("When my account is to be erased"), Leaving),
    Holds("roles", N_("My roles in the team"), PersonRole),
    Holds("organisations", N_("Organisations I belong to"), OrganisationMember),
    Holds("invitations", N_("Invitations to an organisation"), OrganisationInvitation, rows=_invited),
    Holds("address_changes", N_("Changes of my e-mail address"), EmailChange),
    Holds("browsers", N_("Browsers I signed in with"), Device, leaves={"digest": SECRET}),
    Holds("tokens", N_("Tokens of my programs"), ApiToken, leaves={"digest": SECRET}),
    Holds("program_requests", N_("Requests of my programs"), IdempotencyKey, leaves={"fingerprint": SECRET}),
    Holds("codes_app", N_("My app for codes"), Authenticator, leaves={"secret": SECRET, "last_step": SECRET}),
    Holds("recovery_codes", N_("My recovery codes"), RecoveryCode, leaves={"digest": SECRET}),
    Holds("cards", N_("My printed cards"), PersonCard, leaves={"digest": SECRET}),
    Holds(
        "booking_proxies",
        N_("Who books for me, and whom I book for"),
        BookingProxy,
        rows=lambda person: or_(BookingProxy.person_id == person, BookingProxy.proxy_person_id == person),
    ),
    Holds("acceptances", N_("Terms and house rules I accepted"), TextAcceptance),
    Holds("consents", N_("What I agreed to, and when I no longer did"), ConsentChange),
    Holds("papers", N_("Messages to me on paper"), PaperMessage, leaves={"job": SECRET}),
    Holds(
        "passkeys",
        N_("My passkeys"),
        Passkey,
        leaves={"credential_id": SECRET, "public_key": SECRET, "sign_count": SECRET},
    ),
    Holds(
        "security_events",
        N_("Sign-ins and changes of access"),
        SecurityEvent,
        leaves={"details": OTHERS},
        only_if={"address": _came_from_them},
    ),
    Holds(
        "emails",
        N_("E-mails and other work about me"),
        OutboxRow,
        rows=_written_to,
        leaves={"payload": ELSEWHERE, "key": ELSEWHERE, "lease": SECRET, "leased_until": SECRET, "can_wait": SECRET},
    ),
    Holds("changes", N_("Changes by and about me"), AuditEntry, leaves={"details": OTHERS}),
)
holdings.leave(ORGANISATION, N_("Organisations"), Organisation)
holdings.leave(OTHERS, N_("Records that look like one person and are two"), TwoPeople)
holdings.leave(THE_LIEU, N_("General terms and house rules"), HouseText)
holdings.leave(MINUTES, N_("Attempts to sign in, and links that were used"), Throttle, UsedOnce)
