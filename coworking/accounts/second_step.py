"""The second step of signing in: a code of an app, or a recovery code. See docs/adr/0020.

An attempt is counted before the code is looked at, as with passwords. The code is looked at outside the unit; the unit that
uses it locks the row and accepts no code of the same or an earlier thirty seconds, so that of two at once one is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select, update

from coworking.accounts import access, devices, emails, factors, passkeys, queries, rules, throttle, totp_rules
from coworking.accounts.devices import Browser, Halfway, Present, SignedIn
from coworking.accounts.factor_models import Authenticator, RecoveryCode
from coworking.accounts.models import Device, Person
from coworking.core import audit, place, secret_box, security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, Gone
from coworking.core.policy import SYSTEM, Actor, Role
from coworking.core.settings import settings
from coworking.core.units import end_read, locked, require_unit, write_unit

log = logging.getLogger(__name__)

SETUP_OPEN_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Setup:
    """A secret that waits for its first code: as text, and as the address that apps read."""

    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class _Proof:
    """What was typed, looked at: the row's ``secret`` and the ``step`` of its code, or the ``digest`` of a recovery code."""

    secret: str = ""
    step: int = 0
    digest: str = ""


# Setting it up


def begin(actor: Actor) -> None:
    """Make a new secret for the actor's app; it counts once `confirm` has seen a code.

    Raises `SecondStepOn`, or `AddressUnconfirmed`: whoever signs up with a stranger's address must not lock them out of it.
    """
    secret_box.make_key()
    with write_unit():
        person = access.oneself(actor)
        if person.email_confirmed_at is None:
            raise rules.AddressUnconfirmed()
        row = _row(person)
        if row is not None and row.confirmed_at is not None:
            raise rules.SecondStepOn()
        if row is None:
            row = Authenticator(person_id=person.id)
            db.session.add(row)
        secret = totp_rules.text_of(os.urandom(totp_rules.SECRET_BYTES))
        row.secret, row.begun_at, row.last_step = secret_box.encrypt(secret, about=_about(person)), now(), 0


def waiting(actor: Actor) -> Setup | None:
    """The secret that the actor's app is to read; None when none waits."""
    person = queries.person_by_id(actor.person_id)
    row = db.session.get(Authenticator, person.id)
    if row is None or row.confirmed_at is not None or row.begun_at < now() - SETUP_OPEN_FOR:
        return None
    try:
        secret = secret_box.decrypt(row.secret, about=_about(person))
    except secret_box.Unreadable:  # the keyring is another one since it was made: begin again
        return None
    address = totp_rules.app_address(secret, email=person.email or person.name, place=place.name())
    return Setup(totp_rules.in_fours(secret, " "), address)


def confirm(actor: Actor, device: Present | None, typed: str) -> list[str]:
    """Turn the second step on with a first code, and return ten recovery codes, shown this once.

    Raises `CodeWrong`, `TooManyAttempts`, or `Gone` when no secret waits.
    """
    digits = totp_rules.digits_of(typed)
    person = queries.person_by_id(actor.person_id)
    attempt = _count(person)
    row = db.session.get(Authenticator, actor.person_id)
    if row is None or row.confirmed_at is not None or row.begun_at < now() - SETUP_OPEN_FOR:
        raise Gone()
    sealed = row.secret
    step = _step(sealed, _about(person), digits)
    if step is None:
        raise totp_rules.CodeWrong()
    end_read()
    with write_unit():
        person = access.oneself(actor)
        row = _row(person)
        if row is None or row.secret != sealed or row.confirmed_at is not None:
            raise Gone()
        row.confirmed_at, row.last_step = now(), step
        throttle.succeeded(attempt)
        if device is not None:
            db.session.execute(update(Device).where(Device.id == device.id).values(strong=True, proved_at=now()))
        codes = _new_codes(person)
        security.record(security.SECOND_STEP_ON, person_id=person.id, actor_id=actor.person_id)
        emails.enqueue_access(emails.SECOND_STEP_ON, person, browser=_name(device))
        return codes


