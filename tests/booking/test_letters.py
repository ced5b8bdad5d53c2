"""What the letters about a booking say of its price: what it comes to, and what is still owed once it is given back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coworking.accounts.models import Person
from coworking.booking import reminders, services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.models import Lieu
from tests.factories import make_agreement, make_subscription, make_tariff
from tests.support import letters as golden

THURSDAY = date(2026, 11, 26)
AM = frozenset({"am"})


@pytest.fixture
def people(inside, place, cast):
    make_tariff()
    return cast


@pytest.fixture
def letter(run_outbox, mailbox):
    """Carries out what is due and gives the last letter: its text, and the words its HTML must hold too."""

    def last(*both: str) -> str:
        run_outbox()
        message = mailbox()[-1]
        html = message.get_body(("html",)).get_content()
        assert all(words in html for words in both)
        return message.get_body(("plain",)).get_content()

    return last


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_booking_is_confirmed_and_given_back_in_both_languages(people, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, people.stranger.id).locale = locale
        lieu = db.session.get_one(Lieu, 1)
        lieu.arrival_door, lieu.arrival_wifi = "code 4521", "Invites / bienvenue"
    made = services.book_half_days(people.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    run_outbox()
    golden.check(mailbox()[-1], "booking/confirmed")
    clock.set(datetime(2026, 11, 25, 18, 30, tzinfo=UTC))
    services.cancel(people.stranger.actor(), made.public_id)
    clock.advance(minutes=3)
    run_outbox()
    golden.check(mailbox()[-1], "booking/cancelled")
    assert mailbox()[-1]["Content-Language"] == locale


def test_a_confirmation_says_whose_allowance_it_takes(people, clock, letter):
    make_subscription(people.stranger)
    make_agreement()
    services.book_half_days(people.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    assert "\n1 demi-journée de votre formule.\n" in letter()
    services.book_half_days(people.member.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    assert "\n1 demi-journée payée par Coutellerie Durand SA.\n" in letter()


def test_what_is_given_back_in_time_is_owed_no_more(people, clock, letter):
    made = services.book_half_days(people.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    services.cancel(people.stranger.actor(), made.public_id)
    clock.advance(minutes=3)
    assert "\nVous ne devez rien.\n" in letter("Vous ne devez rien.")


def test_what_is_given_back_late_stays_owed(people, clock, letter):
    made = services.book_half_days(people.stranger.actor(), THURSDAY, AM)
    clock.set(datetime(2026, 11, 25, 18, 30, tzinfo=UTC))
    services.cancel(people.stranger.actor(), made.public_id)
    clock.advance(minutes=3)
    words = "elle compte comme utilisée. Il reste 9,00\u00a0€ sur la facture de novembre 2026."
    assert words in letter(words)


def test_a_reminder_does_not_promise_what_is_over(people, clock, letter):
    """It leaves when the time for giving back free of charge ends."""
    services.book_half_days(people.stranger.actor(), THURSDAY, AM)
    clock.set(datetime(2026, 11, 25, 17, 0, tzinfo=UTC))
    assert reminders.send_due() == 1
    assert "La place compte maintenant comme utilisée" in letter("La place compte maintenant comme utilisée")
