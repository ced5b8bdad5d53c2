"""Bearer tokens of one's own, for programs that use the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from coworking.accounts import access, emails, factors, rules, tokens
from coworking.accounts.models import ApiToken, Person
from coworking.core import security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.page_versions import LIEU_VERSION, note_lieu_version
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, write_unit


@dataclass(frozen=True, slots=True)
class Grant:
    """The token of a request, as plain values: what it may do at most."""

    id: int
    scopes: frozenset[str]
    roles: frozenset[Role]
    last_used_at: datetime | None
    second_step_missing: bool
    """The lieu wants a second step of the team by now, and the token's owner has none."""


def issue(
    actor: Actor,
    *,
    name: str,
    scopes: frozenset[str],
    days: int = rules.TOKEN_DAYS,
    browser: str = "",
    tell: bool = False,
) -> str:
    """Make a token that acts for ``actor`` within ``scopes`` for so many days; the text is shown once and kept nowhere.

    It never allows more than its owner's roles of today. ``tell``: write its owner an e-mail, with the name of the
    ``browser`` it was made in. Raises `AddressUnconfirmed` or what is wrong.
    """
    name, scopes = rules.token_name_of(name), rules.check_scopes(scopes)
    days = rules.check_token_days(days)
    text, digest = tokens.new_bearer()
    with write_unit():
        person = access.oneself(actor)
        if person.email_confirmed_at is None:
            raise rules.AddressUnconfirmed()
        db.session.add(
            ApiToken(
                person_id=person.id,
                name=name,
                digest=digest,
                scopes=" ".join(sorted(scopes)),
                roles=" ".join(sorted(person.roles)),
                ends_at=now() + timedelta(days=days),
            )
        )
        security.record(
            security.TOKEN_MADE, person_id=person.id, actor_id=actor.person_id, scopes=sorted(scopes), days=days
        )
        if tell:
            emails.enqueue_access(emails.TOKEN_MADE, person, browser=browser)
    return text


def revoke(actor: Actor, public_id: str) -> None:
    """End a token of one's own; twice is fine. Someone else's is `NotFound`."""
    statement = select(ApiToken).where(ApiToken.public_id == public_id, ApiToken.person_id == actor.person_id)
    with write_unit():
        token = db.session.scalars(locked(statement)).one_or_none()
        if token is None:
            raise NotFound()
        token.revoked_at = token.revoked_at or now()
        security.record(security.TOKEN_ENDED, person_id=actor.person_id, actor_id=actor.person_id, token=public_id)


_OWNER = (  # built once: every program's request asks it
    select(
        Person,
        LIEU_VERSION,
        ApiToken.id,
        ApiToken.scopes,
        ApiToken.roles,
        ApiToken.last_used_at,
        factors.SECOND_STEP_FROM,
        factors.HAS_SECOND_STEP,
    )
    .join(ApiToken, ApiToken.person_id == Person.id)
    .where(
        ApiToken.digest == bindparam("digest"),
        ApiToken.revoked_at.is_(None),
        ApiToken.ends_at > bindparam("instant", type_=ApiToken.ends_at.type),
        Person.deactivated_at.is_(None),
    )
)


def owner(text: str) -> tuple[Person, Grant] | None:
    """Whose token ``text`` is and what it grants; None when unknown, ended, or its owner's account is closed."""
    if not text.startswith(tokens.PREFIX):
        return None
    values = {"digest": tokens.bearer_digest(text), "instant": now()}
    row = db.session.execute(_OWNER, values).unique().one_or_none()
    if row is None:
        return None
    person, version, token_id, scopes, roles, last_used_at, team_from, has_second_step = row
    note_lieu_version(version)
    missing = factors.is_due(team_from) and not has_second_step
    return person, Grant(
        token_id, frozenset(scopes.split()), frozenset(map(Role, roles.split())), last_used_at, missing
    )


def used(token_id: int) -> None:
    """Note that the token is in use."""
    with write_unit(beside=True):
        db.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now()))
