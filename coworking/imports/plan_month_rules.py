"""A line about what was used of a plan's month before the lieu moved here: what it says and becomes. No database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.errors import N_, DomainError
from coworking.core.reading import maybe, words_of
from coworking.imports.balance_rules import units_left
from coworking.imports.day_rules import month_in
from coworking.imports.person_rules import KnownPerson, Verdict
from coworking.imports.table_rules import TableLine
from coworking.imports.who_rules import WhoMeant, the_one, who_of
from coworking.membership.allowance_rules import NOTHING_BROUGHT, Brought, PlansLeft
from coworking.membership.opening_rules import MonthOpening, check_opening, is_here
from coworking.pricing.rules import Unit

_COLUMNS: dict[Unit, tuple[str, str]] = {
    "half_day": ("used_halfdays", "carried_halfdays"),
    "hour": ("used_rooms", "carried_rooms"),
}


class NothingBrought(DomainError):
    """Nothing is to be done."""

    code = "nothing_brought"
    message = N_("Nothing was used of it and nothing came over.")


@dataclass(frozen=True, slots=True)
class PlanMonthEntry:
    """What a line says: who, which ``month`` (None: the running one), and what is ``brought`` into it."""

    line: int
    who: WhoMeant
    month: date | None
    brought: Mapping[Unit, Brought]

    @property
    def name(self) -> str:
        return self.who.said

    def opening(self, this_month: date) -> MonthOpening:
        """What is to be written down, while ``this_month`` is running."""
        return MonthOpening(self.month or this_month, self.brought)


def plan_month_of(line: TableLine, fields: Mapping[str, str]) -> PlanMonthEntry:
    """What a line says; raises the `DomainError` that its reader should put right."""
    who = who_of(line, fields)
    month = maybe(month_in, fields.get("month", ""))
    brought: dict[Unit, Brought] = {
        unit: Brought(*(_units(fields.get(column, ""), unit) for column in columns))
        for unit, columns in _COLUMNS.items()
    }
    return PlanMonthEntry(line.number, who, month, _without_nothing(brought))


def _without_nothing(brought: Mapping[Unit, Brought]) -> dict[Unit, Brought]:
    return {unit: one for unit, one in brought.items() if one != NOTHING_BROUGHT}


def _units(text: str, unit: Unit) -> int:
    said = words_of(text, most=40)
    return units_left(said, unit) if said else 0


def judge_plan_month(
    entry: PlanMonthEntry, *, people: Sequence[KnownPerson], left: Mapping[str, PlansLeft], this_month: date
) -> Verdict:
    """What becomes of a line: ``people`` whom it may mean, what is ``left`` of their plans by public id."""
    try:
        person = the_one(entry.who, people)
    except DomainError as nobody:
        return Verdict("left_out", why=nobody)
    opening = entry.opening(this_month)
    try:
        if not opening.brought:
            return Verdict("same", person, why=NothingBrought())
        if is_here(opening, left[person.public_id]):
            return Verdict("same", person)
        check_opening(opening, left[person.public_id], this_month)
    except DomainError as wrong:
        return Verdict("left_out", person, why=wrong)
    return Verdict("added", person)


def with_entry(entry: PlanMonthEntry, left: PlansLeft, this_month: date) -> PlansLeft:
    """What is left once ``entry`` was added: what a later line of the same file meets."""
    opening = entry.opening(this_month)
    plan = left.plan_of(opening.month)
    assert plan is not None, "what can be added has a plan"
    return left.with_brought(plan, opening.month, opening.brought)
