"""A new e-mail address counts once it is confirmed; the old one gets an e-mail at once and may object.

Until then every e-mail, a new password's too, goes to the old address: neither a host nor someone at an open computer can
turn an account over to themselves.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from coworking.accounts import access, devices, emails, rules, second_step, throttle, tokens
from coworking.accounts.models import EmailChange, Person
from coworking.core import security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Gone
from coworking.core.policy import Actor
from coworking.core.reading import email_of
from coworking.core.units import locked, require_unit, write_unit

OPEN_FOR = timedelta(days=7)
"""How long the new address may be confirmed, and the old one may object even after that."""


def ask(actor: Actor, *, email: str, address: str | None) -> None:
    """Have one's own address changed to ``email``. Raises `EmailInvalid`, `EmailUnchanged` or `TooManyAttempts`.

    Whether someone else has it is told to nobody but its reader.
    """
    email = email_of(email)
    with write_unit():
        person = access.oneself(actor)
        if email == person.email:
            raise rules.EmailUnchanged()
        throttle.count((*throttle.change_buckets(person.public_id), *throttle.email_buckets(address)))
        begin(actor, person, email)


def begin(actor: Actor, person: Person, email: str) -> None:
    """Let ``person``'s address wait to become ``email``, in the open unit; what waited before is withdrawn."""
    require_unit()
    withdraw_waiting(person)
    change = EmailChange(
        person_id=person.id,
        old_email=person.email,
        new_email=email,
        asked_by_id=actor.person_id,
        ends_at=now() + OPEN_FOR,
    )
    db.session.add(change)
    db.session.flush()
    security.record(security.EMAIL_CHANGE_ASKED, person_id=person.id, actor_id=actor.person_id)
    emails.enqueue_change(emails.NEW_ADDRESS, person, change)
    if person.email is not None:
        emails.enqueue_change(emails.ADDRESS_CHANGE, person, change)


def replaced(actor: Actor, kept: Person, of: Person, email: str) -> None:
    """Tell ``email`` in the open unit that it opens nothing any more: a merge let ``kept``'s address take its place.

    It was the confirmed address ``of`` one of the two records. Where that is the one that stays, its reader may object as
    after any change: the other record might not be theirs.
    """
    require_unit()
    if kept.email is None:
        return
    change = EmailChange(
        person_id=of.id,
        old_email=email,
        new_email=kept.email,
        asked_by_id=actor.person_id,
        ends_at=now() + OPEN_FOR,
        confirmed_at=now(),
    )
    db.session.add(change)
    db.session.flush()
    emails.enqueue_change(emails.ADDRESS_MERGED if of.id == kept.id else emails.ADDRESS_ENDED, kept, change)


def withdraw(actor: Actor) -> None:
    """Forget the change of one's own address that waits; nothing when none does."""
    with write_unit():
        withdraw_waiting(access.oneself(actor))


def waiting(person_id: int) -> EmailChange | None:
    """The change of someone's address that waits for its confirmation."""
    return db.session.scalar(
        select(EmailChange)
        .where(
            EmailChange.person_id == person_id,
            EmailChange.confirmed_at.is_(None),
            EmailChange.stopped_at.is_(None),
            EmailChange.ends_at > now(),
        )
        .order_by(EmailChange.id.desc())
        .limit(1)
    )


def read(token: str, purpose: str) -> EmailChange:
    """The change that the link of an e-mail is about; raises `Gone`."""
    change = db.session.scalar(select(EmailChange).where(EmailChange.public_id == tokens.read_change(token, purpose)))
    if change is None or change.stopped_at is not None or change.ends_at <= now():
        raise Gone()
    return change


def confirm(token: str) -> None:
    """From now on the new address counts; twice is fine. Raises `Gone`, or `EmailTaken` when someone else has it."""
    with write_unit():
        change, person = _locked(token, tokens.ADDRESS)
        if change.confirmed_at is not None:
            return
        if not person.is_active or person.email != change.old_email:
            raise Gone()
        if access.by_email(change.new_email) is not None:
            raise rules.EmailTaken()
        change.confirmed_at = now()
        person.email = change.new_email
        person.email_confirmed_at = now()
        person.session_epoch += 1
        security.record(security.EMAIL_CHANGED, person_id=person.id)


def stop(token: str) -> bool:
    """Object to a change from the old address. Raises `Gone`, or `EmailTaken`.

    One that waits is forgotten. One that was made is undone, and whatever came after it too: every device and token ends,
    and the old address receives a link to choose a new password. Returns whether it was made.
    """
    with write_unit():
        change, person = _locked(token, tokens.OBJECT)
        change.stopped_at = now()
        security.record(security.EMAIL_CHANGE_STOPPED, person_id=person.id)
        if change.confirmed_at is None:
            return False
        _stop_later(change)
        other = access.by_email(change.old_email or "")
        if other is not None and other.id != person.id:
            if other.email_confirmed_at is not None:
                raise rules.EmailTaken()
            other.email = None  # nobody has ever shown that it is theirs
            devices.end_everything(other.id)
            db.session.flush()
        devices.end_everything(person.id)
        second_step.forget_since(person, change.asked_at)
        person.email = change.old_email
        person.password_hash = None
        person.session_epoch += 1
        db.session.flush()
        emails.enqueue(emails.ADDRESS_KEPT, person)
        return True


def _locked(token: str, purpose: str) -> tuple[EmailChange, Person]:
    """The change and its person, locked in the order person, change."""
    found = read(token, purpose)
    person = db.session.scalars(locked(select(Person).where(Person.id == found.person_id))).unique().one()
    change = db.session.scalars(locked(select(EmailChange).where(EmailChange.id == found.id))).one()
    if change.stopped_at is not None or person.merged_into_person_id is not None:
        raise Gone()
    return change, person


def withdraw_waiting(person: Person) -> None:
    """Forget the change of ``person``'s address that waits, in the open unit."""
    require_unit()
    db.session.execute(
        update(EmailChange)
        .where(EmailChange.person_id == person.id, EmailChange.confirmed_at.is_(None), EmailChange.stopped_at.is_(None))
        .values(stopped_at=now())
    )


def _stop_later(change: EmailChange) -> None:
    """Stop what came after ``change``, made or not: an address that someone passed through must not object either."""
    later = (EmailChange.person_id == change.person_id, EmailChange.id > change.id, EmailChange.stopped_at.is_(None))
    db.session.execute(update(EmailChange).where(*later).values(stopped_at=now()))
