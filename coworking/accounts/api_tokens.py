"""Bearer tokens of one's own, for programs that use the API."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from coworking.accounts import access, rules, tokens
from coworking.accounts.models import ApiToken, Person
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit


def issue(actor: Actor, *, name: str, scopes: frozenset[str]) -> str:
    """Make a token that acts for ``actor`` within ``scopes``; the text returned is shown once and kept nowhere."""
    name, scopes = rules.token_name_of(name), rules.check_scopes(scopes)
    text, digest = tokens.new_bearer()
    with write_unit():
        person = access.oneself(actor)
        db.session.add(ApiToken(person_id=person.id, name=name, digest=digest, scopes=" ".join(sorted(scopes))))
    return text


def revoke(actor: Actor, public_id: str) -> None:
    """End a token of one's own; twice is fine. Someone else's is `NotFound`."""
    statement = select(ApiToken).where(ApiToken.public_id == public_id, ApiToken.person_id == actor.person_id)
    with write_unit():
        token = db.session.scalars(locked(statement)).one_or_none()
        if token is None:
            raise NotFound()
        token.revoked_at = token.revoked_at or now()


_OWNER = (  # built once: every program's request asks it
    select(Person, ApiToken.scopes)
    .join(ApiToken, ApiToken.person_id == Person.id)
    .where(ApiToken.digest == bindparam("digest"), ApiToken.revoked_at.is_(None))
)


def owner(text: str) -> tuple[Person, frozenset[str]] | None:
    """Whose token ``text`` is and what it may do; None when unknown, revoked, or its owner's account is closed."""
    if not text.startswith(tokens.PREFIX):
        return None
    row = db.session.execute(_OWNER, {"digest": tokens.bearer_digest(text)}).unique().one_or_none()
    if row is None or not row[0].is_active:
        return None
    return row[0], frozenset(row[1].split())
