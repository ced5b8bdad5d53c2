"""Reduced prices: who gets one and by which proof, what it costs then, and that every place says the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from coworking.accounts import erasing
from coworking.accounts.rules import DatesCross
from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import offers, services
from coworking.booking.placing import Request, RequestedItem
from coworking.core import checks
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.timespan import Span
from coworking.core.units import end_read, write_unit
from coworking.membership import coverage
from coworking.membership.allowance_rules import PlannedUse
from coworking.membership.entitlement import PriceChanged
from coworking.pricing import group_queries, group_services
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.group_rules import (
    GivenAlready,
    GivenInPast,
    GroupClosed,
    GroupNameTaken,
    GroupPrices,
    GroupPricesInPast,
    PercentageOnly,
    ProofNotSeen,
    Reduction,
    ReductionInvalid,
    least,
    price_for,
    reduction_of,
    unit_price_for,
)
from coworking.pricing.models import Quote
from coworking.pricing.rules import Prices
from tests.factories import make_agreement, make_group, make_pack, make_reduced, make_subscription, make_tariff
from tests.support.threads import at_once

TODAY, YESTERDAY = date(2026, 11, 24), date(2026, 11, 23)
WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
MORNING = frozenset({"am"})

cents = st.integers(0, 10_000_000)
reductions = st.one_of(st.builds(Reduction, percent_bp=st.integers(1, 10_000)), st.builds(Reduction, cents=cents))


# The rule -------------------------------------------------------------------------------------------------------------


@given(full=cents, percent=st.integers(1, 10_000))
def test_a_percentage_off_is_rounded_once_to_the_nearest_cent(full, percent):
    found = Reduction(percent_bp=percent).of(full)
    assert abs(found * 10_000 - full * (10_000 - percent)) <= 5_000
    assert 0 <= found <= full


@given(full=cents, each=st.lists(reductions, max_size=5))
def test_of_several_the_one_that_costs_least_counts_alone_and_never_more_than_the_full_price(full, each):
    groups = [(GroupPrices(at, f"g{at}", {}), one) for at, one in enumerate(each)]
    found = least(full, groups)
    assert found.cents == min([full, *(one.of(full) for one in each)])
    assert (found.group_id is None) == (found.cents == full)
    assert found.full_cents == full


def test_half_a_cent_is_rounded_up():
    assert Reduction(percent_bp=5000).of(901) == 451


def test_what_is_said_of_one_pack_comes_before_what_is_said_of_every_pack():
    group = GroupPrices(1, "étudiant", {("pack", 0): Reduction(percent_bp=1000), ("pack", 7): Reduction(cents=3000)})
    assert price_for([group], "pack", 6000, 7).cents == 3000
    assert price_for([group], "pack", 6000, 8).cents == 5400
    assert price_for([group], "plan", 6000, 7).cents == 6000


def test_a_price_of_its_own_stands_for_its_kind_and_a_percentage_comes_off_every_place():
    prices = Prices({"room": 1500}, {9: 3000})
    fixed = GroupPrices(1, "a", {("room", 0): Reduction(cents=500)})
    off = GroupPrices(2, "b", {("room", 0): Reduction(percent_bp=5000)})
    assert [unit_price_for([fixed], prices, "room", at).cents for at in (1, 9)] == [500, 3000]
    assert [unit_price_for([off], prices, "room", at).cents for at in (1, 9)] == [750, 1500]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("50 %", Reduction(percent_bp=5000)), ("12,5%", Reduction(percent_bp=1250)), ("4,50", Reduction(cents=450))],
)
def test_a_reduction_is_typed_as_a_percentage_or_a_price(typed, expected):
    assert reduction_of(typed) == expected


@pytest.mark.parametrize("typed", ["0 %", "101 %", "-5", "half", "5 % 5", "1e3", "%"])
def test_what_is_neither_is_refused(typed):
    with pytest.raises(ReductionInvalid):
        reduction_of(typed)


def test_every_plan_together_has_no_price_of_its_own():
    with pytest.raises(PercentageOnly):
        reduction_of("30", only_percentage=True)


# Booking --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def payers(inside, place, cast):
    make_tariff()
    return cast


@pytest.fixture
def half(payers):
    """Jobseekers pay half of a desk and 5.00 for an hour of a room; the member is one."""
    group = make_group(desk=Reduction(percent_bp=5000), room=Reduction(cents=500))
    make_reduced(payers.member, group, valid_until=THURSDAY)
    return group


def book(person, day: date = THURSDAY, halves=MORNING, **more):
    return services.book_half_days(person.actor(), day, halves, **more)


def quoted() -> list[tuple[str, int, int | None]]:
    rows = select(Quote.cover, Quote.amount_cents, Quote.price_group_id).order_by(Quote.id)
    return [tuple(row) for row in db.session.execute(rows)]


def room(person, place, minutes: int):
    start = datetime(2026, 11, 26, 8, tzinfo=UTC)
    span = Span(start, start + timedelta(minutes=minutes))
    return services.book(person.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))


def test_who_belongs_to_a_group_pays_its_price_on_its_days_alone(payers, half):
    book(payers.member, THURSDAY)
    book(payers.member, FRIDAY)
    book(payers.stranger, THURSDAY)
    assert quoted() == [("tariff", 450, half.id), ("tariff", 900, None), ("tariff", 900, None)]


def test_of_several_days_decided_at_once_each_has_its_own_price(payers, half, place):
    def morning(day: date) -> PlannedUse:
        start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
        return PlannedUse(place.desks[0].id, "desk", day, "am", Span(start, start + timedelta(hours=4)))

    decided = coverage.decisions(payers.member.id, None, [morning(WEDNESDAY), morning(THURSDAY), morning(FRIDAY)])
    assert [one.amount_cents for one in decided] == [450, 450, 900]


def test_a_room_costs_the_group_s_hour(payers, half, place):
    room(payers.member, place, 90)
    assert quoted() == [("tariff", 750, half.id)]


def test_the_sheet_says_whose_price_it_is_and_what_everyone_pays(payers, half):
    terms = offers.desk_offer(payers.member.actor(), THURSDAY, frozenset({"am", "pm"})).terms
    assert (terms.cents, terms.full_cents, terms.group) == (900, 1800, "demandeur d’emploi")
    others = offers.desk_offer(payers.stranger.actor(), THURSDAY, MORNING).terms
    assert (others.cents, others.group) == (900, None)


def test_the_plan_and_the_pack_come_first_and_the_reduced_price_when_they_are_empty(payers, half):
    make_subscription(payers.member, halfdays=1)
    make_pack(payers.member, units=1)
    for day in (WEDNESDAY, THURSDAY):
        book(payers.member, day, frozenset({"am", "pm"}))
    assert quoted() == [
        ("subscription", 0, None),
        ("pack", 0, None),
        ("tariff", 450, half.id),
        ("tariff", 450, half.id),
    ]


def test_what_costs_the_group_nothing_takes_nothing_of_a_pack(payers):
    free = make_group(desk=Reduction(percent_bp=10_000))
    make_reduced(payers.member, free)
    make_pack(payers.member, units=1)
    book(payers.member)
    assert quoted() == [("free", 0, free.id)]


def test_an_employer_pays_the_full_price(payers, half):
    make_agreement(halfdays=1)
    book(payers.member, WEDNESDAY)
    book(payers.member, THURSDAY)
    assert quoted() == [("agreement", 900, None), ("tariff", 450, half.id)]


def test_of_two_groups_the_cheaper_one_counts(payers, half):
    student = make_group("étudiant", desk=Reduction(cents=300), room=Reduction(percent_bp=100))
    make_reduced(payers.member, student)
    book(payers.member)
    assert quoted() == [("tariff", 300, student.id)]


def test_another_price_from_a_day_on_leaves_what_is_booked_alone(payers, half):
    book(payers.member, THURSDAY)
    group_services.set_group_prices(
        payers.manager.actor(), half.public_id, valid_from=THURSDAY, reductions={("desk", 0): Reduction(cents=100)}
    )
    end_read()
    book(payers.member, WEDNESDAY)
    book(payers.member, THURSDAY, frozenset({"pm"}))
    assert [row[1] for row in quoted()] == [450, 450, 100]


def test_a_price_that_changed_since_the_sheet_is_shown_first(payers, half):
    given = db.session.scalars(select(PriceGroupMember)).one()
    group_services.end(payers.host.actor(), given.public_id)
    with pytest.raises(PriceChanged):
        book(payers.member, THURSDAY, agreed_cents=450)
    assert quoted() == []


def test_an_undo_keeps_the_reduced_price_whatever_holds_since(payers, half):
    booking = book(payers.member, THURSDAY)
    services.cancel(payers.member.actor(), booking.public_id)
    given = db.session.scalars(select(PriceGroupMember)).one()
    group_services.end(payers.host.actor(), given.public_id)
    services.undo_cancel(payers.member.actor(), booking.public_id)
    assert quoted()[-1] == ("tariff", 450, half.id)


def test_the_invoice_line_is_the_quote_and_says_why(payers, half, clock):
    book(payers.member, WEDNESDAY)
    book(payers.stranger, WEDNESDAY)
    clock.set(datetime(2026, 12, 2, 9, tzinfo=UTC))
    charges.gather(date(2026, 11, 1))
    rows = db.session.execute(
        select(Charge.amount_cents, Charge.label, Charge.unit_cents).order_by(Charge.amount_cents)
    ).all()
    assert [tuple(row) for row in rows] == [
        (450, "Poste de travail, demi-journée, tarif demandeur d’emploi", 450),
        (900, "Poste de travail, demi-journée", 900),
    ]


# Giving one -----------------------------------------------------------------------------------------------------------


def give(actor, person, group, **more):
    usual = {
        "valid_from": TODAY,
        "valid_until": date(2027, 5, 31),
        "proof": "attestation France Travail",
        "seen_on": TODAY,
    }
    return group_services.give(actor, person.public_id, group.public_id, **(usual | more))


@pytest.fixture
def group(payers):
    return make_group(desk=Reduction(percent_bp=5000))


def test_a_host_gives_it_with_the_proof_seen_and_the_trail_says_so(payers, group):
    row = give(payers.host.actor(), payers.member, group)
    assert (row.proof, row.seen_on, row.seen_by_id) == ("attestation France Travail", TODAY, payers.host.id)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "reduced_price.given")).one()
    assert (entry.person_id, entry.details["last"]) == (payers.member.id, "2027-05-31")
    assert "France Travail" not in str(entry.details), "what was seen stands with the person alone"


def test_nobody_gives_it_to_themselves(payers, group):
    for person in (payers.member, payers.accountant):
        with pytest.raises(Forbidden):
            give(person.actor(), payers.member, group)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"valid_from": YESTERDAY}, GivenInPast),
        ({"seen_on": WEDNESDAY}, ProofNotSeen),
        ({"valid_from": FRIDAY, "valid_until": THURSDAY}, DatesCross),
    ],
)
def test_dates_that_cannot_be_are_refused(payers, group, more, error):
    with pytest.raises(error):
        give(payers.host.actor(), payers.member, group, **more)
    assert group_queries.belongings_of(payers.member.id) == []


def test_the_same_group_twice_at_a_time_is_refused_and_prolonged_after_its_end(payers, group):
    give(payers.host.actor(), payers.member, group, valid_until=THURSDAY)
    with pytest.raises(GivenAlready):
        give(payers.host.actor(), payers.member, group, valid_from=THURSDAY)
    give(payers.host.actor(), payers.member, group, valid_from=FRIDAY)
    assert [one.valid_from for one in group_queries.belongings_of(payers.member.id)] == [FRIDAY, TODAY]


def test_sixteen_hosts_at_once_give_it_once(app, place, cast):
    with app.app_context():
        group = make_group(desk=Reduction(percent_bp=5000))
        host, person = cast.host.actor(), cast.member

    def attempt(_turn):
        with app.app_context():
            try:
                return give(host, person, group).id
            except GivenAlready:
                return None

    assert sum(one is not None for one in at_once([lambda turn=turn: attempt(turn) for turn in range(16)])) == 1
    with app.app_context():
        assert db.session.scalar(select(func.count(PriceGroupMember.id))) == 1


def test_ended_it_counts_no_more_from_today_and_ending_twice_changes_nothing(payers, half):
    given = db.session.scalars(select(PriceGroupMember)).one()
    for _again in range(2):
        group_services.end(payers.host.actor(), given.public_id)
    assert given.ended_on == YESTERDAY
    book(payers.member, TODAY, frozenset({"pm"}))
    assert quoted() == [("tariff", 900, None)]


def test_one_ended_before_it_begins_never_counted(payers, group):
    row = give(payers.host.actor(), payers.member, group, valid_from=THURSDAY)
    group_services.end(payers.host.actor(), row.public_id)
    assert row.never_counted
    book(payers.member, FRIDAY)
    assert quoted() == [("tariff", 900, None)]
    give(payers.host.actor(), payers.member, group, valid_from=THURSDAY)


def test_a_group_no_longer_given_stays_with_who_has_it(payers, half):
    group_services.set_group_open(payers.manager.actor(), half.public_id, False)
    book(payers.member)
    assert quoted() == [("tariff", 450, half.id)]
    with pytest.raises(GroupClosed):
        give(payers.host.actor(), payers.stranger, half)


def test_managers_alone_decide_who_pays_less_and_never_for_days_gone_by(payers, half):
    with pytest.raises(Forbidden):
        group_services.add_group(payers.host.actor(), "étudiant")
    with pytest.raises(GroupNameTaken):
        group_services.add_group(payers.manager.actor(), " demandeur  d’emploi ")
    with pytest.raises(Forbidden):
        group_services.set_group_prices(payers.host.actor(), half.public_id, valid_from=TODAY, reductions={})
    with pytest.raises(GroupPricesInPast):
        group_services.set_group_prices(payers.manager.actor(), half.public_id, valid_from=YESTERDAY, reductions={})
    tariff = group_queries.group_tariffs(half.id)[0]
    end_read()
    with pytest.raises(GroupPricesInPast):
        group_services.remove_group_prices(payers.manager.actor(), tariff.public_id)


def test_what_was_seen_is_forgotten_with_its_person_and_the_chain_knows(payers, half):
    end_read()
    erasing.erase(payers.manager.actor(), payers.member.public_id)
    row = db.session.scalars(select(PriceGroupMember).execution_options(populate_existing=True)).one()
    assert (row.proof, row.valid_until) == ("…", THURSDAY)
    assert [said for one, found in checks.run() if one.promise == 3 for said in found] == []


def test_the_database_keeps_whose_price_a_quote_was_and_no_employer_has_one(payers, half):
    book(payers.member)
    make_agreement()
    book(payers.member, WEDNESDAY)
    for statement in (
        "UPDATE quote SET price_group_id = NULL WHERE price_group_id IS NOT NULL",
        f"UPDATE quote SET price_group_id = {half.id} WHERE cover = 'agreement'",
    ):
        with pytest.raises(DBAPIError), write_unit():
            db.session.execute(text(statement))
        db.session.rollback()
