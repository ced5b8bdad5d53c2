"""Promise 3 on the live data, as far as allowances go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from coworking.core.checks import check
from coworking.core.db import db
from coworking.core.months import month_end, month_of, write_month
from coworking.membership.allowance_queries import IN_ROOMS, LEFT_OF_PACK, UNITS_USED, USED, USED_OF_PACK
from coworking.membership.entitlement_queries import entitlements_of
from coworking.membership.models import Agreement, LedgerEntry, Pack, PackReturn, Subscription
from coworking.membership.trial_models import Trial
from coworking.membership.withdrawal_models import Withdrawal
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.models import Quote


@check(3, "no allowance is overdrawn")
def overdrawn() -> Iterator[str]:
    """Half-days that employers pay, by their agreement; what a person's plans hold, all of them together (`of_plans`)."""
    used = (
        select(LedgerEntry.agreement_id, LedgerEntry.person_id, LedgerEntry.month, USED)
        .where(LedgerEntry.agreement_id.is_not(None))
        .group_by(LedgerEntry.agreement_id, LedgerEntry.person_id, LedgerEntry.month)
        .order_by(LedgerEntry.person_id, LedgerEntry.month)
        .execution_options(yield_per=1000)
    )
    limits = dict(db.session.execute(select(Agreement.id, Agreement.halfdays_per_month)).all())
    for agreement, person, month, count in db.session.execute(used):
        limit = limits.get(agreement or 0)
        if count < 0 or (limit is not None and count > limit):
            yield f"person {person} used {count} of {limit} half-days in {write_month(month)}"


@check(3, "no plan is overdrawn, and what a former one holds fits into the plan that follows")
def of_plans() -> Iterator[str]:
    """In its own month a plan holds no more than it gives, with what went over into it; see `PlansLeft`.

    Looked at are the months where more is held than is given, or anything on a plan that is not of that month.
    """
    entry, plan = LedgerEntry, Subscription
    is_part = and_(plan.begins_on.is_not(None), entry.month == plan.first_month)
    given = case(
        (IN_ROOMS, func.coalesce(case((is_part, plan.first_room_minutes), else_=plan.room_minutes), 0)),
        (is_part, plan.first_halfdays),
        else_=plan.halfdays_per_month,
    )
    strange_month = or_(plan.withdrawn_at.is_not(None), entry.month < plan.first_month, entry.month > plan.last_month)
    not_of_its_month = case((strange_month, 1), else_=0)
    strange = (
        select(entry.person_id, entry.month)
        .join(plan, plan.id == entry.subscription_id)
        .group_by(entry.person_id, entry.month, plan.id, IN_ROOMS)
        .having(
            or_(func.min(given) < UNITS_USED, UNITS_USED < 0, and_(func.max(not_of_its_month) == 1, UNITS_USED > 0))
        )
        .order_by(entry.person_id, entry.month)
    )
    for person, month in sorted({(person, month) for person, month in db.session.execute(strange)}):
        found = entitlements_of(person, [month, month_end(month)], only="own")
        plans = {one.id: one for one in found.subscriptions if one.is_of(month)}
        left = found.plans_left
        if not plans:
            yield f"person {person}: something is held in {write_month(month)}, which has no plan"
        for (subscription, of_month, unit), count in (found.used_of_subscription or {}).items():
            if of_month != month or subscription not in plans:
                continue
            if count < 0 or not left.holds(plans[subscription], unit, month, 0):
                yield f"person {person} used {count} ({unit}) of a plan in {write_month(month)}: more than it holds"


@check(3, "what was brought into a plan is of its owner, and no more than the plan lets over")
def brought_into_plans() -> Iterator[str]:
    """What was used before the lieu moved here, and what came over into the month; how much was used: `of_plans`."""
    entry, plan = LedgerEntry, Subscription
    most = func.coalesce(case((IN_ROOMS, plan.rollover_minutes), else_=plan.rollover_halfdays), 0)
    strange = (
        select(entry.id, plan.id)
        .join(plan, plan.id == entry.subscription_id)
        .where(
            entry.kind.in_(("opening", "carried")),
            or_(entry.person_id != plan.person_id, and_(entry.kind == "carried", entry.units > most)),
        )
        .order_by(entry.id)
    )
    for row_id, subscription in db.session.execute(strange):
        yield f"ledger entry {row_id}: not of the owner, or more than goes over with plan {subscription}"


