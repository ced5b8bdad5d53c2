"""Withdrawing within fourteen days from what was bought online: what stays owed, what comes off, and what refuses it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Person
from coworking.billing import charges, discounts, queries, services, withdrawals
from coworking.billing.models import Charge, Invoice
from coworking.booking import services as booking
from coworking.booking.rules import Half
from coworking.core import checks, guards
from coworking.core import sales as registry
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import DomainError, NotFound
from coworking.core.units import end_read, write_unit
from coworking.membership import (
    change_offers,
    changing,
    entitlement_queries,
    expiring,
    paying_first,
    withdrawal_queries,
)
from coworking.membership import queries as memberships
from coworking.membership import services as membership
from coworking.membership.models import Pack, PackReturn, Subscription
from coworking.membership.pack_rules import PackNothingLeft
from coworking.membership.rules import AlreadyEnded, AlreadySubscribed
from coworking.membership.withdrawal_models import Withdrawal
from coworking.membership.withdrawal_rules import (
    BookedOnIt,
    ChangedSince,
    LetterDayWrong,
    NotSoldAtDistance,
    WithdrawalChanged,
    WithdrawalOver,
)
from tests import factories
from tests.membership.first import ask_first, pay
from tests.support import emails as golden
from tests.support.billing import NOVEMBER, TODAY, make_billing_lieu, settled
from tests.support.threads import at_once

DECEMBER, JANUARY = date(2026, 12, 1), date(2027, 1, 1)
THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
MORNING: frozenset[Half] = frozenset({"am"})
AFTERNOON: frozenset[Half] = frozenset({"pm"})


@pytest.fixture
def lieu(app):
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        factories.make_tariff()
        yield made


@pytest.fixture
def lise(lieu):
    return lieu.cast.stranger.actor()


@pytest.fixture
def pays_first(lieu, monkeypatch):
    """Plans and packs are paid before they begin."""
    monkeypatch.setattr(registry, "can_be_paid", lambda cents: cents > 0)
    ask_first()


@pytest.fixture
def plan(lieu, lise):
    """Lise's ten half-days a month for 60 €, taken online on 24 November."""
    offered = factories.make_plan(cents=6000, halfdays=10)
    return membership.subscribe(lise, offered.public_id, first_month=NOVEMBER)


@pytest.fixture
def pack(lieu, lise):
    """Lise's ten half-days for 80 €, bought online on 24 November."""
    return membership.buy_pack(lise, factories.make_pack_offer(cents=8000).public_id)


def withdraw(actor, contract, sent_on: date | None = None) -> Withdrawal:
    kind: withdrawals.Bought = "plan" if isinstance(contract, Subscription) else "pack"
    found = withdrawals.look(contract, sent_on)
    return withdrawals.withdraw(actor, kind, contract.public_id, agreed_cents=found.returned_cents, sent_on=sent_on)


def amounts() -> list[tuple[str, int]]:
    rows = db.session.execute(select(Charge.source, Charge.amount_cents).order_by(Charge.id))
    return [(source, cents) for source, cents in rows]


def faults(*, but: str = "is not closed") -> list[str]:
    db.session.rollback()
    return [fault for one, found in checks.run() if one.promise == 3 for fault in found if but not in fault]


def sums(made: Withdrawal) -> tuple[int, int]:
    return made.kept_cents, made.returned_cents


# Plans ----------------------------------------------------------------------------------------------------------------


def test_the_days_gone_by_stay_owed_and_the_rest_comes_off_the_next_invoice(lieu, lise, plan, clock):
    clock.advance(days=2)
    assert sums(withdraw(lise, plan)) == (2571, 3429), "three of the seven days from 24 to 30 November"
    assert amounts() == [("subscription", 6000), ("discount", -3429)]
    label = db.session.scalars(select(Charge.label).where(Charge.source == "discount")).one()
    assert "Rétractation, dû jusqu’au 26 novembre 2026" in label
    clock.set(clock.now + timedelta(days=40))
    for month in (NOVEMBER, DECEMBER):
        services.run(lieu.manager, month)
    assert db.session.scalars(select(Invoice.payable_cents)).all() == [2571], "and no month after that"
    assert faults() == []


