"""Writing into the ledger what somebody brings into a month of their plan from before the lieu moved here."""

from __future__ import annotations

from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.months import month_of, write_month
from coworking.core.policy import Actor
from coworking.core.units import require_unit
from coworking.membership import access
from coworking.membership.allowance_queries import plans_left_of
from coworking.membership.models import LedgerEntry
from coworking.membership.opening_rules import BroughtOtherwise, MonthOpening, check_opening, is_here
from coworking.spaces import queries as spaces


def open_month(actor: Actor, person: str, opening: MonthOpening) -> Person:
    """Count what is brought into a month of the person's plan, once, in the open unit. Raises what `check_opening` does, and
    `BroughtOtherwise`."""
    require_unit()
    who = access.subject(actor, person)
    this_month = month_of(spaces.today())
    left = plans_left_of([who.id], this_month)[who.id]
    if is_here(opening, left):
        raise BroughtOtherwise()
    plan = check_opening(opening, left, this_month)
    for unit, one in opening.brought.items():
        for kind, units in (("opening", one.used), ("carried", one.carried)):
            if units:
                db.session.add(
                    LedgerEntry(
                        subscription_id=plan.id,
                        person_id=who.id,
                        month=opening.month,
                        kind=kind,
                        unit=unit,
                        units=units,
                    )
                )
    db.session.flush()
    access.record(
        actor, "subscription.month_opened", ("subscription", plan.id), who.id, month=write_month(opening.month)
    )
    return who