@check(3, "no pack is overdrawn")
def packs_overdrawn() -> Iterator[str]:
    beyond = (LEFT_OF_PACK < 0) | (USED_OF_PACK < 0)
    for pack_id, left, units in db.session.execute(select(Pack.id, LEFT_OF_PACK, Pack.units).where(beyond)):
        yield f"pack {pack_id}: {left} of {units} units left"


@check(3, "no more goes back for a pack than it cost")
def packs_given_back() -> Iterator[str]:
    sums = (
        select(Pack.id, Pack.cents, func.sum(PackReturn.cents))
        .join(PackReturn, PackReturn.pack_id == Pack.id)
        .group_by(Pack.id, Pack.cents)
        .order_by(Pack.id)
    )
    for pack_id, cents, given in db.session.execute(sums.having(func.sum(PackReturn.cents) > Pack.cents)):
        yield f"pack {pack_id}: {given} of {cents} cents went back"


@check(3, "who withdrew has what was withdrawn from no more")
def withdrawals() -> Iterator[str]:
    """A plan ended with it or never counted, and the other way round; a pack's units went back for as much."""
    plan, pack_back = Subscription, PackReturn
    stopped = or_(plan.ends_on.is_not(None), plan.withdrawn_at.is_not(None))
    over = and_(plan.last_month.is_not(None), plan.ended_at < Withdrawal.created_at)
    goes_on = select(Withdrawal.id).join(plan, plan.id == Withdrawal.subscription_id).where(~or_(stopped, over))
    for row_id in db.session.scalars(goes_on.order_by(Withdrawal.id)):
        yield f"withdrawal {row_id}: its plan goes on"
    following = aliased(Subscription)
    withdrawn_with = or_(
        Withdrawal.subscription_id == plan.id,
        Withdrawal.subscription_id.in_(select(following.id).where(following.replaces_id == plan.replaces_id)),
    )
    alone = select(plan.id).where(plan.ends_on.is_not(None), ~select(Withdrawal.id).where(withdrawn_with).exists())
    for row_id in db.session.scalars(alone.order_by(plan.id)):
        yield f"subscription {row_id} ends within a month, and nobody withdrew from it"
    back = select(pack_back.id).where(
        pack_back.pack_id == Withdrawal.pack_id, pack_back.cents == Withdrawal.returned_cents
    )
    kept = select(Withdrawal.id).where(Withdrawal.pack_id.is_not(None), ~back.exists()).order_by(Withdrawal.id)
    for row_id in db.session.scalars(kept):
        yield f"withdrawal {row_id}: its pack's units did not go back"


@check(3, "a pack is used by its owner, on its days")
def packs_of_others() -> Iterator[str]:
    strange = (
        select(LedgerEntry.id, LedgerEntry.pack_id)
        .join(Pack, Pack.id == LedgerEntry.pack_id)
        .join(Quote, Quote.id == LedgerEntry.quote_id)
        .where(
            or_(
                Pack.person_id != LedgerEntry.person_id,
                Pack.person_id != Quote.person_id,
                Quote.pack_id.is_distinct_from(Pack.id),
                ~Quote.day.between(Pack.valid_from, Pack.valid_until),
            )
        )
        .order_by(LedgerEntry.id)
    )
    for entry, pack_id in db.session.execute(strange):
        yield f"ledger entry {entry}: not of the owner or of the days of pack {pack_id}"


