"""Reading the ledger as its person reads it: what each allowance gave in a month, and where every unit of it went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload

from coworking.core.db import db
from coworking.core.months import month_end
from coworking.membership import entitlement_queries, queries
from coworking.membership.allowance_rules import PlansLeft, SubscriptionTerms, within
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote
from coworking.pricing.rules import UNITS, Unit

Went = Literal["booked", "used", "late", "back"]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One use of an allowance: what it takes, and what became of it. ``late``: cancelled too late, so it counts."""

    day: date
    half: str | None
    place: str
    units: int
    went: Went


@dataclass(frozen=True, slots=True)
class AllowanceAccount:
    """One allowance in one month (a pack: over its whole life), in its ``unit``; ``given`` None: without limit.

    ``given`` = ``used`` + ``booked`` + ``left``; ``carried``: what of it came over from the month before; ``brought``: what
    of ``used`` was used before the lieu moved here; ``returned``: what of a pack was given back, and is not in ``given``.
    ``lines``: those of the month, in the order of use.
    """

    kind: Literal["employer", "plan", "pack"]
    name: str
    unit: Unit
    since: date
    until: date
    given: int | None
    used: int
    booked: int
    lines: tuple[LedgerLine, ...]
    carried: int = 0
    brought: int = 0
    returned: int = 0

    @property
    def left(self) -> int | None:
        return None if self.given is None else self.given - self.used - self.booked


def accounts_of(person_id: int, month: date, today: date) -> list[AllowanceAccount]:
    """The allowances that hold in ``month`` (its first day): the employers', the plan, the packs (at most 4 statements).

    A pack that was used up or over before the month is left out.
    """
    last = month_end(month)
    terms = entitlement_queries.entitlements_of(person_id, [month, last])
    found = _lines(person_id, month, last, today)
    accounts = [
        _account("employer", a.name, month, last, a.halfdays_per_month, found.get(("agreement", a.id), []))
        for a in terms.agreements
        if within(last, a.valid_from, None) and within(last, a.member_from, None)
    ]
    for plan, lines in _by_plan([one for one in terms.subscriptions if one.is_of(month)], found):
        for unit in UNITS:
            if plan.gives(unit):
                accounts.append(_of_plan(plan, unit, month, lines, terms.plans_left))
    for one in queries.packs_of(person_id, today):
        pack, lines = one.pack, tuple(found.get(("pack", one.pack.id), []))
        if pack.valid_from <= last and pack.valid_until >= month and (lines or not one.is_over(today)):
            accounts.append(
                AllowanceAccount(
                    kind="pack",
                    name=pack.name,
                    unit="hour" if pack.unit == "hour" else "half_day",
                    since=pack.valid_from,
                    until=pack.valid_until,
                    given=pack.units - one.returned,
                    used=pack.units - one.returned - one.left - one.booked,
                    booked=one.booked,
                    lines=lines,
                    returned=one.returned,
                )
            )
    return accounts


def _by_plan(
    plans: Sequence[SubscriptionTerms], found: dict[tuple[str, int], list[LedgerLine]]
) -> Iterator[tuple[SubscriptionTerms, list[LedgerLine]]]:
    """The plans of a month with their lines; the plan itself also has those of one that is over by then."""
    ids = {plan.id for plan in plans}
    former = [
        line
        for (kind, row_id), lines in found.items()
        if kind == "subscription" and row_id not in ids
        for line in lines
    ]
    for plan in plans:
        own = found.get(("subscription", plan.id), [])
        yield plan, own if plan.from_day is not None else sorted([*own, *former], key=attrgetter("day"))


def _of_plan(
    plan: SubscriptionTerms, unit: Unit, month: date, lines: Iterable[LedgerLine], left: PlansLeft
) -> AllowanceAccount:
    begins = plan.from_day or (plan.begins_on if month == plan.first_month else None) or month
    given, carried = plan.given(unit, month), left.carried(plan, unit, month)
    of_unit = [line for line in lines if (line.half is None) == (unit == "hour")]
    total = None if given is None else given + carried
    account = _account("plan", plan.name, begins, plan.last_day_of(month), total, of_unit)
    brought = left.brought(plan, unit, month).used
    return replace(account, unit=unit, carried=carried, brought=brought, used=account.used + brought)


def _account(
    kind: Literal["employer", "plan"],
    name: str,
    first: date,
    last: date,
    given: int | None,
    lines: Iterable[LedgerLine],
) -> AllowanceAccount:
    lines = tuple(lines)
    used = sum(line.units for line in lines if line.went in ("used", "late"))
    booked = sum(line.units for line in lines if line.went == "booked")
    return AllowanceAccount(kind, name, "half_day", first, last, given, used, booked, lines)


def _lines(person_id: int, first: date, last: date, today: date) -> dict[tuple[str, int], list[LedgerLine]]:
    hold, released = aliased(LedgerEntry), aliased(LedgerEntry)
    is_back = select(released.id).where(released.quote_id == hold.quote_id, released.kind == "release").exists()
    rows = db.session.execute(
        select(hold, Quote, is_back)
        .join(Quote, Quote.id == hold.quote_id)
        .options(joinedload(Quote.resource))
        .where(hold.person_id == person_id, hold.kind == "hold", Quote.day.between(first, last))
        .order_by(Quote.starts_at, hold.id)
    )
    found: dict[tuple[str, int], list[LedgerLine]] = {}
    for entry, quote, back in rows:
        keys = (("agreement", entry.agreement_id), ("subscription", entry.subscription_id), ("pack", entry.pack_id))
        key = next((kind, row_id) for kind, row_id in keys if row_id is not None)
        went: Went = "back" if back else "late" if quote.state == "kept" else "used" if quote.day < today else "booked"
        found.setdefault(key, []).append(LedgerLine(quote.day, quote.half, quote.resource.name, entry.units or 1, went))
    return found
