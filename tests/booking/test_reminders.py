"""The evening before, a Sunday summary, or never."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from icalendar import Calendar

from coworking.accounts.models import Person
from coworking.booking import reminders, services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.models import Lieu
from tests.support import emails as golden

DAY = frozenset({"am", "pm"})


@pytest.fixture(autouse=True)
def arrival(people):
    with write_unit():
        lieu = db.session.get(Lieu, 1)
        lieu.arrival_door, lieu.arrival_wifi = "code 4521", "Invites / bienvenue"
        lieu.host_phone = "04 00 00 00 01"


def prefer(person: Person, **values: str) -> None:
    with write_unit():
        for name, value in values.items():
            setattr(db.session.get(Person, person.id), name, value)


def evening(day: int, hour: int = 17) -> datetime:
    return datetime(2026, 11, day, hour - 1, tzinfo=UTC)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_evening_email(people, clock, run_outbox, mailbox, locale):
    prefer(people.member, locale=locale)
    services.book_half_days(people.member.actor(), date(2026, 11, 26), DAY)
    clock.set(evening(25))
    assert reminders.send_due() == 1
    run_outbox()
    email = mailbox()[-1]
    golden.check(email, "booking/reminder_evening")
    assert email["Content-Language"] == locale


def test_the_calendar_file_is_what_was_booked(people, clock, run_outbox, mailbox):
    booking = services.book_half_days(people.member.actor(), date(2026, 11, 26), DAY)
    clock.set(evening(25))
    reminders.send_due()
    run_outbox()
    (file,) = list(mailbox()[-1].iter_attachments())
    assert file.get_content_type() == "text/calendar"
    calendar = Calendar.from_ical(file.get_payload(decode=True))
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "PUBLISH"
    assert event["UID"] == f"{booking.public_id}@lieu.test"
    assert (event.start, event.end) == (booking.starts_at, booking.ends_at)


def test_it_is_sent_once_while_cancelling_is_still_free(people, clock):
    booking = services.book_half_days(people.member.actor(), date(2026, 11, 26), DAY)
    clock.set(evening(25, hour=16))
    assert reminders.send_due() == 0
    clock.set(evening(25))
    assert [reminders.send_due(), reminders.send_due()] == [1, 0]
    assert not services.cancel(people.member.actor(), booking.public_id).cancelled_late


def test_it_is_sent_at_eleven_where_cancelling_is_free_until_noon(people, clock):
    with write_unit():
        db.session.get(Lieu, 1).free_cancel_minute = 12 * 60
    services.book_half_days(people.member.actor(), date(2026, 11, 26), DAY)
    clock.set(evening(25, hour=11) - timedelta(minutes=1))
    assert reminders.send_due() == 0
    clock.set(evening(25, hour=11))
    assert reminders.send_due() == 1


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_never_is_never_and_sunday_is_the_whole_week(people, clock, run_outbox, mailbox, locale):
    prefer(people.member, reminder="sunday", locale=locale)
    prefer(people.stranger, reminder="never")
    for day in (30, 1):
        when = date(2026, 11, 30) if day == 30 else date(2026, 12, 1)
        for person in (people.member, people.stranger):
            services.book_half_days(person.actor(), when, DAY)
    clock.set(evening(28))
    assert reminders.send_due() == 0
    clock.set(evening(29))
    assert reminders.send_due() == 1
    run_outbox()
    email = mailbox()[-1]
    assert email["To"] == "member@demo.example"
    golden.check(email, "booking/reminder_sunday")
    assert email["Content-Language"] == locale


def test_no_reminder_is_sent_for_a_cancelled_booking(people, clock, run_outbox, mailbox):
    booking = services.book_half_days(people.member.actor(), date(2026, 11, 26), DAY)
    clock.set(evening(25))
    reminders.send_due()
    services.cancel(people.member.actor(), booking.public_id)
    before = len(mailbox())
    run_outbox()
    assert all("Demain" not in email["Subject"] for email in mailbox()[before:])