def test_a_discount_that_was_given_before_and_what_is_withdrawn_come_off_together(lieu, lise, plan, clock):
    charges.gather(NOVEMBER)
    charge = db.session.scalars(select(Charge)).one()
    discounts.reduce(lieu.manager, charge.public_id, 1000, "Bienvenue")
    clock.advance(days=2)
    assert sums(withdraw(lise, plan)) == (2143, 2857), "three of seven days of the 50 € that were owed"
    assert amounts() == [("subscription", 6000), ("discount", -3857)]
    clock.set(clock.now + timedelta(days=40))
    services.run(lieu.manager, NOVEMBER)
    assert db.session.scalars(select(Invoice.payable_cents)).all() == [2143]
    assert faults() == []


def test_an_invoice_is_corrected_by_a_credit_note_and_what_was_paid_waits_to_be_refunded(lieu, pays_first, lise, clock):
    offered = factories.make_plan(cents=6000, halfdays=10)
    sale = paying_first.sell_plan(lise, offered.public_id, first_month=NOVEMBER)
    pay(sale.public_id)
    plan = db.session.scalars(select(Subscription)).one()
    assert plan.at_distance
    services.run(lieu.manager, NOVEMBER)
    clock.advance(days=2)
    withdraw(lise, plan)
    invoice, note = db.session.scalars(select(Invoice).order_by(Invoice.id)).all()
    assert (invoice.payable_cents, note.payable_cents, note.corrects_id) == (6000, -3429, invoice.id)
    assert queries.content(note)["reason"] == "Rétractation, dû jusqu’au 26 novembre 2026"
    assert faults(but="no money came for it") == []


def test_the_next_month_counts_from_its_own_first_day(lieu, lise, plan, clock):
    clock.advance(days=8)  # 2 December
    assert sums(withdraw(lise, plan)) == (6000 + 387, 5613), "November whole, 2 of 31 days of December"
    assert sorted(amounts()) == [("discount", -5613), ("subscription", 6000), ("subscription", 6000)]
    assert charges.gather_recent() == 0
    assert faults() == []


def test_before_it_begins_and_within_ten_minutes_the_whole_price_comes_back(lieu, lise, plan, clock):
    clock.advance(minutes=9)
    assert sums(withdraw(lise, plan)) == (0, 0), "it was not charged yet"
    assert plan.withdrawn_at is not None
    offered = factories.make_plan("Plus tard", cents=6000)
    later = membership.subscribe(lise, offered.public_id, first_month=DECEMBER)
    clock.advance(days=3)
    withdraw(lise, later)
    assert amounts() == []
    assert memberships.subscriptions_of(lieu.cast.stranger.id) == []
    assert faults() == []


def test_a_plan_paid_first_for_a_month_to_come_is_credited_whole(lieu, pays_first, lise, clock):
    offered = factories.make_plan(cents=6000, halfdays=10)
    pay(paying_first.sell_plan(lise, offered.public_id, first_month=DECEMBER).public_id)
    plan = db.session.scalars(select(Subscription)).one()
    with write_unit():
        charges.charge_sold("subscription", plan.id, NOVEMBER)
    services.run(lieu.manager, NOVEMBER)
    clock.advance(days=4)
    assert sums(withdraw(lise, plan)) == (0, 6000)
    assert db.session.scalars(select(Invoice.payable_cents).order_by(Invoice.id)).all() == [6000, -6000]
    assert faults(but="no money came for it") == []