@check(3, "an employer pays no more than it agreed to")
def agreements_overspent() -> Iterator[str]:
    """The euros of a month and the days of a week; half-days are an allowance (`overdrawn`)."""
    limited = or_(Agreement.cap_cents.is_not(None), Agreement.days_per_week.is_not(None))
    terms = select(Agreement.id, Agreement.cap_cents, Agreement.cap_of, Agreement.days_per_week).where(limited)
    for agreement in db.session.execute(terms.order_by(Agreement.id)).all():
        spent: Counter[tuple[int | None, date]] = Counter()
        days: dict[tuple[int, date], set[date]] = {}
        for person, day, cents in db.session.execute(
            select(Quote.person_id, Quote.day, func.sum(Quote.amount_cents))
            .where(Quote.agreement_id == agreement.id, Quote.state != "released")
            .group_by(Quote.person_id, Quote.day)
        ):
            spent[person if agreement.cap_of == "person" else None, month_of(day)] += int(cents)
            days.setdefault((person, day - timedelta(days=day.weekday())), set()).add(day)
        for (person, month), cents in sorted(spent.items(), key=str):
            if agreement.cap_cents is not None and cents > agreement.cap_cents:
                whom = "everyone" if person is None else f"person {person}"
                yield f"agreement {agreement.id} pays {cents} cents in {write_month(month)} for {whom}"
        for (person, monday), found in sorted(days.items()):
            if agreement.days_per_week is not None and len(found) > agreement.days_per_week:
                yield f"agreement {agreement.id} pays {len(found)} days of person {person} in the week of {monday}"


@check(3, "a shared unit is owed by both its payers or by neither")
def shared_units() -> Iterator[str]:
    whole, rest = aliased(Quote), aliased(Quote)
    statement = (
        select(rest.id, rest.state, whole.state)
        .outerjoin(whole, whole.rest_id == rest.id)
        .where(rest.cover == "share", or_(whole.id.is_(None), whole.state != rest.state))
        .order_by(rest.id)
    )
    for quote, state, of_employer in db.session.execute(statement):
        yield f"quote {quote} is {state}, and its employer's part is {of_employer or 'nowhere'}"


@check(3, "a half-day to try is had once by each person and mailbox")
def trials_had_once() -> Iterator[str]:
    statement = (
        select(Quote.id, Quote.person_id, Trial.id)
        .outerjoin(Trial, and_(Trial.quote_id == Quote.id, Trial.person_id == Quote.person_id))
        .where(Quote.cover == "trial", Quote.state != "released")
        .order_by(Quote.id)
    )
    seen: set[int] = set()
    for quote, person, trial in db.session.execute(statement):
        if trial is None:
            yield f"quote {quote} is a half-day to try, and is not noted as the one of person {person}"
        if person in seen:
            yield f"quote {quote} is another half-day to try of person {person}"
        seen.add(person)


@check(3, "a reduced price is paid by who belongs to its group")
def reduced_of_others() -> Iterator[str]:
    """Ended early or not: a quote keeps its price, so the dates that were given count here."""
    belongs = select(PriceGroupMember.id).where(
        PriceGroupMember.person_id == Quote.person_id,
        PriceGroupMember.group_id == Quote.price_group_id,
        Quote.day.between(PriceGroupMember.valid_from, PriceGroupMember.valid_until),
    )
    strange = select(Quote.id).where(Quote.price_group_id.is_not(None), ~belongs.exists()).order_by(Quote.id)
    for quote in db.session.scalars(strange):
        yield f"quote {quote}: a reduced price of a group to which the person did not belong that day"


@check(3, "what is held of an allowance is consumed or released, not both")
def entries() -> Iterator[str]:
    def times(kind: str):  # type: ignore[no-untyped-def] - an SQL expression
        return func.sum(case((LedgerEntry.kind == kind, 1), else_=0))

    statement = (
        select(LedgerEntry.quote_id, Quote.state, times("hold"), times("consume"), times("release"))
        .join(Quote, Quote.id == LedgerEntry.quote_id)
        .group_by(LedgerEntry.quote_id, Quote.state)
        .order_by(LedgerEntry.quote_id)
        .execution_options(yield_per=1000)
    )
    for quote, state, held, consumed, released in db.session.execute(statement):
        if held != 1 or consumed + released > 1 or (state == "released") != (released == 1):
            yield f"quote {quote} ({state}): {held} × hold, {consumed} × consume, {released} × release"
