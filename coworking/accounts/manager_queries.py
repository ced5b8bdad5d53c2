"""The managers who are told by e-mail what waits for them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from coworking.accounts.models import Person, PersonRole
from coworking.core.db import db
from coworking.core.policy import Role


def managers() -> Sequence[str]:
    """Public ids of the managers who can be written to."""
    return db.session.scalars(
        select(Person.public_id)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            PersonRole.role == Role.MANAGER.value,
            Person.email.is_not(None),
            Person.deactivated_at.is_(None),
        )
        .order_by(Person.id)
    ).all()


def manager(public_id: str) -> Person | None:
    """The manager, if they still are one and can be written to."""
    if public_id not in managers():
        return None
    return db.session.scalars(select(Person).where(Person.public_id == public_id)).unique().one()
