"""What the e-mails about bookings say, of their price too, and when: one for ten minutes of acts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar

from coworking.accounts.models import Person
from coworking.booking import reminders, services
from coworking.core import mail, outbox
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.models import Lieu
from tests.factories import make_agreement, make_subscription
from tests.support import emails as golden

pytestmark = pytest.mark.once

THURSDAY = date(2026, 11, 26)
AM = frozenset({"am"})


@pytest.fixture
def email(run_outbox, mailbox):
    """Carries out what is due and gives the last email: its text, and the words its HTML must hold too."""

    def last(*both: str) -> str:
        run_outbox()
        message = mailbox()[-1]
        html = message.get_body(("html",)).get_content()
        assert all(words in html for words in both)
        return message.get_body(("plain",)).get_content()

    return last


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_booking_and_cancelling_are_confirmed_in_both_languages(payers, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.stranger.id).locale = locale
        lieu = db.session.get_one(Lieu, 1)
        lieu.arrival_door, lieu.arrival_wifi = "code 4521", "Invites / bienvenue"
    made = services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    run_outbox()
    golden.check(mailbox()[-1], "booking/news")
    clock.set(datetime(2026, 11, 25, 18, 30, tzinfo=UTC))
    services.cancel(payers.stranger.actor(), made.public_id)
    clock.advance(minutes=11)
    run_outbox()
    golden.check(mailbox()[-1], "booking/news-cancelled")
    assert mailbox()[-1]["Content-Language"] == locale


def test_a_confirmation_says_whose_allowance_it_takes(payers, clock, email):
    make_subscription(payers.stranger)
    make_agreement()
    services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    assert "\n1 demi-journée de votre formule.\n" in email()
    services.book_half_days(payers.member.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    assert "\n1 demi-journée payée par Coutellerie Durand SA.\n" in email()


def test_a_confirmation_says_both_parts_of_a_shared_price(payers, clock, email):
    make_agreement(share_bp=7000)
    services.book_half_days(payers.member.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    said = email("2,70").replace("\u202f", " ").replace("\xa0", " ")
    assert "\nCoutellerie Durand SA en paie 6,30 €.\n" in said
    assert "\n2,70 €, sur la facture de novembre 2026, payé par vous.\n" in said


def test_a_booking_cancelled_in_time_is_no_longer_owed(payers, clock, email):
    made = services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    email()
    services.cancel(payers.stranger.actor(), made.public_id)
    clock.advance(minutes=11)
    assert "\nVous ne devez rien.\n" in email("Vous ne devez rien.")


def test_a_booking_cancelled_late_stays_owed(payers, clock, email):
    made = services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
    clock.set(datetime(2026, 11, 25, 18, 30, tzinfo=UTC))
    email()
    services.cancel(payers.stranger.actor(), made.public_id)
    clock.advance(minutes=11)
    words = "la place compte comme utilisée. Il reste 9,00\u00a0€ sur la facture de novembre 2026."
    assert words in email(words)


def test_a_reminder_does_not_promise_what_is_over(payers, clock, email, run_outbox):
    """Cancelling is free until six, the reminder was late."""
    services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    run_outbox()
    clock.set(datetime(2026, 11, 25, 17, 0, tzinfo=UTC))
    assert reminders.send_due() == 1
    assert "La place compte maintenant comme utilisée" in email("La place compte maintenant comme utilisée")


def test_what_is_booked_in_the_evening_is_confirmed_first_and_recalled_as_the_screen_says_it(
    payers, clock, run_outbox, mailbox
):
    """At ten past six one may still cancel free of charge what was booked at five past."""
    clock.set(datetime(2026, 11, 25, 17, 5, tzinfo=UTC))
    services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=5)
    assert reminders.send_due() == 0, "the confirmation has not left yet"
    clock.advance(minutes=5)
    run_outbox()
    assert reminders.send_due() == 1
    run_outbox()
    first, second = mailbox()
    assert first["Subject"].startswith("Réservé")
    assert second["Subject"].startswith("Demain")


def test_a_reminder_within_ten_minutes_of_booking_offers_free_cancelling(payers, clock, run_outbox, mailbox):
    services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
    clock.advance(minutes=11)
    run_outbox()
    clock.set(datetime(2026, 11, 25, 17, 5, tzinfo=UTC))
    reminders.send_due()
    services.book_half_days(payers.stranger.actor(), THURSDAY, frozenset({"pm"}))
    clock.advance(minutes=1)
    run_outbox()
    text = golden.plain(mailbox()[-1]).replace("\u202f", " ").replace("\u00a0", " ")
    morning, afternoon = text.partition("13–18")[::2]
    assert "compte maintenant comme utilisée" in morning and "annuler sans frais" not in morning
    assert "Vous pouvez annuler sans frais jusqu’au mercredi 25 novembre à 18 h 15" in afternoon


# One e-mail for ten minutes of acts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_five_acts_in_a_minute_are_one_email(payers, place, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.stranger.id).locale = locale
    actor = payers.stranger.actor()
    old = services.book_half_days(actor, THURSDAY, AM, resource=place.desks[0].public_id)
    gone = services.book_half_days(actor, date(2026, 12, 4), AM)
    clock.advance(minutes=11)
    run_outbox()
    before = len(mailbox())
    for day in (27, 30):
        services.book_half_days(actor, date(2026, 11, day), AM)
        clock.advance(seconds=12)
    services.move(actor, old.public_id, resource=place.desks[2].public_id)
    services.cancel(actor, gone.public_id)
    regretted = services.book_half_days(actor, date(2026, 12, 1), AM)
    services.cancel(actor, regretted.public_id)
    for _minute in range(12):
        clock.advance(minutes=1)
        run_outbox()
    (one,) = mailbox()[before:]
    golden.check(one, "booking/news-several")
    html = one.get_body(("html",)).get_content()
    said = [line for line in golden.plain(one).splitlines() if line.startswith(("Réservé", "Booked"))]
    assert len(said) == 2
    assert all(line.removesuffix(".") in html for line in said)


def test_each_event_of_the_calendar_files_is_what_it_became(payers, clock, run_outbox, mailbox):
    actor = payers.stranger.actor()
    gone = services.book_half_days(actor, THURSDAY, AM)
    clock.advance(minutes=11)
    run_outbox()
    services.cancel(actor, gone.public_id)
    made = services.book_half_days(actor, date(2026, 11, 27), AM)
    clock.advance(minutes=11)
    run_outbox()
    files = [Calendar.from_ical(part.get_payload(decode=True)) for part in mailbox()[-1].iter_attachments()]
    found = [(str(file["METHOD"]), str(event["UID"]), str(event["STATUS"])) for file in files for event in file.events]
    assert found == [
        ("PUBLISH", f"{made.public_id}@lieu.test", "CONFIRMED"),
        ("CANCEL", f"{gone.public_id}@lieu.test", "CANCELLED"),
    ]


def test_changes_undone_before_the_email_are_not_in_it(payers, place, clock, run_outbox, mailbox):
    actor = payers.stranger.actor()
    made = services.book_half_days(actor, THURSDAY, AM, resource=place.desks[0].public_id)
    clock.advance(minutes=11)
    run_outbox()
    services.move(actor, made.public_id, resource=place.desks[1].public_id)
    services.move(actor, made.public_id, resource=place.desks[0].public_id)
    services.cancel(actor, made.public_id)
    services.undo_cancel(actor, made.public_id)
    clock.advance(minutes=11)
    run_outbox()
    assert len(mailbox()) == 1


def test_changes_made_while_an_email_is_sent_go_into_the_next(payers, clock, run_outbox, mailbox, monkeypatch):
    actor = payers.stranger.actor()
    made = services.book_half_days(actor, THURSDAY, AM)
    clock.advance(minutes=11)
    deliver = mail.deliver

    def slowly(*args, **kwargs) -> None:
        deliver(*args, **kwargs)
        db.session.rollback()
        services.cancel(actor, made.public_id)

    with monkeypatch.context() as patched:
        patched.setattr(mail, "deliver", slowly)
        run_outbox()
    assert mailbox()[-1]["Subject"].startswith("Réservé")
    clock.advance(minutes=11)
    run_outbox()
    assert [email["Subject"].split("\u202f")[0] for email in mailbox()] == ["Réservé", "Annulé"]


def test_an_email_that_failed_for_good_holds_nothing_up(payers, clock, run_outbox, mailbox, monkeypatch):
    def never(*_args, **_kwargs) -> None:
        raise outbox.GiveUp("550 no such person")

    with monkeypatch.context() as patched:
        patched.setattr(mail, "deliver", never)
        services.book_half_days(payers.stranger.actor(), THURSDAY, AM)
        clock.advance(minutes=11)
        run_outbox()
    services.book_half_days(payers.stranger.actor(), date(2026, 11, 27), AM)
    clock.advance(minutes=11)
    run_outbox()
    assert mailbox()[-1]["Subject"].startswith("2 réservations")