def renew_codes(actor: Actor, device: Present | None) -> list[str]:
    """Ten new recovery codes; the old ones work no more. Raises `Gone` when the second step is off."""
    with write_unit():
        person = access.oneself(actor)
        row = _row(person)
        if row is None or row.confirmed_at is None:
            raise Gone()
        codes = _new_codes(person)
        security.record(security.CODES_RENEWED, person_id=person.id, actor_id=actor.person_id)
        emails.enqueue_access(emails.CODES_RENEWED, person, browser=_name(device))
        return codes


def turn_off(actor: Actor, device: Present | None) -> None:
    """Ask no second step of the actor any more; twice is fine. Raises `SecondStepRequired` where the team must have one."""
    with write_unit():
        person = access.oneself(actor)
        have = factors.of(person.id)
        if factors.has_role(person) and factors.is_due(have.team_from) and not have.passkeys:
            raise rules.SecondStepRequired()
        if _remove(person):
            security.record(security.SECOND_STEP_OFF, person_id=person.id, actor_id=actor.person_id)
            emails.enqueue_access(emails.SECOND_STEP_OFF, person, browser=_name(device))


def reset(actor: Actor, public_id: str) -> None:
    """Take a colleague's second step and passkeys away, so that they sign in by password or link and set up another.

    They are signed out everywhere, and told by e-mail. Managers only, and never their own: that asks for a proof of theirs.
    """
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    with write_unit():
        person = access.changeable(actor, public_id)
        if person.id == actor.person_id:
            raise Forbidden()
        _reset(actor, person)


def reset_by_server(email: str) -> bool:
    """The same for whoever administers the server; False when nobody has this address or there was nothing to take."""
    with write_unit():
        person = access.by_email(email)
        return person is not None and _reset(SYSTEM, person)


def forget_since(person: Person, instant: datetime) -> None:
    """Take away a second step and passkeys set up after ``instant``, in the open unit: they may be a stranger's."""
    require_unit()
    passkeys.forget(person, since=instant)
    row = _row(person)
    if row is not None and (row.confirmed_at or row.begun_at) >= instant:
        _remove(person)


# Answering it


def of_arriving(halfway: Halfway) -> factors.Factors:
    """What whoever is halfway can show."""
    person = queries.find_person(halfway.person)
    return factors.of(person.id if person is not None else None)


def finish(halfway: Halfway, *, code: str = "", recovery: str = "", browser: Browser) -> SignedIn:
    """Sign in whoever has shown a password or a link before, and now a code.

    Raises `Gone` when that is no longer so, `CodeWrong`, `CodeUsed`, `RecoveryCodeWrong` or `TooManyAttempts`.
    """
    person = queries.find_person(halfway.person)
    if person is None or not halfway.fits(person):
        raise Gone()
    attempt = _count(person)
    proof = _look(person, code, recovery)
    with write_unit():
        person = access.by_public_id(halfway.person)
        if person is None or not halfway.fits(person):
            raise Gone()
        _use(person, proof)
        throttle.succeeded(attempt)
        return devices.strongly(person, browser, by=halfway.by)


def prove(actor: Actor, device: Present | None, *, code: str = "", recovery: str = "") -> None:
    """The same on a device that is signed in: from then on it counts as proved, and as opened by two steps."""
    person = queries.person_by_id(actor.person_id)
    attempt = _count(person)
    proof = _look(person, code, recovery)
    with write_unit():
        person = access.oneself(actor)
        _use(person, proof)
        throttle.succeeded(attempt)
        if device is not None:
            db.session.execute(update(Device).where(Device.id == device.id).values(strong=True, proved_at=now()))


def _count(person: Person) -> throttle.Attempt:
    name = person.public_id
    with write_unit():
        return throttle.count(throttle.second_step_buckets(name))


