"""A member who books for another one: named by the team with that person's agreement, ended by any of the three.

What the proxy may do is asked by the booking package (`acts_for`); nothing else in the software knows of proxies.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import SQLCoreOperations

from coworking.accounts import access, emails
from coworking.accounts.models import Person
from coworking.accounts.proxy_models import BookingProxy
from coworking.accounts.rules import AgreedLater, ProxyOfOneself, ProxyUnknown
from coworking.core import audit, place
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.timespan import local_date
from coworking.core.units import locked, write_unit

_LIVE = BookingProxy.ended_at.is_(None)


def name(actor: Actor, public_id: str, *, email: str, agreed_on: date, gets_emails: bool) -> BookingProxy:
    """Let the member with this address book for someone from now on; who did so before does no longer.

    Raises `NotFound`, `Forbidden`, `ProxyUnknown`, `ProxyOfOneself` or `AgreedLater`.
    """
    if agreed_on > local_date(now(), place.clock()):
        raise AgreedLater(field="agreed_on")
    with write_unit():
        person = access.changeable(actor, public_id)
        proxy = db.session.scalars(select(Person).where(Person.email == email)).unique().one_or_none()
        if proxy is not None and proxy.id == person.id:
            raise ProxyOfOneself(field="email")
        if not person.is_active:
            raise NotFound()
        if proxy is None or not proxy.is_active:
            raise ProxyUnknown(field="email")
        if (former := db.session.scalar(_of(person.id))) is not None:
            _end(actor, former)
        row = BookingProxy(
            person_id=person.id,
            proxy_person_id=proxy.id,
            agreed_on=agreed_on,
            gets_emails=gets_emails,
            named_by_id=actor.person_id,
        )
        db.session.add(row)
        db.session.flush()
        audit.record(actor, "proxy.named", ("booking_proxy", row.id), person_id=person.id, proxy=proxy.id)
        if actor.person_id != proxy.id:
            emails.enqueue_proxy(row)
    return row


def end(actor: Actor, proxy_id: str) -> None:
    """End it: the team, the person, or the proxy who no longer wants to. Twice is fine. Raises `NotFound` for others."""
    with write_unit():
        row = db.session.scalar(select(BookingProxy).where(BookingProxy.public_id == proxy_id))
        if row is None or not (actor.is_staff or actor.person_id in (row.person_id, row.proxy_person_id)):
            raise NotFound()
        # Behind the person's lock, under which the proxy books: what comes after this is refused.
        db.session.scalars(locked(select(Person).where(Person.id == row.person_id))).unique().one()
        db.session.refresh(row)
        if row.ended_at is None:
            _end(actor, row)


def acts_for(actor: Actor, person_id: int) -> bool:
    """Whether ``actor`` books for the person now (1 statement)."""
    mine = (_LIVE, BookingProxy.person_id == person_id, BookingProxy.proxy_person_id == actor.person_id)
    return db.session.scalar(select(BookingProxy.id).where(*mine)) is not None


def person_for(actor: Actor, public_id: str) -> tuple[Person, BookingProxy]:
    """Someone for whom ``actor`` books; raises `NotFound` for everyone else."""
    row = db.session.scalars(
        select(BookingProxy)
        .join(Person, Person.id == BookingProxy.person_id)
        .where(
            _LIVE,
            BookingProxy.proxy_person_id == actor.person_id,
            Person.public_id == public_id,
            Person.deactivated_at.is_(None),
        )
        .options(joinedload(BookingProxy.person))
    ).unique()
    found = row.one_or_none()
    if found is None:
        raise NotFound()
    return found.person, found


def booked_by(
    actor: Actor, person_id: SQLCoreOperations[int], ends_at: SQLCoreOperations[datetime]
) -> ColumnElement[bool]:
    """Whether ``actor`` books for whoever has ``person_id``, and already did before ``ends_at``: the past stays theirs."""
    row = BookingProxy
    return exists().where(
        and_(_LIVE, row.proxy_person_id == actor.person_id, row.person_id == person_id, row.since < ends_at)
    )


def reader_of(person: Person) -> Person | None:
    """Who gets the e-mails about the bookings of ``person``, who has no address; None: nobody does (1 statement)."""
    if person.email is not None:
        return None
    return (
        db.session.scalars(
            select(Person)
            .join(BookingProxy, BookingProxy.proxy_person_id == Person.id)
            .where(_LIVE, BookingProxy.person_id == person.id, BookingProxy.gets_emails, *_REACHED)
        )
        .unique()
        .one_or_none()
    )


_REACHED = (Person.email.is_not(None), Person.deactivated_at.is_(None))


def whose_emails_are_read() -> Select[int]:
    """The ids of those whose proxy gets e-mails about their bookings, as a subquery."""
    return (
        select(BookingProxy.person_id)
        .join(Person, Person.id == BookingProxy.proxy_person_id)
        .where(_LIVE, BookingProxy.gets_emails, *_REACHED)
    )


def proxy_of(person_id: int) -> BookingProxy | None:
    """Who books for the person now, with the proxy (1 statement)."""
    return db.session.scalar(_of(person_id).options(joinedload(BookingProxy.proxy)))


def all_of(person_id: int | None) -> list[BookingProxy]:
    """Those for whom the person books, and who books for the person, now (1 statement)."""
    rows = db.session.scalars(
        select(BookingProxy)
        .where(_LIVE, or_(BookingProxy.person_id == person_id, BookingProxy.proxy_person_id == person_id))
        .options(joinedload(BookingProxy.person), joinedload(BookingProxy.proxy))
        .order_by(BookingProxy.id)
    )
    return list(rows.unique())


def _of(person_id: int) -> Select[BookingProxy]:
    return select(BookingProxy).where(_LIVE, BookingProxy.person_id == person_id)


def _end(actor: Actor, row: BookingProxy) -> None:
    row.ended_at, row.ended_by_id = now(), actor.person_id
    db.session.flush()  # before another is named: a person has one
    audit.record(actor, "proxy.ended", ("booking_proxy", row.id), person_id=row.person_id, proxy=row.proxy_person_id)
