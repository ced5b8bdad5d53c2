"""What an import fills in of people who are here already: never their address once they have one, never a role."""

from __future__ import annotations

from collections.abc import Mapping

from coworking.accounts import access, rules, staff
from coworking.accounts.models import Person
from coworking.core import audit
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.units import require_unit

FIELDS = ("first_name", "last_name", "email", "phone", "address", "postcode", "city", "staff_note", "status", "commune")


def fill_in(actor: Actor, public_id: str, values: Mapping[str, str]) -> Person:
    """Set these `FIELDS` of a member, checked already, in the caller's unit; empty ones are not taken.

    Raises `NotFound`, `Forbidden` for people with a role of their own, whoever asks, and `EmailTaken`.
    """
    require_unit()
    rules.check_staff(actor)
    person = access.by_public_id(public_id)
    if person is None:
        raise NotFound()
    if person.roles - {Role.MEMBER}:
        raise Forbidden()
    taken = {name: value for name, value in values.items() if name in FIELDS and value}
    if "email" in taken:
        if person.email is not None:
            del taken["email"]
        else:
            staff.check_free(taken["email"])
    changed = sorted(name for name, value in taken.items() if getattr(person, name) != value)
    for name in changed:
        setattr(person, name, taken[name])
    if changed:
        audit.record(actor, "person.changed", ("person", person.id), person_id=person.id, fields=changed)
    return person
