"""Browsers that are signed in: each is a row with a secret of its own, which ends at a date or when someone ends it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from coworking.accounts import emails, factors, passwords, rules, throttle, tokens
from coworking.accounts.models import ApiToken, Device, Person
from coworking.core import security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.page_versions import LIEU_VERSION, note_lieu_version
from coworking.core.policy import Actor
from coworking.core.units import end_read, require_unit, write_unit

REMEMBERED_FOR = timedelta(days=90)
SIGNED_IN_FOR = timedelta(hours=12)
"""From the moment of signing in, however busy the browser is."""
PROVED_FOR = timedelta(minutes=10)
"""How long after a proof what is delicate may be done without another."""
NEWS_AFTER = timedelta(days=1)
"""On the day on which an account is made every browser is a new one."""


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser says of itself when it signs in; its ``mark`` of who was signed in before: `tokens.make_known`."""

    user_agent: str = ""
    remember: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser just signed in: whose it is and the ``secret`` its cookie must carry for ``lasts``."""

    person: Person
    secret: str
    remembered: bool


@dataclass(frozen=True, slots=True)
class Halfway:
    """Somebody who has shown a password or a link (``by``) and of whom a second step is asked: nothing is open yet."""

    person: str
    epoch: int
    by: str
    remember: bool

    def fits(self, person: Person) -> bool:
        """Whether nothing changed since: a new password begins again."""
        return person.is_active and person.session_epoch == self.epoch


@dataclass(frozen=True, slots=True)
class Present:
    """The device that a request came from, as plain values."""

    id: int
    public_id: str
    name: str
    remembered: bool
    strong: bool
    proved_at: datetime
    last_used_at: datetime
    team_from: datetime | None
    """From when on the team signs in with a second step."""


PASSWORD, LINK, PASSKEY = "password", "link", "passkey"
"""By what somebody signed in."""


def sign_in(person: Person, browser: Browser, *, by: str = LINK) -> SignedIn | Halfway:
    """Open a device for ``person`` in the unit that has just seen who they are; not before a second step where one is asked.

    Whatever signs people in comes through here, so that no way in goes round the second step.
    """
    require_unit()
    if factors.is_asked_of(person):
        return Halfway(person.public_id, person.session_epoch, by, browser.remember)
    return _open(person, browser, by=by, strong=False)


def strongly(person: Person, browser: Browser, *, by: str) -> SignedIn:
    """Open a device for ``person`` in the unit that has just seen both steps."""
    require_unit()
    return _open(person, browser, by=by, strong=True)


def _open(person: Person, browser: Browser, *, by: str, strong: bool) -> SignedIn:
    secret, instant = secrets.token_urlsafe(32), now()
    name = rules.device_name(browser.user_agent)
    if by != LINK and _is_news(person, browser):
        emails.enqueue_access(emails.NEW_BROWSER, person, browser=name)
    db.session.add(
        Device(
            person_id=person.id,
            digest=_digest(secret),
            name=name,
            remembered=browser.remember,
            strong=strong,
            proved_at=instant,
            last_used_at=instant,
            ends_at=instant + (REMEMBERED_FOR if browser.remember else SIGNED_IN_FOR),
        )
    )
    security.record(security.SIGNED_IN, person_id=person.id, remembered=browser.remember, by=by, strong=strong)
    return SignedIn(person, secret, browser.remember)


_BY_SECRET = (  # built once: every request of somebody signed in asks it
    select(
        Person,
        LIEU_VERSION,
        Device.id,
        Device.public_id,
        Device.name,
        Device.remembered,
        Device.strong,
        Device.proved_at,
        Device.last_used_at,
        factors.SECOND_STEP_FROM,
    )
    .join(Device, Device.person_id == Person.id)
    .where(
        Device.digest == bindparam("digest"),
        Device.ended_at.is_(None),
        Device.ends_at > bindparam("instant", type_=Device.ends_at.type),
        Person.deactivated_at.is_(None),
    )
)


def present(secret: str) -> tuple[Person, Present] | None:
    """Who is signed in by a cookie with ``secret``, and on which device; None when it was ended (1 statement)."""
    row = db.session.execute(_BY_SECRET, {"digest": _digest(secret), "instant": now()}).unique().one_or_none()
    if row is None:
        return None
    note_lieu_version(row[1])
    return row[0], Present(*row[2:])


def used(device_id: int) -> None:
    """Note that the device is in use."""
    with write_unit(beside=True):
        db.session.execute(update(Device).where(Device.id == device_id).values(last_used_at=now()))


def in_force(person_id: int) -> list[Device]:
    """The devices on which someone is signed in, the one used last first."""
    return list(
        db.session.scalars(
            select(Device)
            .where(Device.person_id == person_id, Device.ended_at.is_(None), Device.ends_at > now())
            .order_by(Device.last_used_at.desc(), Device.id.desc())
        )
    )


def sign_out(actor: Actor, device_id: int) -> None:
    """End this device: its cookie, and every copy of it, opens nothing any more."""
    with write_unit():
        _end(Device.id == device_id)
        _signed_out(actor)


def end(actor: Actor, public_id: str) -> None:
    """End one of the actor's own devices; twice is fine. Someone else's is `NotFound`."""
    mine = (Device.public_id == public_id, Device.person_id == actor.person_id)
    with write_unit():
        if db.session.scalar(select(Device.id).where(*mine)) is None:
            raise NotFound()
        _end(*mine)
        _signed_out(actor)


def end_others(actor: Actor, device_id: int | None) -> None:
    """End every device of the actor's but ``device_id``."""
    with write_unit():
        end_of(actor.person_id, keep=device_id)
        _signed_out(actor, others=True)