def test_after_it_nothing_is_covered_nor_left_nor_kept_nor_told_to_end(lieu, lise, plan, clock, run_outbox, mailbox):
    booking.book_half_days(lise, TODAY, AFTERNOON)
    clock.advance(days=1)
    withdraw(lise, plan)
    (left,) = entitlement_queries.remaining(lieu.cast.stranger.id, TODAY + timedelta(days=1))
    assert (left.left, left.until) == (9, TODAY + timedelta(days=1)), "its last day is owed, and can be used"
    made = booking.book_half_days(lise, FRIDAY, MORNING)
    assert [unit.quote.cover for unit in made.units if unit.quote is not None] == ["tariff"]
    assert entitlement_queries.remaining(lieu.cast.stranger.id, FRIDAY) == []
    assert change_offers.to_keep([plan]) == set()
    with pytest.raises(AlreadyEnded):
        changing.keep(lise, plan.public_id)
    with pytest.raises(AlreadyEnded):
        membership.end_subscription(lise, plan.public_id)
    run_outbox()
    before = len(mailbox())
    clock.advance(days=4)
    expiring.warn_of_ending()
    run_outbox()
    assert len(mailbox()) == before
    assert faults() == []


def test_another_plan_can_be_had_from_the_next_month(lieu, lise, plan, clock):
    clock.advance(days=1)
    withdraw(lise, plan)
    other = factories.make_plan("Autre", cents=9000).public_id
    with pytest.raises(AlreadySubscribed):
        membership.subscribe(lise, other, first_month=NOVEMBER)
    membership.subscribe(lise, other, first_month=DECEMBER)
    assert faults() == []


def test_what_is_still_to_come_must_be_cancelled_first(lieu, lise, plan, clock):
    booking.book_half_days(lise, FRIDAY, MORNING)
    clock.advance(days=1)
    with pytest.raises(BookedOnIt) as refused:
        withdraw(lise, plan)
    assert refused.value.params == {"day": FRIDAY}
    booking.cancel(lise, db.session.scalars(text("SELECT public_id FROM booking")).one())
    withdraw(lise, plan)
    assert faults() == []


def test_its_last_day_is_the_fourteenth_and_no_more(lieu, lise, plan, clock):
    clock.set(clock.now + timedelta(days=14))
    assert withdrawal_queries.to_withdraw([plan]) == {plan.public_id: date(2026, 12, 8)}
    terms = withdrawals.look(plan)
    clock.set(clock.now + timedelta(days=1))
    end_read()
    with pytest.raises(WithdrawalOver):
        withdrawals.withdraw(lise, "plan", plan.public_id, agreed_cents=terms.returned_cents)
    assert withdrawal_queries.to_withdraw([plan]) == {}


def test_a_change_gives_back_what_it_added_and_the_plan_of_before_goes_on(lieu, lise, plan, clock):
    larger = factories.make_plan("Vingt", cents=12000, halfdays=20)
    following = changing.change_plan(lise, larger.public_id, at_once=True)
    with pytest.raises(ChangedSince):
        withdraw(lise, plan)
    clock.advance(days=1)
    assert sums(withdraw(lise, following)) == (400, 1000), "14 € for seven days, of which two are gone"
    end_read()
    assert (following.withdrawn_at is not None, plan.last_month) == (True, None)
    assert faults() == []
    withdraw(lise, plan)
    assert faults() == []


def test_a_change_whose_plan_has_begun_ends_it(lieu, lise, plan, clock):
    larger = factories.make_plan("Vingt", cents=12000, halfdays=20)
    following = changing.change_plan(lise, larger.public_id, at_once=True)
    clock.advance(days=8)
    assert sums(withdraw(lise, following)) == (1400 + 774, 12000 - 774)
    end_read()
    assert (following.ends_on, plan.last_month) == (date(2026, 12, 2), NOVEMBER)
    assert faults() == []


def test_what_the_page_said_is_agreed_to_or_nothing_is_done(lieu, lise, plan, clock):
    said = withdrawals.look(plan).returned_cents
    clock.advance(days=1)
    with pytest.raises(WithdrawalChanged):
        withdrawals.withdraw(lise, "plan", plan.public_id, agreed_cents=said)
    assert db.session.scalar(select(func.count()).select_from(Withdrawal)) == 0