def _look(person: Person, code: str, recovery: str) -> _Proof:
    """Outside the unit: decrypt and compare. Raises what is wrong with it, which is noted."""
    person_id, public_id, about = person.id, person.public_id, _about(person)
    row = db.session.get(Authenticator, person_id)
    sealed = row.secret if row is not None and row.confirmed_at is not None else None
    end_read()
    try:
        if recovery.strip():
            return _Proof(digest=_digest(public_id, totp_rules.recovery_of(recovery)))
        digits = totp_rules.digits_of(code)
        step = _step(sealed, about, digits) if sealed is not None else None
        if sealed is None or step is None:
            raise totp_rules.CodeWrong()
        return _Proof(secret=sealed, step=step)
    except (totp_rules.CodeWrong, totp_rules.RecoveryCodeWrong):
        security.note(security.SECOND_STEP_FAILED, person_id=person_id)
        raise


def _use(person: Person, proof: _Proof) -> None:
    """Inside the unit: use the code up. Raises `CodeUsed`, `RecoveryCodeWrong`, or `Gone` when it is another secret's."""
    require_unit()
    row = _row(person)
    if row is None or row.confirmed_at is None:
        raise Gone()
    if proof.digest:
        mine = (RecoveryCode.person_id == person.id, RecoveryCode.digest == proof.digest)
        used = update(RecoveryCode).where(*mine, RecoveryCode.used_at.is_(None)).values(used_at=now())
        if _changed(used) != 1:
            raise totp_rules.RecoveryCodeWrong()
        security.record(security.CODE_USED, person_id=person.id)
        emails.enqueue_access(emails.CODE_USED, person, left=factors.of(person.id).codes_left)
        return
    if row.secret != proof.secret:
        raise Gone()
    if proof.step <= row.last_step:
        raise totp_rules.CodeUsed()
    row.last_step = proof.step


def _step(sealed: str, about: str, digits: str) -> int | None:
    try:
        secret = secret_box.decrypt(sealed, about=about)
    except secret_box.Unreadable:  # a restore without its keyring: recovery codes still work
        log.exception("the secret of a codes app cannot be read")
        return None
    return totp_rules.matching_step(totp_rules.secret_of(secret), digits, now())


def _row(person: Person) -> Authenticator | None:
    return db.session.scalars(locked(select(Authenticator).where(Authenticator.person_id == person.id))).one_or_none()


def _new_codes(person: Person) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    drawn = [
        "".join(secrets.choice(totp_rules.RECOVERY_ALPHABET) for _ in range(totp_rules.RECOVERY_LENGTH))
        for _ in range(totp_rules.RECOVERY_CODES)
    ]
    db.session.add_all(RecoveryCode(person_id=person.id, digest=_digest(person.public_id, code)) for code in drawn)
    return [totp_rules.in_fours(code, "-") for code in drawn]


def _remove(person: Person) -> bool:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    mine = delete(Authenticator).where(Authenticator.person_id == person.id, Authenticator.confirmed_at.is_not(None))
    return _changed(mine) == 1


def _reset(actor: Actor, person: Person) -> bool:
    if not (_remove(person) | passkeys.forget(person)):
        return False
    devices.end_of(person.id)
    security.record(security.SECOND_STEP_RESET, person_id=person.id, actor_id=actor.person_id)
    audit.record(actor, "person.second_step_reset", ("person", person.id), person_id=person.id)
    emails.enqueue_access(emails.SECOND_STEP_RESET, person)
    return True


def _changed(statement: object) -> int:
    result = db.session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[call-overload] - any DML
    assert isinstance(result, CursorResult)
    return result.rowcount


def _name(device: Present | None) -> str:
    return device.name if device is not None else ""


def _about(person: Person) -> str:
    return f"authenticator:{person.public_id}"


def _digest(public_id: str, code: str) -> str:
    """Keyed with the server's secret: a copy of the database alone does not let anyone try codes."""
    return hmac.new(settings().secret_key.encode(), f"recovery:{public_id}:{code}".encode(), hashlib.sha256).hexdigest()
