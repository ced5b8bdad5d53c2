"""Packs of prepaid units: what draws on them and when, what comes back, who may have one, and what the database refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from coworking.accounts.models import Person
from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import offers, services
from coworking.booking.placing import Request, RequestedItem
from coworking.core import guards, sales
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.timespan import Span
from coworking.core.units import end_read, write_unit
from coworking.membership import coverage, entitlement_queries, expiring, paying_first, queries
from coworking.membership import services as membership
from coworking.membership.allowance_rules import PackTerms, PlannedUse
from coworking.membership.entitlement import Entitlements, PriceChanged, decide
from coworking.membership.ledger_queries import accounts_of
from coworking.membership.models import LedgerEntry, Pack
from coworking.membership.rules import MustBePaidFirst, PackClosed, days_warned, last_day_of
from coworking.pricing.models import Quote
from coworking.pricing.rules import Prices
from tests.factories import make_pack, make_pack_offer, make_subscription, make_tariff
from tests.membership.first import ask_first, pay, sale_now
from tests.support import emails as golden
from tests.support.threads import at_once

TODAY = date(2026, 11, 24)
THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
MORNING, DAY = frozenset({"am"}), frozenset({"am", "pm"})
_MORNINGS = [(day, datetime(day.year, day.month, day.day, 8, tzinfo=UTC)) for day in (THURSDAY, FRIDAY)]


@pytest.fixture
def payers(inside, place, cast):
    make_tariff()
    return cast


@pytest.fixture
def payable(monkeypatch):
    """Anything can be paid at once here."""
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])


def book(person, day: date = THURSDAY, halves=MORNING, **more):
    return services.book_half_days(person.actor(), day, halves, **more)


def covers() -> list[tuple[str, int | None]]:
    return [tuple(row) for row in db.session.execute(select(Quote.cover, Quote.pack_id).order_by(Quote.id))]


def left(person) -> list[int]:
    return [one.left for one in queries.packs_of(person.id, TODAY)]


def room(person, place, minutes: int, hour: int = 9):
    start = datetime(2026, 11, 26, hour - 1, tzinfo=UTC)
    span = Span(start, start + timedelta(minutes=minutes))
    return services.book(person.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))


# What draws on a pack -------------------------------------------------------------------------------------------------


def test_the_plan_is_used_first_then_the_pack_that_ends_first_then_the_price(payers):
    make_subscription(payers.member, halfdays=1)
    later = make_pack(payers.member, units=1, valid_until=date(2027, 3, 1))
    sooner = make_pack(payers.member, units=1, valid_until=date(2026, 12, 31))
    for day in (THURSDAY, FRIDAY):
        book(payers.member, day, DAY, agreed_cents=None)
    assert covers() == [("subscription", None), ("pack", sooner.id), ("pack", later.id), ("tariff", None)]


def test_a_pack_pays_on_its_days_alone(payers):
    make_pack(payers.member, valid_until=THURSDAY)
    book(payers.member, THURSDAY)
    book(payers.member, FRIDAY)
    assert [cover for cover, _pack in covers()] == ["pack", "tariff"]


def test_of_several_days_a_pack_pays_those_up_to_its_end():
    """They are decided together, as when a week is repeated: the pack is there on the first of them alone."""
    pack = PackTerms(1, "Dix", "half_day", TODAY, THURSDAY, 5)
    uses = [PlannedUse(1, "desk", day, "am", Span(at, at + timedelta(hours=4))) for day, at in _MORNINGS]
    prices = {day: Prices({"desk": 900}, {}) for day, _ in _MORNINGS}
    assert [one.cover for one in decide(uses, None, Entitlements(packs=[pack]), prices)] == ["pack", "tariff"]


def test_half_days_pay_no_rooms_and_room_hours_no_desks(payers, place):
    make_pack(payers.member, unit="half_day", units=5)
    make_pack(payers.member, unit="hour", units=90, valid_until=date(2027, 1, 1))
    room(payers.member, place, 60)
    room(payers.member, place, 60, hour=11)
    book(payers.member)
    quotes = db.session.execute(select(Quote.cover, Quote.amount_cents).order_by(Quote.id)).all()
    assert [tuple(row) for row in quotes] == [("pack", 0), ("tariff", 1500), ("pack", 0)], "a use is covered whole"
    assert left(payers.member) == [30, 4]


def test_nobody_draws_on_anybody_elses(payers):
    make_pack(payers.colleague)
    book(payers.member)
    assert covers() == [("tariff", None)]


def test_what_is_cancelled_in_time_comes_back_and_what_is_not_stays_used(payers, clock):
    make_pack(payers.member, units=2)
    kept, given = book(payers.member, THURSDAY), book(payers.member, FRIDAY)
    assert left(payers.member) == [0]
    services.cancel(payers.member.actor(), given.public_id)
    assert left(payers.member) == [1]
    services.undo_cancel(payers.member.actor(), given.public_id)
    assert left(payers.member) == [0]
    clock.set(datetime(2026, 11, 26, 7, 30, tzinfo=UTC))
    services.cancel(payers.member.actor(), kept.public_id)
    assert left(payers.member) == [0]


def test_an_undo_never_takes_what_went_to_another_booking(payers):
    make_pack(payers.member, units=1)
    first = book(payers.member, THURSDAY)
    services.cancel(payers.member.actor(), first.public_id)
    book(payers.member, FRIDAY)
    with pytest.raises(Exception, match="was used by another booking"):
        services.undo_cancel(payers.member.actor(), first.public_id)


def test_the_sheet_says_what_it_takes_and_what_is_left(payers):
    pack = make_pack(payers.member, units=3)
    start = datetime(2026, 11, 26, 8, tzinfo=UTC)
    request = Request(Span(start, start + timedelta(hours=9)), (RequestedItem(kind="desk"),))
    terms = offers.offer(payers.member.actor(), request).terms
    assert (terms.cents, terms.by_pack, terms.pack_left, terms.pack_until) == (0, 2, 1, pack.valid_until)
    (one,) = entitlement_queries.remaining(payers.member.id, TODAY)
    assert (one.left, one.total, one.until, one.employer) == (3, None, pack.valid_until, False)


def test_sixteen_bookings_at_once_take_the_last_unit_once(app, payers):
    make_pack(payers.member, units=1)
    actor = payers.member.actor()
    days = [day for n in range(30) if (day := THURSDAY + timedelta(days=n)).weekday() < 5][:16]
    end_read()

    def one(day: date) -> None:
        with app.app_context():
            services.book_half_days(actor, day, MORNING)

    at_once([partial(one, day) for day in days])
    found = [cover for cover, _pack in covers()]
    assert sorted(found) == ["pack"] + ["tariff"] * 15
    assert left(payers.member) == [0]


# What the database refuses --------------------------------------------------------------------------------------------


def test_the_database_refuses_what_no_pack_holds(payers):
    """Somebody with SQL draws once more on what is used up, on another's pack, or after its end."""
    spent = make_pack(payers.member, units=1)
    book(payers.member)
    others = make_pack(payers.colleague)
    over = make_pack(payers.member, valid_until=TODAY)
    quote = book(payers.member, FRIDAY).units[0].quote
    end_read()
    for pack in (spent, others, over):
        with pytest.raises(DBAPIError) as refused, write_unit():
            db.session.execute(
                text(
                    "INSERT INTO ledger_entry (pack_id, units, person_id, month, quote_id, kind, created_at)"
                    " SELECT :pack, 1, person_id, '2026-11-01', id, 'hold', created_at FROM quote WHERE id = :quote"
                ),
                {"pack": pack.id, "quote": quote.id},
            )
        assert guards.refused_by(refused.value) == "pack_within"
    for statement in ("UPDATE pack SET units = 99", "DELETE FROM pack"):
        with pytest.raises(DBAPIError) as refused, write_unit():
            db.session.execute(text(statement))
        assert guards.refused_by(refused.value) == "pack_append_only"


