"""Who pays for a half-day, and what covers it. Plain decisions.

First the payer, then that payer's entitlements: a personal day never touches the employer's allowance, nor the reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from coworking.core.errors import N_, DomainError
from coworking.core.money import Cents
from coworking.core.months import month_of
from coworking.membership.agreement_rules import (
    AgreementTerms,
    AgreementUse,
    EmployersLeft,
    Limit,
    NoAgreement,
    exhausted_by,
)
from coworking.membership.allowance_rules import (
    BroughtIntoPlans,
    PackTerms,
    PlannedUse,
    PlansLeft,
    SubscriptionTerms,
    UsedOfPlans,
    counting_plan,
)
from coworking.membership.day_rate_rules import Days, PaidHalf
from coworking.membership.trial_rules import TrialTerms
from coworking.pricing.group_rules import GroupPrices, day_price_for, unit_price_for
from coworking.pricing.rules import Basis, Prices, Unit, room_amount, unit_of

Payer = Literal["me", "employer"]
PAYERS: tuple[Payer, ...] = ("me", "employer")
Cover = Literal["tariff", "subscription", "pack", "agreement", "share", "trial", "free"]
"""What settles a use. ``share``: what the person pays of a use of which their employer pays the other part.
``trial``: their first half-day, at the price of trying."""


class UndoChangesPrice(DomainError):
    """What covered the booking went to another one meanwhile."""

    code = "undo_changes_price"
    status = 409
    message = N_(
        "The half-day that covered it was used by another booking meanwhile: its price would now be different."
    )


class PriceChanged(DomainError):
    """It costs the person something else than what they agreed to."""

    code = "price_changed"
    status = 409
    message = N_("This costs %(amount)s now. Look at the price first.")


@dataclass(frozen=True, slots=True)
class AllowanceHeld:
    """What one quote holds of one allowance, as it counts there: ``units`` (half-days, or minutes of a room) of a pack or of
    a plan in the month of ``day``; of an agreement a half-day, if it is one, and its ``cents``."""

    agreement_id: int | None
    subscription_id: int | None
    pack_id: int | None
    day: date
    units: int
    cents: int = 0
    unit: Unit = "half_day"


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What one person may draw on. Half-days that an employer pays are counted by (agreement id, month).

    ``uses_of_agreement``: of those agreements whose limits are counted by day. ``packs``: the one that ends first comes
    first. ``reduced``: the reduced prices of the groups they belong to, by day. ``subscriptions``: where something goes
    over from month to month, also those that are over. ``this_month``: see `allowance_rules.PlansLeft`. ``trial``: their
    first half-day, while they may still have it. ``paid_halves``: what they hold on days that have a day rate.
    ``brought``: what they brought into their plans from before the lieu moved here.
    """

    agreements: Sequence[AgreementTerms] = ()
    subscriptions: Sequence[SubscriptionTerms] = ()
    used_of_agreement: Mapping[tuple[int, date], int] | None = None
    used_of_subscription: UsedOfPlans | None = None
    packs: Sequence[PackTerms] = ()
    reduced: Mapping[date, Sequence[GroupPrices]] | None = None
    uses_of_agreement: Sequence[AgreementUse] = ()
    this_month: date | None = None
    trial: TrialTerms | None = None
    paid_halves: Sequence[PaidHalf] = ()
    brought: BroughtIntoPlans | None = None

    @property
    def plans_left(self) -> PlansLeft:
        return PlansLeft(self.subscriptions, self.used_of_subscription, self.this_month, self.brought)

    def without(self, held: Iterable[AllowanceHeld]) -> Entitlements:
        """The same with what is ``held`` there again."""
        of_agreement, of_subscription = dict(self.used_of_agreement or {}), dict(self.used_of_subscription or {})
        back: dict[int, int] = {}
        uses = list(self.uses_of_agreement)
        for one in held:
            month = month_of(one.day)
            if one.subscription_id is not None:
                key = (counting_plan(one.subscription_id, month, self.subscriptions), month, one.unit)
                of_subscription[key] = of_subscription.get(key, 0) - one.units
            if one.agreement_id is not None:
                if one.unit == "half_day" and (one.agreement_id, month) in of_agreement:
                    of_agreement[one.agreement_id, month] -= 1
                uses.append(AgreementUse(one.agreement_id, one.day, mine=True, places=-1, cents=-one.cents))
            if one.pack_id is not None:
                back[one.pack_id] = back.get(one.pack_id, 0) + one.units
        packs = [replace(pack, left=pack.left + back.get(pack.id, 0)) for pack in self.packs]
        return replace(
            self,
            used_of_agreement=of_agreement,
            used_of_subscription=of_subscription,
            packs=packs,
            uses_of_agreement=uses,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Who pays for one use and by what right. ``organisation_id`` None: the person. Cents in ``basis``.

    ``beyond``: the limit but for which the employer would have paid, so that the person does; it must be said.
    ``rest``: what the person pays of the same use, where the employer pays a part.
    ``left``: what is left in that allowance after this one, in its units; None where nothing is counted. ``until``: the
    last day of the pack it is taken from. ``group``: the name of whose reduced price the person pays, None where they pay
    what everyone does, ``full_cents``. ``alone_cents``: it costs less, as the second half-day of a day at the day rate.
    """

    use: PlannedUse
    cover: Cover
    unit: Unit
    unit_cents: int
    amount_cents: int
    basis: Basis
    vat_rate_bp: int
    organisation_id: int | None = None
    agreement_id: int | None = None
    subscription_id: int | None = None
    beyond: Limit | None = None
    left: int | None = None
    pack_id: int | None = None
    until: date | None = None
    price_group_id: int | None = None
    group: str | None = None
    full_cents: int | None = None
    alone_cents: int | None = None
    rest: Decision | None = None

    @property
    def parts(self) -> tuple[Decision, ...]:
        """What each payer owes for the use."""
        return (self,) if self.rest is None else (self, self.rest)


class _Packs:
    """What is left of a person's packs while several uses are decided one after the other."""

    def __init__(self, packs: Sequence[PackTerms]) -> None:
        self._packs, self._left = packs, {pack.id: pack.left for pack in packs}

    def take(self, use: PlannedUse) -> tuple[PackTerms, int] | None:
        """The pack that ends first of those that hold the whole use, and what is left of it then; None: there is none."""
        for pack in self._packs:
            if pack.applies(use) and self._left[pack.id] >= use.units:
                self._left[pack.id] -= use.units
                return pack, self._left[pack.id]
        return None


def decide(
    uses: Iterable[PlannedUse], payer: Payer | None, entitlements: Entitlements, prices: Mapping[date, Prices]
) -> list[Decision]:
    """Decide each of ``uses`` in turn; ``prices`` by day of use.

    ``payer`` None: the employer where an agreement applies, else the person. Rooms that are booked along with desks are
    the employer's only where its agreement pays for rooms. Raises `NoAgreement` when the employer is asked to pay for what
    no agreement covers, `AgreementExhausted` when its limit is reached and it refuses more.
    """
    uses = list(uses)
    theirs = EmployersLeft(entitlements.used_of_agreement, entitlements.uses_of_agreement)
    own, whole_days = _Own(entitlements), Days(entitlements.paid_halves)
    only_rooms = all(use.half is None for use in uses)
    decisions: list[Decision] = []
    for use in uses:
        price = prices[use.day]
        applying = [a for a in entitlements.agreements if a.applies(use)] if payer != "me" else []
        if payer == "employer" and not applying and (use.half is not None or only_rooms):
            raise NoAgreement()
        found = _first_paying(use, price, applying, theirs, whole_days)
        if isinstance(found, Decision):
            decisions.append(found)
        elif found is not None and all(a.beyond == "refuse" for a in applying):
            raise exhausted_by(applying[0], found)
        else:
            decisions.append(_by_person(use, price, own, whole_days, beyond=found))
    return decisions


def _first_paying(
    use: PlannedUse, prices: Prices, applying: Iterable[AgreementTerms], left: EmployersLeft, whole_days: Days
) -> Decision | Limit | None:
    """What the first agreement that pays makes of ``use``, else the limit of the first; None where there is none."""
    limit: Limit | None = None
    for agreement in applying:
        found = _by_employer(use, prices, agreement, left, whole_days)
        if isinstance(found, Decision):
            return found
        limit = limit or found
    return limit


def _by_employer(
    use: PlannedUse, prices: Prices, agreement: AgreementTerms, left: EmployersLeft, whole_days: Days
) -> Decision | Limit:
    """The organisation pays its part and the person the rest; or the limit that keeps it from paying.

    The day rate counts where it pays all of what the tariff asks: no share, no cap, no price of its own.
    """
    unit_cents, cents = agreement.priced(use, prices)
    part = left.part(agreement, use, cents)
    if isinstance(part, str):
        return part
    alone_cents: int | None = None
    if agreement.pays_tariff and use.half is not None:
        day_cents = prices.day_price_of(use.kind, use.resource_id)
        second = whole_days.second_cents(use, agreement.organisation_id, cents, day_cents)
        if second is not None:
            alone_cents, unit_cents, cents, part = cents, second, second, second
    unit = unit_of(use.kind)
    terms: tuple[Basis, int] = (prices.basis, prices.vat_rate_bp)
    rest = Decision(use, "share", unit, unit_cents, cents - part, *terms) if part < cents else None
    return Decision(
        use,
        "agreement",
        unit,
        unit_cents,
        part,
        *terms,
        organisation_id=agreement.organisation_id,
        agreement_id=agreement.id,
        left=left.take(agreement, use, part),
        alone_cents=alone_cents,
        rest=rest,
    )


class _Own:
    """A person's own allowances while several uses are decided one after the other."""

    def __init__(self, entitlements: Entitlements) -> None:
        self.plans = entitlements.plans_left
        self.packs = _Packs(entitlements.packs)
        self.reduced = entitlements.reduced or {}
        self._trial = entitlements.trial

    def take_trial(self, use: PlannedUse, cents: int) -> TrialTerms | None:
        """The first half-day, once, and only where it costs less than ``cents``."""
        trial = self._trial
        if trial is None or use.half is None or trial.cents >= cents:
            return None
        self._trial = None
        return trial


def _by_person(use: PlannedUse, prices: Prices, own: _Own, whole_days: Days, *, beyond: Limit | None) -> Decision:
    """The person pays: nothing where it is free, from the month's allowance, else from a pack, else by the tariff.

    The tariff's price is the reduced one where they belong to a group that day; their first half-day costs what trying does,
    and the second of a day what the day rate leaves.
    """
    groups = own.reduced.get(use.day, ())
    unit, price = unit_of(use.kind), unit_price_for(groups, prices, use.kind, use.resource_id)
    cents, full = price.full_cents, _amount(price.full_cents, use)
    amount = _amount(price.cents, use)
    terms = (prices.basis, prices.vat_rate_bp)
    if amount == 0:
        free = Decision(use, "free", unit, price.cents, 0, *terms, beyond=beyond)
        return replace(free, price_group_id=price.group_id, group=price.group, full_cents=full)
    if (found := own.plans.take(use)) is not None:
        plan, left = found
        return Decision(use, "subscription", unit, cents, 0, *terms, subscription_id=plan.id, beyond=beyond, left=left)
    if (taken := own.packs.take(use)) is not None:
        pack, left = taken
        until = pack.valid_until
        return Decision(use, "pack", unit, cents, 0, *terms, pack_id=pack.id, beyond=beyond, left=left, until=until)
    if (trial := own.take_trial(use, amount)) is not None:
        return Decision(use, "trial", unit, trial.cents, trial.cents, *terms, beyond=beyond, full_cents=amount)
    second = None
    if use.half is not None:
        day_cents = day_price_for(groups, prices, use.kind, use.resource_id)
        second = whole_days.second_cents(use, None, amount, day_cents)
    if second is None:
        paid = Decision(use, "tariff", unit, price.cents, amount, *terms, beyond=beyond)
    else:
        cover: Cover = "tariff" if second else "free"
        paid = Decision(use, cover, unit, second, second, *terms, beyond=beyond, alone_cents=amount)
    return replace(paid, price_group_id=price.group_id, group=price.group, full_cents=full)


def _amount(unit_cents: int, use: PlannedUse) -> int:
    """What the whole use comes to at a price per half-day, or per hour."""
    return unit_cents if unit_of(use.kind) == "half_day" else room_amount(unit_cents, use.span.minutes)


def personal_cents(decisions: Iterable[Decision]) -> int:
    """What the person owes for them, in cents."""
    return sum(part.amount_cents for part in parts_of(decisions) if part.organisation_id is None)


def parts_of(decisions: Iterable[Decision]) -> list[Decision]:
    """What each payer owes for each use."""
    return [part for decision in decisions for part in decision.parts]


def check_agreed(decisions: Sequence[Decision], agreed_cents: int | None, agreed_units: int | None = None) -> None:
    """Raise `PriceChanged` unless the person owes what they agreed to (None: they were not asked, staff books).

    ``agreed_units``: what they were told it takes of their plan and packs.
    """
    found = owed(decisions)
    if agreed_cents not in (None, found.cents) or agreed_units not in (None, found.by_plan + found.by_pack):
        raise PriceChanged(amount=Cents(found.cents))


@dataclass(frozen=True, slots=True)
class Owed:
    """What units come to: ``cents`` that the person owes, half-days of their employer's, and what they take of their plan
    and of packs, half-days and minutes of rooms together.

    ``basis`` of the cents; None where nothing is owed. ``total``: the cents whoever pays them, which is not what the person
    was told.
    """

    cents: int = 0
    by_plan: int = 0
    by_employer: int = 0
    by_pack: int = 0
    basis: str | None = None
    total: int = field(default=0, compare=False)

    def is_less_than(self, other: Owed) -> bool:
        """Whether the lieu gets less: fewer cents, or the same and less of a plan or pack."""
        return (self.total, self.by_plan + self.by_pack) < (other.total, other.by_plan + other.by_pack)


def owed(decisions: Sequence[Decision]) -> Owed:
    """What ``decisions`` come to for their person."""
    return owed_of([(d.organisation_id, d.cover, d.amount_cents, d.basis, d.use.units) for d in parts_of(decisions)])


def owed_of(terms: Sequence[tuple[int | None, str, int, str, int]]) -> Owed:
    """What terms come to, each (the organisation that pays, cover, cents, basis, what it takes of a plan or pack)."""
    cents = sum(amount for organisation, _, amount, *_ in terms if organisation is None)
    return Owed(
        cents,
        sum(units for _, cover, _, _, units in terms if cover == "subscription"),
        sum(organisation is not None for organisation, *_ in terms),
        sum(units for _, cover, _, _, units in terms if cover == "pack"),
        terms[0][3] if cents else None,
        sum(amount for _, _, amount, *_ in terms),
    )


def check_same(decisions: Sequence[Decision], before: Owed) -> None:
    """Raise `PriceChanged` unless ``decisions`` come to what was owed ``before``: the person was told of no other price."""
    found = owed(decisions)
    if found != before:
        raise PriceChanged(amount=Cents(found.cents))