# Who, and when --------------------------------------------------------------------------------------------------------


def test_what_the_team_sells_on_the_spot_is_not_withdrawn_from(lieu, lise):
    person = lieu.cast.stranger.public_id
    offered, offer = factories.make_plan(), factories.make_pack_offer()
    plan = membership.subscribe(lieu.manager, offered.public_id, first_month=NOVEMBER, person=person)
    pack = membership.buy_pack(lieu.manager, offer.public_id, person=person)
    for contract in (plan, pack):
        with pytest.raises(NotSoldAtDistance):
            withdraw(lise, contract)
    assert withdrawal_queries.to_withdraw([plan, pack], by_letter=True) == {}


def test_what_the_team_asks_to_be_paid_online_is(lieu, pays_first, lise, clock):
    offer = factories.make_pack_offer(cents=8000)
    pay(paying_first.sell_pack(lieu.manager, offer.public_id, person=lieu.cast.stranger.public_id).public_id)
    withdraw(lise, db.session.scalars(select(Pack)).one())


def test_a_letter_counts_from_the_day_it_was_sent_whenever_it_arrives(lieu, lise, plan, clock):
    clock.set(clock.now + timedelta(days=20))
    with pytest.raises(WithdrawalOver):
        withdraw(lise, plan)
    for sent_on, refusal in ((TODAY - timedelta(days=1), LetterDayWrong), (date(2026, 12, 9), WithdrawalOver)):
        with pytest.raises(refusal):
            withdraw(lieu.manager, plan, sent_on)
    assert withdrawal_queries.to_withdraw([plan], by_letter=True), "the manager is still offered it"
    made = withdraw(lieu.manager, plan, THURSDAY)
    assert (sums(made), made.sent_on, plan.ends_on) == ((2571, 9429), THURSDAY, THURSDAY)
    assert ("waiver", -6000) in amounts(), "December is owed no more"
    trail = select(AuditEntry.person_id).where(AuditEntry.action == "withdrawal.made")
    assert db.session.scalars(trail).all() == [lieu.cast.stranger.id]
    assert faults() == []


def test_who_came_after_writing_pays_until_then(lieu, lise, plan, clock):
    booking.book_half_days(lise, FRIDAY, MORNING)
    clock.set(clock.now + timedelta(days=6))
    made = withdraw(lieu.manager, plan, THURSDAY)
    assert (sums(made), plan.ends_on) == ((3429, 2571), FRIDAY)
    assert faults() == []


def test_nobody_else_can(lieu, plan, pack):
    for other in (lieu.cast.member.actor(), lieu.cast.host.actor()):
        with pytest.raises(NotFound):
            withdrawals.withdraw(other, "plan", plan.public_id, agreed_cents=0)
        with pytest.raises(NotFound):
            withdrawals.withdraw(other, "pack", pack.public_id, agreed_cents=0)


# Packs ----------------------------------------------------------------------------------------------------------------


def test_the_units_that_are_left_of_a_pack_go_back_at_its_own_price(lieu, lise, pack, clock):
    for day in (THURSDAY, FRIDAY):
        booking.book_half_days(lise, day, MORNING)
    clock.advance(days=2)
    assert sums(withdraw(lise, pack)) == (1600, 6400)
    assert amounts() == [("pack", 8000), ("discount", -6400)]
    returned = db.session.scalars(select(PackReturn)).one()
    assert (returned.units, returned.cents) == (8, 6400)
    assert faults() == []


def test_a_pack_that_is_used_up_has_nothing_to_give_back(lieu, lise, clock):
    pack = membership.buy_pack(lise, factories.make_pack_offer(units=1).public_id)
    booking.book_half_days(lise, THURSDAY, MORNING)
    with pytest.raises(PackNothingLeft):
        withdraw(lise, pack)


# Once -----------------------------------------------------------------------------------------------------------------


