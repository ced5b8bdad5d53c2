"""An employer that pays a part: two quotes of one unit, each owed once, together live or not; its limits hold at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import repaying, services
from coworking.booking.moving import Agreed
from coworking.booking.placing import Request, RequestedItem
from coworking.core import guards, sales
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.membership import entitlement_queries
from coworking.membership.agreement_rules import AgreementCapReached
from coworking.membership.entitlement import PriceChanged, UndoChangesPrice
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces.calendar import lock_lieu
from tests.booking.displacing import retire
from tests.booking.held import ask_first, expire, faults, pay, sale_of
from tests.factories import make_agreement, make_subscription, make_tariff

THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
MORNING, AFTERNOON, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


def at(hour: int, day: int = 26) -> datetime:
    return datetime(2026, 11, day, hour - 1, tzinfo=UTC)


def owed() -> list[tuple[str, int, str]]:
    """Every quote's cover, cents and state: of a shared unit the employer's part first."""
    db.session.rollback()
    wholes = db.session.scalars(select(Quote).where(Quote.cover != "share").order_by(Quote.id))
    return [(part.cover, part.amount_cents, part.state) for whole in wholes for part in whole.parts]


def agreed(payers, **terms):
    return make_agreement(**({"share_bp": 7000} | terms))


LIVE = [("agreement", 630, "live"), ("share", 270, "live")]


# Booking, cancelling, undoing -----------------------------------------------------------------------------------------


def test_each_payer_has_a_quote_of_their_own(payers):
    agreed(payers)
    with pytest.raises(PriceChanged):
        services.book_half_days(payers.member.actor(), THURSDAY, MORNING, agreed_cents=0)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING, agreed_cents=270)
    theirs, mine = booking.units[0].quotes
    assert (theirs.payer_organisation.name, theirs.payer_person_id) == ("Coutellerie Durand SA", None)
    assert (mine.payer_person_id, mine.payer_organisation_id, mine.unit_cents) == (payers.member.id, None, 900)
    assert owed() == LIVE
    assert faults() == []


def test_cancelled_in_time_neither_owes_anything(payers):
    agreed(payers, cap_cents=900, cap_of="person", beyond="refuse")
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.cancel(payers.member.actor(), booking.public_id)
    assert {state for _, _, state in owed()} == {"released"}
    services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    assert faults() == []


def test_cancelled_late_both_owe_their_part(payers, clock):
    agreed(payers)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    clock.set(at(20, day=25))
    services.cancel(payers.member.actor(), booking.public_id)
    assert owed() == [("agreement", 630, "kept"), ("share", 270, "kept")]
    services.undo_cancel(payers.member.actor(), booking.public_id)
    assert owed()[2:] == LIVE
    assert faults() == []


def test_an_undo_is_refused_when_the_employer_s_euros_went_elsewhere(payers):
    agreed(payers, cap_cents=630, cap_of="person")
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.cancel(payers.member.actor(), booking.public_id)
    services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    with pytest.raises(UndoChangesPrice):
        services.undo_cancel(payers.member.actor(), booking.public_id)
    assert faults() == []


def test_an_undo_is_refused_when_the_days_of_the_week_went_elsewhere(payers):
    agreed(payers, days_per_week=1)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.cancel(payers.member.actor(), booking.public_id)
    services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    with pytest.raises(UndoChangesPrice):
        services.undo_cancel(payers.member.actor(), booking.public_id)


# Moving, another payer ------------------------------------------------------------------------------------------------


def test_a_move_keeps_both_payers_and_does_not_stand_in_its_own_way(payers):
    agreed(payers, cap_cents=630, cap_of="organisation", days_per_week=1, beyond="refuse")
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    services.move(payers.member.actor(), booking.public_id, span=Span(at(9, day=27), at(13, day=27)))
    assert owed()[2:] == LIVE
    services.undo_move(payers.member.actor(), booking.public_id)
    assert owed()[4:] == LIVE
    assert faults() == []


def test_another_payer_takes_the_place_of_both_and_back(payers):
    agreed(payers)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    repaying.change_payer(payers.member.actor(), booking.public_id, "me", Agreed(cents=900, taken=0))
    assert owed() == [("agreement", 630, "released"), ("share", 270, "released"), ("tariff", 900, "live")]
    with pytest.raises(PriceChanged):
        repaying.change_payer(payers.member.actor(), booking.public_id, "employer", Agreed(cents=0, taken=0))
    repaying.change_payer(payers.member.actor(), booking.public_id, "employer", Agreed(cents=270, taken=0))
    assert owed()[3:] == LIVE


def test_a_desk_that_goes_makes_neither_part_dearer(payers, place, run_outbox):
    make_tariff(resources={place.desks[0]: 1400}, valid_from=THURSDAY)
    agreed(payers)
    desk = place.desks[0]
    services.book_half_days(payers.member.actor(), FRIDAY, MORNING, resource=desk.public_id)
    assert owed() == [("agreement", 980, "live"), ("share", 420, "live")]
    retire(payers, desk)
    run_outbox()
    assert owed()[2:] == LIVE
    assert faults() == []


# Limits ---------------------------------------------------------------------------------------------------------------


def test_what_is_left_is_said_in_days_and_euros(payers):
    agreed(payers, days_per_week=2, cap_cents=2000, cap_of="person")
    services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    (found,) = entitlement_queries.remaining(payers.member.id, FRIDAY)
    assert (found.left, found.days_left, found.cents_left, found.share_bp) == (None, 1, 740, 7000)


def test_a_cap_for_all_is_spent_by_colleagues_too(payers):
    agreed(payers, cap_cents=630, cap_of="organisation", beyond="refuse")
    services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    with pytest.raises(AgreementCapReached):
        services.book_half_days(payers.colleague.actor(), THURSDAY, MORNING)
    (found,) = entitlement_queries.remaining(payers.colleague.id, FRIDAY)
    assert (found.cents_left, found.is_shared_cap) == (None, True)


def test_a_walk_in_beyond_the_cap_is_let_in_and_pays(payers):
    agreed(payers, cap_cents=630, cap_of="person", beyond="refuse")
    services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    assert presence.arrive(payers.member.actor()).walked_in
    assert owed()[2:] == [("tariff", 900, "live")]


def test_a_room_is_paid_by_both_where_it_was_agreed(payers, place):
    agreed(payers, pays_rooms=True)
    asked = Request(Span(at(9), at(10)), (RequestedItem(resource=place.rooms[0].public_id),), agreed_cents=450)
    services.book(payers.member.actor(), asked)
    assert owed() == [("agreement", 1050, "live"), ("share", 450, "live")]
    assert faults() == []


# Paying and billing ---------------------------------------------------------------------------------------------------


def test_each_part_is_charged_once_to_its_payer(payers, place, clock):
    agreed(payers, pays_rooms=True)
    services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    span = Span(at(14), at(14) + timedelta(minutes=45))
    services.book(payers.member.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))
    clock.set(at(9, day=28))
    assert (charges.gather(date(2026, 11, 1)), charges.gather(date(2026, 11, 1))) == (4, 0)
    rows = db.session.scalars(select(Charge).order_by(Charge.amount_cents.desc())).all()
    assert [
        (row.payer_organisation_id is not None, row.amount_cents, row.quantity, row.unit_cents) for row in rows
    ] == [
        (True, 788, 1, 788),
        (True, 630, 1, 630),
        (False, 337, 1, 337),
        (False, 270, 1, 270),
    ]
    assert [row.label for row in rows[1::2]] == [
        "Poste de travail, demi-journée, part de l’employeur",
        "Poste de travail, demi-journée, part non payée par votre employeur",
    ]
    assert faults() == []


def test_what_the_person_owes_is_paid_first_where_the_lieu_asks_for_it(payers, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: True])
    ask_first(pay_first_desks="everyone")
    agreed(payers)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    sale = sale_of(booking)
    assert (booking.status, sale.cents, [line["cents"] for line in sale.lines]) == ("held", 270, [270])
    assert pay(booking)
    assert owed() == LIVE
    other = services.book_half_days(payers.member.actor(), THURSDAY, AFTERNOON)
    expire(other)
    assert owed()[2:] == [("agreement", 630, "released"), ("share", 270, "released")]
    assert charges.no_longer_owed(sale_of(booking)) == 0


def test_a_sale_that_was_paid_is_charged_to_the_person_alone_and_at_once(payers, monkeypatch, clock):
    monkeypatch.setattr(sales, "_asked", [lambda cents: True])
    ask_first(pay_first_desks="everyone")
    agreed(payers)
    booking = services.book_half_days(payers.member.actor(), THURSDAY, MORNING)
    pay(booking)
    clock.set(at(9, day=28))
    assert charges.gather(date(2026, 11, 1)) == 1, "the employer's part; the person's is never on a month's invoice"
    with write_unit():
        assert len(charges.charge_sold("booking", booking.id, date(2026, 11, 1))) == 1
    assert list(db.session.scalars(select(Charge.amount_cents).order_by(Charge.id))) == [630, 270]


# Told from outside ----------------------------------------------------------------------------------------------------


def test_the_database_refuses_a_rest_of_another_use(payers):
    agreed(payers)
    services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    first, last = db.session.scalars(select(Quote.id).where(Quote.cover == "share").order_by(Quote.id)).all()
    whole = db.session.scalar(select(Quote.id).where(Quote.rest_id == first))
    names = ", ".join(
        column.name for column in Quote.__table__.columns if column.name not in ("id", "rest_id", "public_id")
    )
    chosen = f"SELECT {names}, 'copy', {last} FROM quote WHERE id = {whole}"
    copied = f"INSERT INTO quote ({names}, public_id, rest_id) {chosen}"
    with pytest.raises(Exception) as refusal, write_unit():
        db.session.execute(text(copied))
    assert guards.refused_by(refusal.value) == "quote_shared" or "quote_shared" in str(refusal.value)


def test_the_audit_finds_a_limit_that_was_passed_and_a_part_that_was_let_off(payers):
    agreement = agreed(payers, cap_cents=5000, cap_of="person")
    services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    assert faults() == []
    with write_unit():
        guards.remove(db.session.connection())
        db.session.execute(text(f"UPDATE agreement SET cap_cents = 600, days_per_week = 1 WHERE id = {agreement.id}"))
        db.session.execute(text("UPDATE quote SET state = 'released', released_at = created_at WHERE cover = 'share'"))
    found = " ".join(faults())
    assert f"agreement {agreement.id} pays 1260 cents" in found, found
    assert "its employer's part is live" in found
    with write_unit():
        guards.install(db.session.connection())


def test_a_lieu_without_caps_for_all_asks_no_statement_more(payers):
    """What is kept says so, and a new agreement is seen at once."""
    with write_unit():
        lock_lieu()
    make_subscription(payers.member)
    services.book_half_days(payers.member.actor(), THURSDAY, MORNING, payer="me")
    agreed(payers, cap_cents=630, cap_of="organisation", beyond="refuse")
    services.book_half_days(payers.member.actor(), THURSDAY, AFTERNOON)
    with pytest.raises(AgreementCapReached):
        services.book_half_days(payers.member.actor(), FRIDAY, AFTERNOON)
