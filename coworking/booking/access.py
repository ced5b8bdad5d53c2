"""Whose booking, for whom: what an actor may act on, locked and freshly read inside the open unit."""

from __future__ import annotations

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.units import locked


def for_whom(actor: Actor, public_id: str | None) -> Person:
    """The person booked for, locked; a member books for nobody else (and learns nothing by trying)."""
    statement = select(Person)
    if public_id is None:
        statement = statement.where(Person.id == actor.person_id)
    else:
        statement = statement.where(Person.public_id == public_id)
        if not actor.is_staff:
            statement = statement.where(Person.id == actor.person_id)
    person = db.session.scalars(locked(statement)).unique().one_or_none()
    if person is None or not person.is_active:
        raise NotFound(field="person_id")
    return person


def own_booking(actor: Actor, public_id: str) -> Booking:
    """The booking, its person locked first; a stranger's answers as if it did not exist."""
    statement = select(Booking.id, Booking.person_id).where(Booking.public_id == public_id)
    if not actor.is_staff:
        statement = statement.where(Booking.person_id == actor.person_id)
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound()
    db.session.scalars(locked(select(Person).where(Person.id == found.person_id))).unique().one()
    return db.session.scalars(locked(select(Booking).where(Booking.id == found.id))).one()
