"""Passkeys: made, listed, removed, and signing in with one, which counts as both steps. See docs/adr/0020.

A challenge is signed, names what it is for and for whom, works for five minutes and once. An answer is verified outside the
unit; the unit that uses it writes the challenge's digest, locks the passkey and looks at its count of signatures again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from coworking.accounts import access, devices, emails, factors, once, passkey_answers, queries, rules, throttle, tokens
from coworking.accounts.devices import Browser, Present, SignedIn
from coworking.accounts.factor_models import Passkey
from coworking.accounts.models import Device, Person
from coworking.core import place, security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Gone, NotFound
from coworking.core.policy import Actor
from coworking.core.sql import inserted
from coworking.core.types import public_id as new_public_id
from coworking.core.units import end_read, locked, require_unit, write_unit

MOST = 20
"""Of one person."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """An answer that was verified: of which passkey, to which challenge, and its new count of signatures."""

    passkey_id: int
    challenge: str
    sign_count: int


def of(person_id: int) -> list[Passkey]:
    """Someone's passkeys, the one used last first."""
    return list(
        db.session.scalars(
            select(Passkey)
            .where(Passkey.person_id == person_id)
            .order_by(func.coalesce(Passkey.last_used_at, Passkey.created_at).desc(), Passkey.id.desc())
        )
    )


# Making and removing


def options_to_add(actor: Actor) -> dict[str, Any]:
    """What the browser is asked to make a passkey with, for the actor. Raises `PasskeysImpossible`, or `AddressUnconfirmed`:
    whoever signs up with a stranger's address must keep no way in."""
    person = queries.person_by_id(actor.person_id)
    if person.email_confirmed_at is None:
        raise rules.AddressUnconfirmed()
    challenge = tokens.make_challenge(tokens.ADD, person.public_id)
    return passkey_answers.options_to_make(
        challenge.encode(),
        place=place.name(),
        handle=person.public_id,
        email=person.email or person.name,
        name=person.name,
        have=[one.credential_id for one in of(person.id)],
    )


def add(actor: Actor, device: Present | None, *, answer: str, name: str) -> None:
    """Keep the passkey that the browser has made under ``name``.

    Raises `PasskeyWrong`, `PasskeyTooMany`, `AddressUnconfirmed`, or what is wrong with the name.
    """
    name = rules.token_name_of(name)
    person = queries.person_by_id(actor.person_id)
    challenge = _challenge(passkey_answers.read(answer), tokens.ADD, person.public_id)
    end_read()
    made = passkey_answers.made(answer, challenge.encode())
    with write_unit():
        person = access.oneself(actor)
        if person.email_confirmed_at is None:
            raise rules.AddressUnconfirmed()
        _use_challenge(challenge)
        if len(of(person.id)) >= MOST:
            raise rules.PasskeyTooMany()
        kept = inserted(
            Passkey,
            public_id=new_public_id(),
            person_id=person.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            backed_up=made.backed_up,
            name=name,
            created_at=now(),
        )
        if not kept:
            raise rules.PasskeyWrong()  # of somebody already: no device makes one twice
        _prove(device)
        security.record(security.PASSKEY_ADDED, person_id=person.id, actor_id=actor.person_id)
        emails.enqueue_access(emails.PASSKEY_ADDED, person, browser=device.name if device else "")


def remove(actor: Actor, device: Present | None, public_id: str) -> None:
    """Take one of the actor's own passkeys away; someone else's is `NotFound`.

    Raises `SecondStepRequired` for the last one of a teammate without another second step, where one must be had.
    """
    with write_unit():
        person = access.oneself(actor)
        mine = select(Passkey).where(Passkey.public_id == public_id, Passkey.person_id == person.id)
        row = db.session.scalars(locked(mine)).one_or_none()
        if row is None:
            raise NotFound()
        have = factors.of(person.id)
        if (
            factors.has_role(person)
            and factors.is_due(have.team_from)
            and have.app_since is None
            and have.passkeys == 1
        ):
            raise rules.SecondStepRequired()
        db.session.delete(row)
        security.record(security.PASSKEY_REMOVED, person_id=person.id, actor_id=actor.person_id)
        emails.enqueue_access(emails.PASSKEY_REMOVED, person, browser=device.name if device else "")


