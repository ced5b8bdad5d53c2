"""How long what belongs to accounts is kept."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, case, exists, or_
from sqlalchemy.orm import aliased

from coworking.accounts import leaving
from coworking.accounts.card_models import PersonCard
from coworking.accounts.models import (
    ApiToken,
    Device,
    EmailChange,
    OrganisationInvitation,
    Person,
    Throttle,
    UsedOnce,
)
from coworking.accounts.paper_models import PaperMessage
from coworking.accounts.proxy_models import BookingProxy
from coworking.core import retention
from coworking.core.errors import N_
from coworking.core.idempotency import IdempotencyKey
from coworking.core.outbox import OutboxRow
from coworking.core.retention import NEVER, Keeps
from coworking.core.security import SecurityEvent

ONCE = N_("So that it works once.")
SAFE = N_("To see and stop attacks.")
USEFUL = N_("To answer when somebody asks what happened.")
GONE = N_("To know who the lieu is still in touch with.")

_earlier = case(
    (Device.ended_at.is_(None), Device.ends_at),
    (Device.ended_at < Device.ends_at, Device.ended_at),
    else_=Device.ends_at,
)
_token_over = case((ApiToken.revoked_at.is_(None), ApiToken.ends_at), else_=ApiToken.revoked_at)


def _not_the_last() -> Sequence[ColumnElement[bool]]:
    """The browser that somebody used last stays: it tells when they were last there."""
    other = aliased(Device)
    later = or_(
        other.last_used_at > Device.last_used_at, (other.last_used_at == Device.last_used_at) & (other.id > Device.id)
    )
    return (exists().where(other.person_id == Device.person_id, later),)


def _letters() -> Sequence[ColumnElement[bool]]:
    """What was sent to people. What was sent about invoices stays with them, for reminders are counted from it."""
    topics = (OutboxRow.topic.like(f"{name}.%") for name in ("accounts", "booking", "membership"))
    return OutboxRow.state.in_(("done", "dropped")), or_(OutboxRow.topic == "mail", *topics)


retention.declare(
    Keeps(
        "program_requests",
        N_("Requests of programs"),
        ONCE,
        IdempotencyKey,
        IdempotencyKey.created_at,
        2,
        by_the_minute=True,
    ),
    Keeps("attempts", N_("Attempts to sign in"), SAFE, Throttle, Throttle.scored_at, 2, by_the_minute=True),
    Keeps("used_links", N_("Links and codes that were used"), ONCE, UsedOnce, UsedOnce.ends_at, 0, by_the_minute=True),
    Keeps(
        "browsers", N_("Browsers that are signed out, but the last one"), SAFE, Device, _earlier, 30, only=_not_the_last
    ),
    Keeps("security_log", N_("Security log"), SAFE, SecurityEvent, SecurityEvent.occurred_at, 92),
    Keeps("tokens", N_("Tokens of programs that work no more"), USEFUL, ApiToken, _token_over, 92),
    Keeps("cards", N_("Printed cards that were replaced or ended"), USEFUL, PersonCard, PersonCard.ended_at, 92),
    Keeps("address_changes", N_("Changes of e-mail address"), USEFUL, EmailChange, EmailChange.ends_at, 365),
    Keeps(
        "invitations",
        N_("Invitations to organisations that are over"),
        USEFUL,
        OrganisationInvitation,
        OrganisationInvitation.ends_at,
        90,
    ),
    Keeps(
        "emails",
        N_("E-mails that were sent, but those of invoices"),
        USEFUL,
        OutboxRow,
        OutboxRow.ended_at,
        365,
        only=_letters,
        choices=(92, 183, 365, 730),
    ),
    Keeps("proxies", N_("Who booked for whom, once it is over"), USEFUL, BookingProxy, BookingProxy.ended_at, 365),
    Keeps("papers", N_("Messages on paper that were handed over"), USEFUL, PaperMessage, PaperMessage.handed_at, 92),
    Keeps(
        "unconfirmed_accounts",
        N_("Accounts whose address nobody confirmed"),
        GONE,
        Person,
        Person.created_at,
        30,
        counts=leaving.count_unconfirmed,
        goes=leaving.forget_unconfirmed,
    ),
    Keeps(
        "unused_accounts",
        N_("Accounts that nobody uses, thirty days after an e-mail"),
        GONE,
        Person,
        Person.created_at,
        NEVER,
        choices=(NEVER, 730, 1095),
        counts=leaving.count_unused,
        goes=leaving.forget_unused,
    ),
)
