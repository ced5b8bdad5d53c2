"""People to change, locked and freshly read inside the open unit."""

from __future__ import annotations

from sqlalchemy import Select, or_, select

from coworking.accounts.models import Person, PersonRole
from coworking.accounts.rules import check_may_change
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.core.units import locked


def by_email(email: str) -> Person | None:
    """The person with this address, locked."""
    return _first(select(Person).where(Person.email == email))


def by_public_id(public_id: str) -> Person | None:
    """The person, locked."""
    return _first(select(Person).where(Person.public_id == public_id))


def oneself(actor: Actor) -> Person:
    """The acting person, locked; raises `NotFound` for the system and when the account was just closed."""
    person = _first(select(Person).where(Person.id == actor.person_id))
    if person is None or not person.is_active:
        raise NotFound()
    return person


def changeable(actor: Actor, public_id: str) -> Person:
    """Someone whom ``actor`` may change, locked; raises `Forbidden`, or `NotFound`, also for who was erased and for a
    record that was merged into another one."""
    person = by_public_id(public_id)
    if person is None or person.erased_at is not None or person.merged_into_person_id is not None:
        raise NotFound()
    check_may_change(actor, person.roles)
    return person


def with_managers(public_id: str) -> tuple[Person, list[Person]]:
    """The person and every active manager, all locked by id: two managers who drop each other take turns."""
    managers = select(PersonRole.person_id).where(PersonRole.role == Role.MANAGER.value)
    statement = select(Person).where(or_(Person.public_id == public_id, Person.id.in_(managers))).order_by(Person.id)
    rows = db.session.scalars(locked(statement)).unique().all()
    person = next((row for row in rows if row.public_id == public_id), None)
    if person is None:
        raise NotFound()
    return person, [row for row in rows if row.is_active and Role.MANAGER in row.roles]


def _first(statement: Select[Person]) -> Person | None:
    return db.session.scalars(locked(statement)).unique().one_or_none()