def forget(person: Person, *, since: datetime | None = None) -> bool:
    """Take someone's passkeys away, or those made ``since``, in the open unit; return whether there were any."""
    require_unit()
    of_theirs = (Passkey.person_id == person.id, *((Passkey.created_at >= since,) if since is not None else ()))
    ids = db.session.scalars(select(Passkey.id).where(*of_theirs)).all()
    db.session.execute(delete(Passkey).where(Passkey.id.in_(ids)).execution_options(synchronize_session=False))
    return bool(ids)


# Using one


def options_to_sign_in() -> dict[str, Any]:
    """What a visitor's browser is asked with: whichever passkey of ours it has."""
    return passkey_answers.options_to_ask(tokens.make_challenge(tokens.ENTER, "").encode())


def sign_in(answer: str, address: str | None, *, browser: Browser) -> SignedIn:
    """Sign in whoever the passkey is of: both steps in one. Raises `PasskeyWrong`, `TooManyAttempts` or `Gone`."""
    with write_unit():
        attempt = throttle.count(throttle.passkey_buckets(address))
    said = passkey_answers.read(answer)
    verified, public_id = _verify(answer, said, tokens.ENTER, "")
    if said.handle != public_id:
        raise _refused(None)  # the account that the device says it is of
    with write_unit():
        person = access.by_public_id(public_id)
        if person is None or not person.is_active:
            raise rules.PasskeyWrong()
        _use(person, verified)
        throttle.succeeded(attempt)
        return devices.strongly(person, browser, by=devices.PASSKEY)


def options_to_prove(actor: Actor) -> dict[str, Any]:
    """What the browser of somebody signed in is asked with: one of their own passkeys."""
    person = queries.person_by_id(actor.person_id)
    challenge = tokens.make_challenge(tokens.PROVE, person.public_id)
    return passkey_answers.options_to_ask(challenge.encode(), among=[one.credential_id for one in of(person.id)])


def prove(actor: Actor, device: Present | None, answer: str) -> None:
    """Check a passkey of the actor's: their device then counts as proved, by two steps. Raises as `sign_in` does."""
    person = queries.person_by_id(actor.person_id)
    verified, owner = _verify(answer, passkey_answers.read(answer), tokens.PROVE, person.public_id)
    if owner != person.public_id:
        raise _refused(person.id)
    with write_unit():
        _use(access.oneself(actor), verified)
        _prove(device)


def _verify(answer: str, said: passkey_answers.Said, purpose: str, who: str) -> tuple[_Verified, str]:
    """Outside the unit: the answer verified, and the public id of its passkey's owner. Raises `PasskeyWrong` or `Gone`."""
    challenge = _challenge(said, purpose, who)
    statement = select(Passkey.id, Passkey.public_key, Passkey.sign_count, Person.id, Person.public_id)
    statement = statement.join(Person, Person.id == Passkey.person_id).where(
        Passkey.credential_id == said.credential_id
    )
    row = db.session.execute(statement).one_or_none()
    end_read()
    if row is None:
        raise _refused(None)
    try:
        count = passkey_answers.check(answer, challenge.encode(), public_key=row[1], sign_count=row[2])
    except rules.PasskeyWrong:
        raise _refused(row[3]) from None
    return _Verified(row[0], challenge, count), row[4]


def _use(person: Person, verified: _Verified) -> None:
    """Inside the unit: use the challenge up, and note the count. Raises `Gone` or `PasskeyWrong`."""
    require_unit()
    _use_challenge(verified.challenge)
    mine = select(Passkey).where(Passkey.id == verified.passkey_id, Passkey.person_id == person.id)
    row = db.session.scalars(locked(mine)).one_or_none()
    if row is None:
        raise rules.PasskeyWrong()
    if verified.sign_count <= row.sign_count and (verified.sign_count or row.sign_count):
        raise rules.PasskeyWrong()
    row.sign_count, row.last_used_at = verified.sign_count, now()


def _challenge(said: passkey_answers.Said, purpose: str, who: str) -> str:
    """The challenge that was answered, when it is ours, made for this and not too old; raises `Gone`."""
    try:
        text = said.challenge.decode("ascii")
    except UnicodeDecodeError:
        raise Gone() from None
    tokens.read_challenge(text, purpose, who)
    return text


def _use_challenge(challenge: str) -> None:
    once.use(challenge, lasts=tokens.CHALLENGE_LASTS)


def _prove(device: Present | None) -> None:
    if device is not None:
        db.session.execute(update(Device).where(Device.id == device.id).values(strong=True, proved_at=now()))


def _refused(person_id: int | None) -> rules.PasskeyWrong:
    security.note(security.PASSKEY_REFUSED, person_id=person_id)
    return rules.PasskeyWrong()
