"""« Vendre »: who may be meant, what can be sold to them, and what was chosen so far comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coworking.accounts.models import Person
from coworking.billing import door_queries, labels
from coworking.billing.door_rules import MOST_PIECES, SaleTotal, SoldLine, bill
from coworking.billing.line_rules import ChargedItem
from coworking.booking.rules import bookable_halves
from coworking.core.clock import now
from coworking.core.months import month_of
from coworking.core.timespan import local_date
from coworking.membership import coverage
from coworking.membership.agreement_rules import AgreementExhausted
from coworking.membership.allowance_rules import PlannedUse
from coworking.membership.entitlement import Decision
from coworking.presence import queries as presence_queries
from coworking.presence.following import units_booked_on
from coworking.presence.rules import EARLY, half_of_arrival, has_place
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK

WALK_IN = "w"
"""The key of a half-day that begins with its sale: the arrival is recorded in the same unit."""


@dataclass(frozen=True, slots=True)
class WalkInPrice:
    """The half-day that an arrival would take (``am`` or ``pm``), and who would pay what for it: where an employer pays a
    part, what the person pays."""

    half: str
    decision: Decision

    @property
    def is_owed(self) -> bool:
        """Whether the person would owe something for it."""
        return self.decision.organisation_id is None and self.decision.amount_cents > 0

    def line(self, locale: str) -> SoldLine:
        """It as a line of a sale."""
        decision, label = self.decision, labels.half_day(locale)
        is_rest = decision.cover == "share"
        if decision.cover == "trial":
            label = labels.to_try(label, locale)
        elif decision.alone_cents is not None:
            label = labels.at_day_rate(label, locale)
        item = ChargedItem(
            family="desk",
            label=labels.rest_of(label, locale) if is_rest else labels.reduced(label, decision.group, locale),
            quantity=1,
            unit="piece" if is_rest else "half_day",
            unit_cents=decision.amount_cents if is_rest else decision.unit_cents,
            amount_cents=decision.amount_cents,
            basis=decision.basis,
            vat_rate_bp=decision.vat_rate_bp,
            month=month_of(decision.use.day),
            day=decision.use.day,
        )
        return SoldLine(WALK_IN, item)


def walk_in_price(person: Person) -> WalkInPrice | None:
    """What an arrival of ``person`` now would cost; None where it takes no desk: booked already, closed, no desks."""
    instant = now()
    today = local_date(instant, spaces.lieu().tz)
    day = spaces.day(today)
    half = half_of_arrival(bookable_halves(today, day).values(), instant)
    if half is None or not any(span.start - EARLY <= instant < span.end for span in day.open()):
        return None
    if has_place([unit.span for unit in units_booked_on(person.id, today)], half.span, instant):
        return None
    desk = next((row for row in spaces.resources(day=today) if row.kind == DESK), None)
    if desk is None:
        return None
    use = PlannedUse(desk.id, DESK, today, half.half, half.span)
    try:
        (decision,) = coverage.decisions(person.id, None, [use])
    except AgreementExhausted:  # nobody is turned away at the door: then the person pays
        (decision,) = coverage.decisions(person.id, "me", [use])
    return WalkInPrice(half.half, decision.rest or decision)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing on the page: a line of one piece, what that comes to with VAT, and how many are chosen."""

    line: SoldLine
    cents: int
    count: int
    most: int

    @property
    def key(self) -> str:
        return self.line.key


@dataclass(frozen=True, slots=True)
class Till:
    """The page of one sale: what is offered, what is chosen, and what it comes to."""

    choices: list[Choice]
    bill: SaleTotal

    @property
    def has_deposit(self) -> bool:
        return any(choice.count and choice.line.is_deposit for choice in self.choices)

    @property
    def wanted(self) -> dict[str, int]:
        return {choice.key: choice.count for choice in self.choices if choice.count}


def till(person: Person | None, wanted: Mapping[str, int] | None, walk_in: WalkInPrice | None) -> Till:
    """What can be sold to ``person``, or nobody; ``wanted`` None: nothing was chosen yet, so what they owe for today is."""
    offered = door_queries.offered(person)
    if person is not None and walk_in is not None and walk_in.is_owed:
        offered.insert(0, walk_in.line(person.locale))
    choices = [_choice(line, wanted) for line in offered]
    chosen = [_of(choice.line, choice.count) for choice in choices if choice.count]
    return Till(choices, bill(chosen))


def _choice(line: SoldLine, wanted: Mapping[str, int] | None) -> Choice:
    is_use = line.key == WALK_IN or line.quote_id is not None or line.charge_id is not None
    most = 1 if is_use else MOST_PIECES
    count = int(is_use) if wanted is None else max(0, min(wanted.get(line.key, 0), most))
    return Choice(line, bill([line]).payable_cents, count, most)


def _of(line: SoldLine, count: int) -> SoldLine:
    return line if count == 1 else door_queries.times(line, count)


def people_here() -> Sequence[Person]:
    """Who is here now, then who was here today, each once, the latest arrivals first: those a sale is most often for."""
    rows = presence_queries.presences_on(spaces.today())
    rows.sort(key=lambda row: (row.left_at is not None, -row.arrived_at.timestamp()))
    return list({row.person_id: row.person for row in rows}.values())