def end_of(person_id: int | None, *, keep: int | None = None) -> None:
    """End every device of a person but ``keep``, in the open unit."""
    require_unit()
    _end(Device.person_id == person_id, *((Device.id != keep,) if keep is not None else ()))


def end_everything(person_id: int) -> None:
    """End every device and every API token of a person, in the open unit."""
    end_of(person_id)
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now())
        .execution_options(synchronize_session=False)
    )


def prove(actor: Actor, device: Present | None, password: str) -> None:
    """Check the actor's password once more on their device. Raises `PasswordWrong` or `TooManyAttempts`."""
    if device is None:
        raise rules.PasswordWrong()
    with write_unit():
        attempt = throttle.count(throttle.proof_buckets(device.public_id))
    kept = db.session.scalar(select(Person.password_hash).where(Person.id == actor.person_id))
    end_read()
    if not passwords.verify(kept, password):
        security.note(security.SIGN_IN_FAILED, person_id=actor.person_id, actor_id=actor.person_id)
        raise rules.PasswordWrong()
    with write_unit():
        throttle.succeeded(attempt)
        db.session.execute(update(Device).where(Device.id == device.id).values(proved_at=now()))


def is_proved(device: Present | None) -> bool:
    """Whether its owner proved on ``device`` a moment ago that it is them."""
    return device is not None and now() - device.proved_at < PROVED_FOR


def _is_news(person: Person, browser: Browser) -> bool:
    """Whether its owner should be told of this browser: the account never was open on it, and was not made just now."""
    if tokens.read_known(browser.mark, person.email or "") is not None:
        return False
    return person.created_at < now() - NEWS_AFTER


def _signed_out(actor: Actor, **details: bool) -> None:
    security.record(security.SIGNED_OUT, person_id=actor.person_id, actor_id=actor.person_id, **details)


def _end(*conditions: object) -> None:
    db.session.execute(
        update(Device)
        .where(Device.ended_at.is_(None), *conditions)  # type: ignore[arg-type] - SQL expressions
        .values(ended_at=now())
        .execution_options(synchronize_session=False)
    )


def _digest(secret: str) -> str:
    """SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