def test_a_second_tap_finds_what_was_done(lieu, lise, plan, pack, clock):
    clock.advance(days=1)
    first = withdraw(lise, plan)
    again = withdrawals.withdraw(lise, "plan", plan.public_id, agreed_cents=first.returned_cents)
    other = withdraw(lise, pack)
    once_more = withdrawals.withdraw(lise, "pack", pack.public_id, agreed_cents=other.returned_cents)
    assert (again.id, once_more.id) == (first.id, other.id)
    assert db.session.scalar(select(func.count()).select_from(Withdrawal)) == 2
    assert withdrawal_queries.to_withdraw([plan, pack], by_letter=True) == {}
    assert {one.contract for one in withdrawal_queries.withdrawals_of(lieu.cast.stranger.id)} == {plan, pack}


def test_several_at_once_withdraw_once(app):
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        lise = made.cast.stranger.actor()
        plan = membership.subscribe(lise, factories.make_plan(cents=6000).public_id, first_month=NOVEMBER).public_id
        pack = membership.buy_pack(lise, factories.make_pack_offer(cents=8000).public_id).public_id
        with write_unit():  # as if the ten minutes were over
            db.session.scalars(select(Subscription)).one().created_at -= timedelta(hours=1)
        settled(made)
    wanted: list[tuple[withdrawals.Bought, str, int]] = [("plan", plan, 5143), ("pack", pack, 8000)] * 3

    def tap(kind: withdrawals.Bought, bought: str, cents: int) -> str:
        with app.app_context():
            try:
                return withdrawals.withdraw(lise, kind, bought, agreed_cents=cents).public_id
            except DomainError as error:
                return error.code

    answers = at_once([partial(tap, *one) for one in wanted])
    assert len(set(answers)) == 2, answers
    with app.app_context():
        assert sorted(amounts()) == [("discount", -5143), ("pack", 8000), ("subscription", 6000), ("waiver", -8000)]


def test_the_database_keeps_it_once_and_as_it_is(lieu, lise, pack, clock):
    withdraw(lise, pack)
    for change in (
        "UPDATE withdrawal SET returned_cents = 1",
        "DELETE FROM withdrawal",
        "INSERT INTO withdrawal (public_id, pack_id, sent_on, kept_cents, returned_cents, created_at)"
        " SELECT 'twice', pack_id, sent_on, 0, 0, created_at FROM withdrawal",
    ):
        with pytest.raises(IntegrityError), write_unit():
            db.session.execute(text(change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE withdrawal SET returned_cents = returned_cents - 1 WHERE pack_id IS NOT NULL", "did not go back"),
        ("UPDATE subscription SET ends_on = NULL, last_month = NULL", "its plan goes on"),
        ("DELETE FROM withdrawal WHERE subscription_id IS NOT NULL", "nobody withdrew from it"),
    ],
)
def test_the_nightly_check_finds_what_was_written_by_hand(lieu, lise, plan, pack, clock, change, said):
    clock.advance(days=1)
    withdraw(lise, plan)
    withdraw(lise, pack)
    assert faults() == []
    with write_unit():
        guards.remove(db.session.connection())
        db.session.execute(text(change))
    assert any(said in fault for fault in faults()), faults()
    with write_unit():
        guards.install(db.session.connection())


# E-mails --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_right_is_told_and_so_is_what_became_of_it(lieu, lise, clock, run_outbox, mailbox, language):
    with write_unit():
        db.session.get_one(Person, lieu.cast.stranger.id).locale = language

    def told(name: str) -> None:
        run_outbox()
        golden.check(mailbox()[-1], name)

    plan = membership.subscribe(lise, factories.make_plan(cents=6000).public_id, first_month=NOVEMBER)
    told("membership/plan_news-begun-online")
    pack = membership.buy_pack(lise, factories.make_pack_offer("Carnet", cents=8000).public_id)
    told("membership/pack_news-bought")
    clock.advance(days=2)
    withdraw(lise, pack)
    told("membership/pack_news-withdrawn")
    clock.advance(days=2)
    withdraw(lieu.manager, plan, THURSDAY)
    told("membership/plan_news-withdrawn")
