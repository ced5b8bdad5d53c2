"""What making two records one changes for who signs in, and in the figures."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import update

from coworking.accounts import email_changes
from coworking.accounts.models import EmailChange
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence.models import Presence
from coworking.presence.queries import first_visit
from coworking.statistics import people
from tests import factories
from tests.support.billing import OCTOBER, TODAY
from tests.support.twins import again, make_one

HERS = {"odette@demo.example", "autre@demo.example", "typed-wrong@demo.example"}


def _told(emails: list[EmailMessage]) -> dict[str, str]:
    """What each of her addresses reads; the others are told of their invoices."""
    return {one["To"]: one.get_body(("plain",)).get_content() for one in emails if one["To"] in HERS}


def test_both_addresses_are_told_and_the_replaced_one_may_object(
    app, records, billing_lieu, client, run_outbox, mailbox
):
    _old, new = records
    with app.app_context():
        other = factories.make_person("Odette", "Faure", "autre@demo.example")
        make_one(billing_lieu, new, other, "email")
    run_outbox()
    told = _told(mailbox())
    assert set(told) == {"autre@demo.example", "odette@demo.example"}
    assert "keep-address" not in told["autre@demo.example"]
    words = told["odette@demo.example"]
    link = re.search(r"http://lieu.test(/keep-address/\S+)", words)[1]
    assert client.post(link).status_code < 400
    with app.app_context():
        assert again(new).email == "odette@demo.example" and again(new).password_hash is None
        assert again(other).email is None and again(other).merged_into_person_id == new.id


def test_an_address_that_ends_with_its_record_is_told_and_opens_nothing(
    app, records, billing_lieu, run_outbox, mailbox
):
    _old, new = records
    with app.app_context():
        other = factories.make_person("Odette", "Faure", "autre@demo.example")
        make_one(billing_lieu, new, other)
    run_outbox()
    told = _told(mailbox())
    assert set(told) == {"autre@demo.example", "odette@demo.example"}
    assert "odette@demo.example" in told["autre@demo.example"]
    assert not any("keep-address" in words for words in told.values())


def test_an_address_that_nobody_confirmed_is_told_nothing(app, records, billing_lieu, run_outbox, mailbox):
    _old, new = records
    with app.app_context():
        typed_wrong = factories.make_person("Odette", "Faure", "typed-wrong@demo.example", email_confirmed_at=None)
        make_one(billing_lieu, typed_wrong, new, "email")
    run_outbox()
    assert set(_told(mailbox())) == {"odette@demo.example"}


def test_an_objection_of_before_does_not_open_a_merged_record(app, records, billing_lieu, client, run_outbox, mailbox):
    _old, new = records
    with app.app_context():
        other = factories.make_person("Odette", "Faure", "autre@demo.example")
        email_changes.ask(other.actor(), email="plus-tard@demo.example", address=None)
    run_outbox()
    (asked,) = (message for message in mailbox() if message["To"] == "autre@demo.example")
    link = re.search(r"http://lieu.test(/keep-address/\S+)", asked.get_body(("plain",)).get_content())[1]
    with app.app_context():
        with write_unit():
            db.session.execute(update(EmailChange).values(confirmed_at=now()))
        make_one(billing_lieu, new, other)
    assert client.post(link).status_code == 410
    with app.app_context():
        assert again(other).email is None


def test_two_records_of_one_who_came_are_one_person_in_the_figures(app, records, billing_lieu, clock):
    """Here in October under the one and in November under both: one person, who came back and is no newcomer."""
    old, new = records
    with app.app_context():
        stranger = factories.make_person("Paul", "Roche", "paul@demo.example")
        with write_unit():
            came = {stranger: [date(2026, 7, 1)], old: [OCTOBER, TODAY], new: [TODAY - timedelta(days=3), TODAY]}
            for person, day in ((one, day) for one, days in came.items() for day in days):
                arrived = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
                row = Presence(person_id=person.id, day=day, arrived_at=arrived, left_at=arrived, evidence="self")
                db.session.add(row)

        def counted(month: date) -> tuple[int | None, ...]:
            found = people.of_month(month)
            return found.distinct, found.ytd, found.newcomers, found.returning, found.worker_days

        assert first_visit([new.id], TODAY - timedelta(days=3)) == {new.id}
        before = counted(TODAY.replace(day=1))
        make_one(billing_lieu, new, old)
        assert (before, counted(TODAY.replace(day=1))) == ((2, None, 1, 1, 3), (1, None, 0, 1, 2))
        assert first_visit([new.id], TODAY - timedelta(days=3)) == set()
