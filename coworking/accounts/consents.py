"""What people agree to of their own accord, each change with its day and who said so."""

from __future__ import annotations

from coworking.accounts import access
from coworking.accounts.models import Person
from coworking.accounts.terms_models import ConsentChange
from coworking.core import audit
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.units import require_unit, write_unit


def note(actor: Actor, person: Person, kind: str, *, given: bool, organisation_id: int | None = None) -> None:
    """Keep in the open unit that somebody agreed to something, or no longer does."""
    require_unit()
    db.session.add(
        ConsentChange(
            person_id=person.id, kind=kind, given=given, organisation_id=organisation_id, made_by_id=actor.person_id
        )
    )


def show_to_colleagues(actor: Actor, *, shown: bool, public_id: str | None = None) -> None:
    """Let colleagues see when the acting person comes, or no longer; for somebody else who said so to the team.

    Saying what holds already writes nothing. Raises `NotFound` or `Forbidden`.
    """
    with write_unit() as unit:
        person = access.oneself(actor) if public_id is None else access.changeable(actor, public_id)
        unit.result = person.public_id
        if person.visible_to_colleagues is shown:
            return
        person.visible_to_colleagues = shown
        note(actor, person, "colleagues", given=shown)
        if person.id != actor.person_id:
            action = "consent.given" if shown else "consent.withdrawn"
            audit.record(actor, action, ("person", person.id), person_id=person.id, kind="colleagues")