# Buying one -----------------------------------------------------------------------------------------------------------


def test_a_pack_bought_for_oneself_is_charged_once_on_the_months_invoice(payers):
    offer = make_pack_offer(units=10, cents=6000, months=6)
    pack = membership.buy_pack(payers.member.actor(), offer.public_id, agreed_cents=6000)
    assert (pack.valid_from, pack.valid_until, pack.units) == (TODAY, date(2027, 5, 23), 10)
    end_read()
    charges.gather(date(2026, 11, 1))
    assert charges.gather(date(2026, 11, 1)) == 0
    charge = db.session.scalars(select(Charge)).one()
    assert (charge.source, charge.family, charge.amount_cents, charge.payer_person_id) == (
        "pack",
        "pack",
        6000,
        payers.member.id,
    )
    assert charge.label == "Carnet Dix demi-journées\u202f: 10 demi-journées de poste, jusqu’au 23 mai 2027"


def test_the_price_that_was_shown_is_the_price(payers):
    offer = make_pack_offer(cents=6000)
    with pytest.raises(PriceChanged):
        membership.buy_pack(payers.member.actor(), offer.public_id, agreed_cents=5000)
    membership.set_pack_offer_open(payers.manager.actor(), offer.public_id, False)
    with pytest.raises(PackClosed):
        membership.buy_pack(payers.member.actor(), offer.public_id, agreed_cents=6000)
    assert db.session.scalar(select(func.count(Pack.id))) == 0


