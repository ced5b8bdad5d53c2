"""Whether people with a role sign in with a second step, which a manager decides for the lieu."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select

from coworking.accounts import emails, factors, rules
from coworking.accounts.factor_models import StaffAccess
from coworking.accounts.models import Person, PersonRole
from coworking.core import audit, security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, Forbidden
from coworking.core.policy import Actor, Role
from coworking.core.search import folded
from coworking.core.units import write_unit

TERMS = {"14": N_("in two weeks"), "7": N_("in a week"), "0": N_("at once")}
"""Days until it counts."""


@dataclass(frozen=True, slots=True)
class Teammate:
    """Somebody with a role, and whether they have a second step."""

    person: Person
    has_second_step: bool


def starts() -> datetime | None:
    """From when on the team must have a second step; None: when they like."""
    return db.session.scalar(select(StaffAccess.second_step_from))


def team() -> list[Teammate]:
    """Everyone with a role, by name (1 statement)."""
    statement = (
        select(Person, factors.HAS_SECOND_STEP)
        .where(Person.deactivated_at.is_(None), exists().where(PersonRole.person_id == Person.id))
        .order_by(folded(Person.last_name), folded(Person.first_name), Person.id)
    )
    return [Teammate(person, bool(one)) for person, one in db.session.execute(statement).unique()]


def ask_team(actor: Actor, *, days: str) -> datetime:
    """Want a second step of everyone with a role, in so many ``days``, and return from when.

    Who has none yet is told by e-mail. Raises `SecondStepFirst` unless the actor has one: nobody may lock themselves out.
    """
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    begins = now() + timedelta(days=int(days))
    with write_unit():
        if not factors.of(actor.person_id).any:
            raise rules.SecondStepFirst()
        _set(actor, begins)
        for one in team():
            if not one.has_second_step:
                emails.enqueue_access(emails.SECOND_STEP_WANTED, one.person, starts=begins)
    return begins


def ask_nobody(actor: Actor) -> None:
    """Leave it to each of the team."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    with write_unit():
        _set(actor, None)


def _set(actor: Actor, begins: datetime | None) -> None:
    row = db.session.get(StaffAccess, 1, with_for_update={"key_share": True})
    if row is None:
        row = StaffAccess(id=1)
        db.session.add(row)
    before, row.second_step_from = row.second_step_from, begins
    told = [moment.isoformat() if moment else None for moment in (before, begins)]
    audit.record(actor, "staff_access.changed", ("staff_access", 1), before=told[0], after=told[1])
    security.record(
        security.TEAM_SECOND_STEP, person_id=actor.person_id, actor_id=actor.person_id, asked=begins is not None
    )
