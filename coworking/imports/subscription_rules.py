"""A line about who has which plan: what it says, and what becomes of it. No database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.errors import N_, DomainError
from coworking.core.folding import listed_by
from coworking.core.reading import maybe, words_of
from coworking.imports.day_rules import month_in
from coworking.imports.person_rules import KnownPerson, Verdict
from coworking.imports.table_rules import TableLine
from coworking.imports.who_rules import WhoMeant, the_one, who_of

MAX_PLAN = 120


class NoSuchPlan(DomainError):
    code = "no_such_plan"
    message = N_(
        "There is no plan called “%(said)s” that can be chosen. Offer it first, or write it as it is called here."
    )


class OtherPlan(DomainError):
    code = "other_plan"
    message = N_("This person has another plan (%(name)s). End it first on their page.")


class BeginsNow(DomainError):
    """What began before is invoiced from this month on."""

    code = "begins_now"
    message = N_("It begins this month here: earlier months were invoiced elsewhere.")


@dataclass(frozen=True, slots=True)
class SubscriptionEntry:
    """What a line says: who, which plan, since when."""

    line: int
    who: WhoMeant
    plan: str
    first_month: date | None

    @property
    def name(self) -> str:
        return self.who.said


def begins(entry: SubscriptionEntry, this_month: date) -> date:
    """The first month here: that of the line, and this one where it says none or an earlier one."""
    return max(entry.first_month or this_month, this_month)


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A plan that somebody has, up to and with ``last_month`` (None: without end)."""

    name: str
    first_month: date
    last_month: date | None


def subscription_of(line: TableLine, fields: Mapping[str, str]) -> SubscriptionEntry:
    """What a line says; raises the `DomainError` that its reader should put right."""
    who = who_of(line, fields)
    plan = words_of(fields.get("plan", ""), most=MAX_PLAN)
    if not plan:
        raise NoSuchPlan(said="")
    month = maybe(month_in, fields.get("first_month", ""))
    return SubscriptionEntry(line.number, who, plan, month)


def judge_subscription(
    entry: SubscriptionEntry,
    *,
    people: Sequence[KnownPerson],
    plans: Sequence[str],
    held: Mapping[str, Sequence[HeldPlan]],
    this_month: date,
) -> Verdict:
    """What becomes of a line: ``people`` whom it may mean, ``plans`` that can be chosen, what is ``held`` by public id."""
    try:
        person = the_one(entry.who, people)
    except DomainError as nobody:
        return Verdict("left_out", why=nobody)
    key = listed_by(entry.plan)
    first = begins(entry, this_month)
    crossing = [one for one in held.get(person.public_id, ()) if one.last_month is None or one.last_month >= first]
    if any(listed_by(one.name) == key for one in crossing):
        return Verdict("same", person)
    if crossing:
        return Verdict("left_out", person, why=OtherPlan(name=crossing[0].name))
    if key not in {listed_by(name) for name in plans}:
        return Verdict("left_out", person, why=NoSuchPlan(said=entry.plan))
    was_earlier = entry.first_month is not None and entry.first_month < this_month
    return Verdict("added", person, why=BeginsNow() if was_earlier else None)