def test_members_buy_for_themselves_and_managers_for_anyone(payers):
    offer = make_pack_offer()
    for actor in (payers.member.actor(), payers.host.actor()):
        with pytest.raises(NotFound):
            membership.buy_pack(actor, offer.public_id, person=payers.colleague.public_id)
    with pytest.raises(Forbidden):
        membership.add_pack_offer(
            payers.host.actor(), name="x", unit="hour", units=60, cents=1, basis="ttc", vat_rate_bp=0, valid_months=1
        )
    membership.buy_pack(payers.manager.actor(), offer.public_id, person=payers.colleague.public_id)
    assert left(payers.colleague) == [10]


def test_where_it_is_paid_first_it_is_there_once_the_money_came_and_once_only(payers, payable):
    ask_first()
    offer = make_pack_offer(cents=6000)
    with pytest.raises(MustBePaidFirst):
        membership.buy_pack(payers.member.actor(), offer.public_id)
    sale = paying_first.sell_pack(payers.member.actor(), offer.public_id, agreed_cents=6000).public_id
    assert paying_first.sell_pack(payers.member.actor(), offer.public_id).public_id == sale, "a second tap"
    assert left(payers.member) == []
    assert pay(sale) and pay(sale)
    assert left(payers.member) == [10]
    assert sale_now(sale).state == "paid"


# Before it ends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_its_owner_is_told_30_and_7_days_before_it_ends(payers, clock, run_outbox, mailbox, language):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = language
    make_pack(payers.member, units=4, valid_until=TODAY + timedelta(days=31))
    book(payers.member)
    run_outbox()
    before = len(mailbox())
    for _day in range(40):
        end_read()
        expiring.warn_of_ending()
        clock.advance(days=1)
        run_outbox()
    told = [one for one in mailbox()[before:] if "3 " in str(one["Subject"])]
    assert len(told) == 2
    golden.check(told[0], "membership/pack_ending")


def test_nobody_is_told_of_what_is_used_up_over_or_hardly_begun(payers, run_outbox, mailbox):
    make_pack(payers.member, units=1, valid_until=FRIDAY)
    book(payers.member)
    make_pack(payers.colleague, valid_until=TODAY - timedelta(days=1))
    make_pack(payers.stranger, valid_from=TODAY, valid_until=TODAY + timedelta(days=10))
    end_read()
    assert expiring.warn_of_ending() == 0
    ends = date(2026, 12, 24)
    for days_before, expected in ((31, None), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)):
        assert days_warned(date(2026, 6, 1), ends, ends - timedelta(days=days_before)) == expected


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 1, 15), 1, date(2026, 2, 14)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 11, 24), 6, date(2027, 5, 23)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 1, 1), 12, date(2026, 12, 31)),
    ],
)
def test_months_end_the_day_before_they_began(first, months, last):
    assert last_day_of(first, months) == last


# The month's ledger ---------------------------------------------------------------------------------------------------


def test_what_was_held_for_a_day_that_is_over_is_consumed_in_its_units(payers, place, clock):
    make_pack(payers.member, unit="hour", units=120)
    room(payers.member, place, 90)
    clock.set(datetime(2026, 11, 27, 8, tzinfo=UTC))
    end_read()
    assert coverage.consume_past() == 1
    rows = db.session.execute(select(LedgerEntry.kind, LedgerEntry.units).order_by(LedgerEntry.id)).all()
    assert [tuple(row) for row in rows] == [("hold", 90), ("consume", 90)]


def test_the_ledger_says_where_each_unit_went(payers, place, clock):
    make_subscription(payers.member, halfdays=2)
    make_pack(payers.member, units=3)
    given = book(payers.member, THURSDAY, DAY)
    book(payers.member, FRIDAY, DAY)
    services.cancel(payers.member.actor(), given.public_id)
    late = book(payers.member, date(2026, 11, 25), MORNING)
    clock.set(datetime(2026, 11, 25, 7, 30, tzinfo=UTC))
    services.cancel(payers.member.actor(), late.public_id)
    end_read()
    plan, pack = accounts_of(payers.member.id, date(2026, 11, 1), date(2026, 11, 28))
    assert [(line.day.day, line.half, line.went) for line in plan.lines] == [
        (25, "am", "late"),
        (26, "am", "back"),
        (26, "pm", "back"),
    ]
    assert (plan.given, plan.used, plan.booked, plan.left) == (2, 1, 0, 1)
    assert [(line.day.day, line.half, line.went) for line in pack.lines] == [(27, "am", "used"), (27, "pm", "used")]
    for account in (plan, pack):
        assert account.given == account.used + account.booked + account.left
    assert accounts_of(payers.colleague.id, date(2026, 11, 1), TODAY) == []
