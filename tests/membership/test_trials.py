"""A first half-day to try the lieu: who has it, what it costs, that every place says so, and that it is had once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from coworking.accounts import erasing
from coworking.accounts.models import Person
from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import offers, services
from coworking.core import checks
from coworking.core.db import db
from coworking.core.errors import DomainError, Forbidden
from coworking.core.folding import address_key
from coworking.core.sql import table_of
from coworking.core.units import end_read, write_unit
from coworking.membership import checks as nightly
from coworking.membership import trials
from coworking.membership.entitlement import PriceChanged, UndoChangesPrice
from coworking.membership.trial_models import Trial
from coworking.presence import services as presence
from coworking.pricing.group_rules import Reduction
from coworking.pricing.models import Quote
from tests.factories import (
    make_agreement,
    make_group,
    make_pack,
    make_person,
    make_place,
    make_reduced,
    make_subscription,
    make_tariff,
)
from tests.support.threads import at_once

WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
MORNING, DAY = frozenset({"am"}), frozenset({"am", "pm"})


@pytest.fixture
def offered(inside, place, cast):
    """Desks cost 9.00; a first half-day costs nothing."""
    make_tariff()
    trials.set_trial(cast.manager.actor(), 0)
    return cast


def book(person, day: date = THURSDAY, halves=MORNING, **more):
    return services.book_half_days(person.actor(), day, halves, **more)


def quoted() -> list[tuple[str, int, str]]:
    rows = select(Quote.cover, Quote.amount_cents, Quote.state).order_by(Quote.id)
    return [tuple(row) for row in db.session.execute(rows)]


def terms(person, day: date = THURSDAY, halves=MORNING):
    return offers.desk_offer(person.actor(), day, halves).terms


def found_wrong() -> list[str]:
    """What the nightly check says of half-days to try."""
    return list(nightly.trials_had_once())


# The rule -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [
        "lea.roux@example.org",
        "LEA.Roux@Example.ORG",
        "léa.roux@example.org",
        "lea.roux+essai@example.org",
        "Léa.Roux+2+3@example.org ",
    ],
)
def test_every_spelling_of_a_mailbox_has_one_key(spelled):
    assert address_key(spelled) == "lea.roux@example.org"


@pytest.mark.parametrize("other", ["learoux@example.org", "lea.roux@example.com", "lea.roux2@example.org"])
def test_another_mailbox_has_another(other):
    assert address_key(other) != "lea.roux@example.org"


# Having it ------------------------------------------------------------------------------------------------------------


def test_the_first_half_day_costs_nothing_and_the_second_what_everyone_pays(offered):
    book(offered.stranger, THURSDAY, agreed_cents=0)
    book(offered.stranger, FRIDAY, agreed_cents=900)
    assert quoted() == [("trial", 0, "live"), ("tariff", 900, "live")]
    assert found_wrong() == []


def test_of_a_whole_day_one_half_is_to_try(offered):
    assert (terms(offered.stranger, halves=DAY).cents, terms(offered.stranger, halves=DAY).trial) == (900, True)
    book(offered.stranger, halves=DAY, agreed_cents=900)
    assert quoted() == [("trial", 0, "live"), ("tariff", 900, "live")]


def test_it_may_have_a_price_which_is_charged_once(offered, clock):
    trials.set_trial(offered.manager.actor(), 500)
    found = terms(offered.stranger)
    assert (found.cents, found.full_cents, found.trial) == (500, 900, True)
    book(offered.stranger, agreed_cents=500)
    clock.set(datetime(2026, 12, 2, 9, tzinfo=UTC))
    charges.gather(date(2026, 11, 1))
    charges.gather(date(2026, 11, 1))
    charged = db.session.execute(select(Charge.label, Charge.amount_cents)).all()
    assert [tuple(row) for row in charged] == [("Poste de travail, demi-journée, la première, à l’essai", 500)]


def test_what_costs_less_anyway_leaves_it_for_another_day(offered):
    trials.set_trial(offered.manager.actor(), 500)
    make_reduced(offered.stranger, make_group(desk=Reduction(cents=300)), valid_until=THURSDAY)
    book(offered.stranger, THURSDAY)
    assert quoted() == [("tariff", 300, "live")]


@pytest.mark.parametrize("given", [make_subscription, partial(make_pack, units=1)])
def test_who_has_a_plan_or_a_pack_uses_that(offered, given):
    given(offered.stranger)
    book(offered.stranger)
    assert quoted()[0][0] in ("subscription", "pack")


def test_an_employer_pays_before_anyone_tries(offered):
    make_agreement(halfdays=1)
    book(offered.member)
    assert quoted() == [("agreement", 900, "live")]


def test_a_change_of_the_offer_touches_nothing_that_was_booked(offered):
    book(offered.stranger)
    trials.set_trial(offered.manager.actor(), None)
    assert quoted() == [("trial", 0, "live")]
    end_read()
    assert terms(offered.colleague).cents == 900


def test_only_managers_offer_it(offered):
    with pytest.raises(Forbidden):
        trials.set_trial(offered.host.actor(), 0)


# Never twice ----------------------------------------------------------------------------------------------------------


def test_who_has_booked_before_has_no_first_half_day(offered):
    trials.set_trial(offered.manager.actor(), None)
    book(offered.stranger, WEDNESDAY)
    trials.set_trial(offered.manager.actor(), 0)
    assert terms(offered.stranger).cents == 900


def test_who_has_been_here_without_a_booking_has_none(offered, clock):
    clock.set(datetime(2026, 11, 26, 9, tzinfo=UTC))
    for person in (offered.host, offered.manager, offered.accountant, offered.lead):  # every desk is taken
        book(person, THURSDAY, DAY)
    presence.arrive(offered.stranger.actor())
    assert db.session.scalar(select(func.count()).where(Quote.person_id == offered.stranger.id)) == 0
    assert terms(offered.stranger, FRIDAY).cents == 900


def test_who_has_not_confirmed_their_address_or_was_added_by_staff_has_none(offered):
    with write_unit():
        people = update(Person).where(Person.id == offered.stranger.id)
        db.session.execute(people.values(vouched=True))
    assert terms(offered.stranger).cents == 900
    with write_unit():
        db.session.execute(people.values(email_confirmed_at=None))
    assert terms(offered.stranger).cents == 900


@pytest.mark.parametrize("spelled", ["stranger+2@demo.example", "stränger@demo.example"])
def test_another_spelling_of_the_mailbox_is_the_same_visitor(offered, spelled):
    again = make_person("Lise", "Vidal", spelled)
    book(offered.stranger)
    assert terms(again).cents == 900
    with pytest.raises(PriceChanged):
        book(again, agreed_cents=0)


def test_a_mailbox_that_was_here_before_trials_were_offered_counts(offered):
    trials.set_trial(offered.manager.actor(), None)
    book(offered.stranger, WEDNESDAY)
    trials.set_trial(offered.manager.actor(), 0)
    assert terms(make_person("Lise", "Vidal", "stranger+2@demo.example")).cents == 900


def test_what_is_cancelled_in_time_may_be_tried_later(offered):
    booked = book(offered.stranger)
    services.cancel(offered.stranger.actor(), booked.public_id)
    assert terms(offered.stranger, FRIDAY).trial
    book(offered.stranger, FRIDAY, agreed_cents=0)
    assert quoted() == [("trial", 0, "released"), ("trial", 0, "live")]
    end_read()
    with pytest.raises(UndoChangesPrice):
        services.undo_cancel(offered.stranger.actor(), booked.public_id)
    assert found_wrong() == []


def test_undoing_a_cancellation_gives_it_back(offered):
    booked = book(offered.stranger)
    services.cancel(offered.stranger.actor(), booked.public_id)
    services.undo_cancel(offered.stranger.actor(), booked.public_id)
    assert quoted() == [("trial", 0, "released"), ("trial", 0, "live")]
    assert found_wrong() == []
    assert terms(offered.stranger, FRIDAY).cents == 900


def test_what_is_cancelled_too_late_was_had(offered, clock):
    booked = book(offered.stranger)
    clock.set(datetime(2026, 11, 25, 19, tzinfo=UTC))
    services.cancel(offered.stranger.actor(), booked.public_id)
    assert quoted() == [("trial", 0, "kept")]
    assert terms(offered.stranger, FRIDAY).cents == 900


def test_a_booking_that_moves_stays_the_one_to_try(offered, place):
    booked = book(offered.stranger)
    span = booked.span
    moved = type(span)(span.start + timedelta(days=1), span.end + timedelta(days=1))
    services.move(offered.stranger.actor(), booked.public_id, span=moved)
    assert quoted() == [("trial", 0, "released"), ("trial", 0, "live")]
    services.undo_move(offered.stranger.actor(), booked.public_id)
    assert quoted()[-1] == ("trial", 0, "live")
    assert found_wrong() == []


def test_the_database_refuses_a_second_one(offered):
    book(offered.stranger)
    book(offered.stranger, FRIDAY)
    names = [column.name for column in table_of(Quote).columns if column.name not in ("id", "public_id", "cover")]
    second = text(
        f"INSERT INTO quote (public_id, cover, {', '.join(names)}) "
        f"SELECT 'another', 'trial', {', '.join(names)} FROM quote WHERE cover = 'tariff'"
    )
    with pytest.raises(DBAPIError, match="quote_trial_once"), write_unit():
        db.session.execute(second)
    db.session.rollback()
    with pytest.raises(DBAPIError), write_unit():
        db.session.execute(text("INSERT INTO trial SELECT 99, person_id, 'x', 99, created_at FROM trial"))
    db.session.rollback()


def test_the_nightly_check_finds_one_that_is_noted_nowhere(offered):
    book(offered.stranger)
    with write_unit():
        db.session.execute(text("DELETE FROM trial"))
    assert len(found_wrong()) == 1
    claims = [one.claim for one, found in checks.run() if found]
    assert "a half-day to try is had once by each person and mailbox" in claims


def test_who_is_erased_leaves_no_address_behind(offered, clock):
    person = make_person("Zoé", "Petit", "zoe@example.org")
    book(person)
    assert db.session.scalars(select(Trial.address)).all() == ["zoe@example.org"]
    clock.set(datetime(2026, 11, 27, 9, tzinfo=UTC))
    charges.gather(date(2026, 11, 1))
    erasing.erase(offered.manager.actor(), person.public_id)
    assert db.session.scalars(select(Trial.address)).all() == [None]
    assert found_wrong() == []


# At once --------------------------------------------------------------------------------------------------------------


def _try(app, person_id: int, day: date, desk: str) -> str:
    with app.app_context():
        person = db.session.get_one(Person, person_id)
        try:
            made = services.book_half_days(person.actor(), day, MORNING, resource=desk, agreed_cents=0)
        except DomainError as refusal:
            return refusal.code
        return db.session.scalars(select(Quote.cover).where(Quote.id == made.units[0].quote_id)).one()


@pytest.mark.parametrize("spellings", [1, 16])
def test_of_sixteen_at_once_one_is_given(app, spellings):
    """One person on sixteen days; and sixteen spellings of one mailbox, each an account of its own."""
    with app.app_context():
        desks = [desk.public_id for desk in make_place(desks=16).desks]
        make_tariff()
        manager = make_person("Olivier", "Fayolle", "manager@example.org", "manager")
        trials.set_trial(manager.actor(), 0)
        people = [make_person("Léa", "Roux", f"lea+{n}@example.org").id for n in range(spellings)]
    days = [date(2026, 12, 1) + timedelta(days=n) for n in (0, 1, 2, 3, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 20, 21)]
    each = zip((people * 16)[:16], days, desks, strict=True)
    told = Counter(at_once([partial(_try, app, *one) for one in each]))
    assert told["trial"] == 1
    assert set(told) <= {"trial", "price_changed", "trial_taken"}
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Quote.cover == "trial")) == 1
        assert found_wrong() == []
