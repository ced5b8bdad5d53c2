"""What people used of their plans before the lieu moved here: what is left of them now, and writing it down."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.months import month_of
from coworking.core.policy import Actor
from coworking.imports.plan_month_rules import PlanMonthEntry
from coworking.membership.allowance_queries import plans_left_of
from coworking.membership.allowance_rules import PlansLeft
from coworking.membership.opening import open_month
from coworking.spaces import queries as spaces


def left_of(public_ids: Collection[str]) -> dict[str, PlansLeft]:
    """What is left of the plans of each person (3 statements)."""
    ids = dict(db.session.execute(select(Person.public_id, Person.id).where(Person.public_id.in_(public_ids))).all())
    left = plans_left_of(ids.values(), month_of(spaces.today()))
    return {public_id: left[row_id] for public_id, row_id in ids.items()}


def write_down(actor: Actor, entry: PlanMonthEntry, person: str) -> Person:
    """Count what a line brings into the person's month. In the open unit."""
    return open_month(actor, person, entry.opening(month_of(spaces.today())))
