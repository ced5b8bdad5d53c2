"""What a line does: somebody added or completed, an organisation added or completed, who belongs to it."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select

from coworking.accounts import organisations, staff
from coworking.accounts.filling import fill_in
from coworking.accounts.models import Organisation, Person
from coworking.accounts.rules import AlreadyMember
from coworking.core.db import db
from coworking.core.folding import listed_by
from coworking.core.months import month_of
from coworking.core.policy import Actor
from coworking.imports import balances, bookings, organisation_rules, person_rules, plan_months, queries
from coworking.imports.balance_rules import BalanceEntry
from coworking.imports.booking_rules import BookingEntry
from coworking.imports.organisation_rules import OrganisationEntry
from coworking.imports.person_rules import PersonEntry, Verdict
from coworking.imports.plan_month_rules import PlanMonthEntry
from coworking.imports.subscription_rules import SubscriptionEntry
from coworking.membership import access
from coworking.membership.beginning import Taker, begin_plan, find_plan, plan_terms
from coworking.membership.paying_first import PLAN, let_go_of
from coworking.spaces import queries as spaces

LineEntry = PersonEntry | OrganisationEntry | SubscriptionEntry | PlanMonthEntry | BalanceEntry | BookingEntry
"""What a line says."""


def carry_out(actor: Actor, entry: LineEntry, verdict: Verdict) -> Person | Organisation | None:
    """Do what ``verdict`` says in the open unit; whom it concerns, where that is a person."""
    if isinstance(entry, OrganisationEntry):
        return _organisation(actor, entry, verdict)
    if isinstance(entry, SubscriptionEntry):
        return _subscribe(actor, entry, verdict)
    if isinstance(entry, PlanMonthEntry | BalanceEntry | BookingEntry):
        if verdict.outcome != "added" or verdict.known is None:
            return None
        person = verdict.known.public_id
        if isinstance(entry, PlanMonthEntry):
            return plan_months.write_down(actor, entry, person)
        if isinstance(entry, BalanceEntry):
            return balances.give(actor, entry, person)
        return bookings.book(actor, entry, person)
    person = _add(actor, entry) if verdict.known is None else _complete(actor, entry, verdict)
    if entry.organisation and (verdict.known is None or "organisation" in verdict.changes):
        with suppress(AlreadyMember):  # from a later day on
            organisations.join(actor, _named(actor, entry.organisation), person.public_id, since=spaces.today())
    return person


def _subscribe(actor: Actor, entry: SubscriptionEntry, verdict: Verdict) -> Person | None:
    """Begin a plan that exists, on the terms that it has now; nobody is asked to pay it first."""
    if verdict.outcome != "added" or verdict.known is None:
        return None
    key = listed_by(entry.plan)
    plan = next(public_id for name, public_id in queries.plans_offered().items() if listed_by(name) == key)
    who = access.subject(actor, verdict.known.public_id)
    this_month = month_of(spaces.today())
    first_month = max(entry.first_month or this_month, this_month)
    terms = plan_terms(find_plan(plan), first_month, Taker(who.id, by_team=True), is_new=False)
    begun = begin_plan(who.id, terms)
    let_go_of(PLAN, who.id)
    access.record(actor, "subscription.begun", ("subscription", begun.id), who.id, month=terms.first_month.isoformat())
    return who


def _add(actor: Actor, entry: PersonEntry) -> Person:
    person = staff.add_person(
        actor,
        first_name=entry.first_name,
        last_name=entry.last_name,
        email=entry.email or "",
        phone=entry.phone or "",
    )
    person.address, person.postcode, person.city = entry.address, entry.postcode, entry.city
    person.staff_note = entry.staff_note
    person.status, person.commune = entry.status, entry.commune
    db.session.flush()  # whoever locks the person next reads them again
    return person


def _complete(actor: Actor, entry: PersonEntry, verdict: Verdict) -> Person:
    known = verdict.known
    assert known is not None, "who is completed is known"
    values = {name: getattr(entry, name) for name in person_rules.FILLED if name in verdict.changes}
    if values:
        return fill_in(actor, known.public_id, values)
    return db.session.scalars(select(Person).where(Person.public_id == known.public_id)).unique().one()


def _named(actor: Actor, name: str) -> str:
    """The public id of the organisation of this name, whatever its case and accents; a new one where there is none."""
    key = listed_by(name)
    known = next((one for one in queries.known_organisations() if listed_by(one.name) == key), None)
    return known.public_id if known else organisations.add_organisation(actor, {"name": name}).public_id


def _organisation(actor: Actor, entry: OrganisationEntry, verdict: Verdict) -> Organisation | None:
    given = {name: getattr(entry, name) for name in organisation_rules.FILLED if getattr(entry, name)}
    if verdict.known is None:
        return organisations.add_organisation(actor, given)
    changes = {name: value for name, value in given.items() if name in verdict.changes}
    return organisations.change_organisation(actor, verdict.known.public_id, changes) if changes else None
