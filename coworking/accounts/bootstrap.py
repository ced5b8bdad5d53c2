"""The first manager, made together with the lieu before anyone can sign in."""

from __future__ import annotations

from coworking.accounts.models import Person, PersonRole
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.i18n import language
from coworking.core.policy import Role
from coworking.core.units import require_unit


def add_manager(first_name: str, last_name: str, email: str, password_hash: str) -> Person:
    """Add a person who runs the lieu, in the open unit. Their address counts as confirmed."""
    require_unit()
    person = Person(
        first_name=first_name,
        last_name=last_name,
        email=email.lower(),
        email_confirmed_at=now(),
        password_hash=password_hash,
        locale=language(),
        role_rows=[PersonRole(role=Role.MANAGER.value)],
    )
    db.session.add(person)
    db.session.flush()
    return person
