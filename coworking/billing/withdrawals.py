"""Withdrawing within the legal fourteen days from a plan or a pack bought at a distance: what it comes to, and doing it.

Owed is what was used until then, in proportion to the price: a plan's days, a pack's units. The rest comes off as it does
for a pack that is given back (`coworking.billing.taking_off`). See docs/adr/0038-fourteen-days.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import charges, labels, pack_refunds, pack_requests, taking_off
from coworking.billing.models import Charge
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.keyring import SigningKey, signing_key
from coworking.core.money import Cents
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, write_unit
from coworking.membership import news, withdrawal_queries, withdrawing
from coworking.membership import queries as memberships
from coworking.membership.access import record, subject
from coworking.membership.models import Pack, Subscription
from coworking.membership.withdrawal_models import Withdrawal
from coworking.membership.withdrawal_rules import Served, WithdrawalChanged, kept_of
from coworking.spaces import queries as spaces

Bought = Literal["plan", "pack"]


@dataclass(frozen=True, slots=True)
class WithdrawalTerms:
    """What withdrawing from ``contract`` comes to, in cents of its basis.

    ``until``: the last day that is owed, of a plan; None: nothing is. ``left``: the units of a pack that go back.
    """

    contract: Subscription | Pack
    kept_cents: int
    returned_cents: int
    until: date | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A month of a plan: what it is owed for, and its charge where there is one by now."""

    served: Served
    charge: Charge | None


def contract_of(actor: Actor, kind: Bought, public_id: str) -> Subscription | Pack:
    """What was bought, with its person; raises `NotFound`, also where it is neither one's own nor the reader manages."""
    if kind == "plan":
        found: Subscription | Pack = withdrawal_queries.plan_bought(public_id)
    else:
        found = memberships.pack_by_public_id(public_id)
    if found.person_id != actor.person_id and not actor.has(Role.MANAGER):
        raise NotFound()
    return found


def look(contract: Subscription | Pack, sent_on: date | None = None) -> WithdrawalTerms:
    """What withdrawing by a decision sent on that day (None: today) would come to now.

    Raises what `withdrawing.plan_end` and `pack_refunds.look` raise.
    """
    day = sent_on or spaces.today()
    if isinstance(contract, Subscription):
        return _of_plan(withdrawing.plan_end(contract, day))
    withdrawing.check_right(contract, day)
    found = pack_refunds.look(contract.public_id)
    return WithdrawalTerms(contract, found.kept_cents, found.cents, left=found.left)


def withdraw(
    actor: Actor, kind: Bought, public_id: str, *, agreed_cents: int, sent_on: date | None = None
) -> Withdrawal:
    """Withdraw from one's own plan or pack, or as a manager on behalf of who wrote a letter on ``sent_on``. Twice is fine.

    ``agreed_cents``: what the page said that comes back. Raises `NotFound`, what `look` raises, `WithdrawalChanged`, and
    what `taking_off.take_off` raises.
    """
    key, owner = signing_key(), contract_of(actor, kind, public_id).person.public_id
    with write_unit() as unit:
        who = subject(actor, owner)
        contract = _locked(contract_of(actor, kind, public_id))
        made = withdrawal_queries.withdrawal_from(contract)
        if made is None:
            day = sent_on or spaces.today()
            if isinstance(contract, Subscription):
                made = _withdraw_plan(actor, key, contract, day, agreed_cents)
            else:
                made = _withdraw_pack(actor, key, who, contract, day, agreed_cents)
            record(actor, "withdrawal.made", ("withdrawal", made.id), who.id, sent_on=day.isoformat())
        unit.result = made.public_id
    return made


# Within the unit ------------------------------------------------------------------------------------------------------


def _locked(contract: Subscription | Pack) -> Subscription | Pack:
    if isinstance(contract, Subscription):
        return withdrawing.lock_plan(contract)
    return db.session.scalars(locked(select(Pack).where(Pack.id == contract.id))).one()


def _withdraw_plan(actor: Actor, key: SigningKey, taken: Subscription, day: date, agreed_cents: int) -> Withdrawal:
    end = withdrawing.plan_end(taken, day)
    if end.until is not None:
        for row in end.parts:
            charges.charge_plan(row)
    terms = _of_plan(end)
    _check_agreed(terms, agreed_cents)
    why = labels.withdrawn(end.until, taken.person.locale)
    for part in _parts(end):
        back = part.served.cents - part.served.kept_until(end.until)
        if part.charge is not None and back:
            taking_off.take_off(actor, key, taking_off.lock_standing(part.charge), back, why)
    withdrawing.end_plan(end)
    made = _written(actor, terms, day, subscription_id=taken.id)
    news.tell("withdrawn", taken)
    return made


def _withdraw_pack(actor: Actor, key: SigningKey, who: Person, pack: Pack, day: date, agreed_cents: int) -> Withdrawal:
    terms = look(pack, day)
    _check_agreed(terms, agreed_cents)
    pack_requests.drop_in_unit(actor, pack)
    pack_refunds.give_back_in_unit(actor, key, who, pack, agreed_cents=agreed_cents)
    made = _written(actor, terms, day, pack_id=pack.id)
    news.tell_of_pack("withdrawn", pack)
    return made


def _check_agreed(terms: WithdrawalTerms, agreed_cents: int) -> None:
    if terms.returned_cents != agreed_cents:
        raise WithdrawalChanged(amount=Cents(terms.returned_cents))


def _written(actor: Actor, terms: WithdrawalTerms, day: date, **contract: int) -> Withdrawal:
    made = Withdrawal(
        sent_on=day,
        kept_cents=terms.kept_cents,
        returned_cents=terms.returned_cents,
        created_by_id=actor.person_id,
        **contract,
    )
    db.session.add(made)
    db.session.flush()
    return made


def _of_plan(end: withdrawing.PlanEnd) -> WithdrawalTerms:
    parts = [part.served for part in _parts(end)]
    kept = kept_of(parts, end.until)
    return WithdrawalTerms(end.parts[-1], kept, sum(part.cents for part in parts) - kept, until=end.until)


def _parts(end: withdrawing.PlanEnd) -> Iterator[_Part]:
    """The months of a plan that were charged, and where it had begun those that will be."""
    for row in end.parts:
        of_it = select(Charge).where(Charge.source == "subscription", Charge.source_id == row.id)
        written = {charge.month: charge for charge in db.session.scalars(of_it.order_by(Charge.month))}
        for charge in map(taking_off.standing_of, written.values()):
            cents = max(0, charge.amount_cents - taking_off.let_off_of(charge))
            yield _Part(Served(cents, *withdrawal_queries.days_of_plan(row, charge.month)), charge)
        for values in charges.plan_charges(row) if end.until is not None else ():
            if values["month"] not in written:
                served = Served(values["amount_cents"], *withdrawal_queries.days_of_plan(row, values["month"]))
                yield _Part(served, None)
