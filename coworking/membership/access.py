"""Whose membership is changed: the person locked inside the open unit, and the trail that staff leave."""

from __future__ import annotations

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.core import audit
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, require_unit


def subject(actor: Actor, public_id: str | None) -> Person:
    """The person concerned, locked: oneself, or as a manager anyone; others do not exist for a member."""
    require_unit()
    statement = select(Person).where(
        Person.id == actor.person_id if public_id is None else Person.public_id == public_id
    )
    if not actor.has(Role.MANAGER):
        statement = statement.where(Person.id == actor.person_id)
    person = db.session.scalars(locked(statement)).unique().one_or_none()
    if person is None or not person.is_active:
        raise NotFound()
    return person


def managers_only(actor: Actor) -> None:
    """Raise `Forbidden` unless ``actor`` runs the place."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()


def record(actor: Actor, action: str, on: tuple[str, int], person_id: int, **details: object) -> None:
    """Staff's changes to other people's affairs leave a trace."""
    if actor.needs_audit and actor.person_id != person_id:
        audit.record(actor, action, on, person_id=person_id, **details)
