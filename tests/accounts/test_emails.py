"""Every e-mail as it is read, in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coworking.accounts import booking_proxies, email_changes, emails
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from tests.factories import make_person
from tests.support import emails as golden

pytestmark = pytest.mark.once

EMAILS = [
    "accounts/confirm",
    "accounts/registered",
    "accounts/reset",
    "accounts/sign_in",
    "accounts/invitation",
    "accounts/password_changed",
    "accounts/address_kept",
]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("email", EMAILS)
def test_the_email_reads(app, place, run_outbox, mailbox, email, language):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example", locale=language)
        with write_unit():
            person = db.session.merge(person)
            person.email_confirmed_at = None if email == "accounts/confirm" else person.email_confirmed_at
            emails.enqueue(email.removeprefix("accounts/"), person)
    run_outbox()
    (message,) = mailbox()
    golden.check(message, email)
    assert message["Content-Language"] == language
    assert "La Fabrique du Pont" in message["From"]
    assert message.get_body(("html",)).get_content().count("<a href=") >= 1


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_change_of_address_is_sent_to_both_addresses(app, place, run_outbox, mailbox, language):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example", locale=language)
        email_changes.ask(person.actor(), email="am@demo.example", address=None)
    run_outbox()
    emails_by_receiver = {message["To"]: message for message in mailbox()}
    golden.check(emails_by_receiver["am@demo.example"], "accounts/new_address")
    golden.check(emails_by_receiver["anne@demo.example"], "accounts/address_change")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("email", ["accounts/address_merged", "accounts/address_ended"])
def test_an_address_that_a_merge_replaced_is_told(app, place, run_outbox, mailbox, email, language):
    with app.app_context():
        kept = make_person("Anne", "Marchand", "anne@demo.example", locale=language)
        of = kept if email == "accounts/address_merged" else make_person("A.", "Marchand", "am@demo.example")
        with write_unit():
            email_changes.replaced(SYSTEM, kept, of, "former@demo.example")
    run_outbox()
    (message,) = mailbox()
    assert message["To"] == "former@demo.example"
    golden.check(message, email)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_who_may_book_for_another_is_told(app, place, cast, run_outbox, mailbox, language):
    with app.app_context():
        make_person("Karim", "Morel", "karim@demo.example", locale=language)
        person = make_person("Odette", "Faure", None)
        agreed = {"email": "karim@demo.example", "agreed_on": date(2026, 11, 23), "gets_emails": True}
        booking_proxies.name(cast.host.actor(), person.public_id, **agreed)
    run_outbox()
    (message,) = mailbox()
    assert message["To"] == "karim@demo.example"
    golden.check(message, "accounts/proxy_named")


ACCESS = {
    "accounts/access_changed-second_step_on": {"browser": "Firefox, Linux"},
    "accounts/access_changed-second_step_off": {"browser": "Firefox, Linux"},
    "accounts/access_changed-second_step_reset": {},
    "accounts/access_changed-second_step_wanted": {"starts": datetime(2026, 12, 9, 8, tzinfo=UTC)},
    "accounts/access_changed-codes_renewed": {"browser": "Safari, iPhone"},
    "accounts/access_changed-code_used": {"left": 1},
    "accounts/access_changed-passkey_added": {"browser": "Safari, iPhone"},
    "accounts/access_changed-passkey_removed": {"browser": "Firefox, Linux"},
    "accounts/access_changed-token_made": {"browser": "Firefox, Linux"},
    "accounts/access_changed-new_browser": {"browser": "Firefox, Linux"},
    "accounts/access_changed-data_copied": {},
    "accounts/access_changed-records_merged": {},
    "accounts/access_changed-leaving": {"starts": datetime(2026, 12, 24, 9, 36, tzinfo=UTC)},
}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("email", ACCESS)
def test_a_change_in_how_the_account_is_opened_is_told(app, place, run_outbox, mailbox, email, language):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example", locale=language)
        with write_unit():
            emails.enqueue_access(email.rpartition("-")[2], person, **ACCESS[email])
    run_outbox()
    (message,) = mailbox()
    golden.check(message, email)
    assert message["To"] == "anne@demo.example"


def test_each_change_is_told_also_twice_in_a_minute(app, place, run_outbox, mailbox):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example")
        for _ in range(2):
            with write_unit():
                emails.enqueue_access(emails.CODES_RENEWED, person)
    run_outbox()
    assert len(mailbox()) == 2


@pytest.mark.parametrize("email", ["confirm", "registered", "reset", "invitation", "sign_in"])
def test_an_unconfirmed_address_receives_no_text_of_a_stranger(app, place, run_outbox, mailbox, email):
    with app.app_context():
        person = make_person("Visit-evil-example", "Now", "victim@demo.example", email_confirmed_at=None)
        with write_unit():
            emails.enqueue(email, person)
    run_outbox()
    (message,) = mailbox()
    assert "evil" not in message.as_string()


def test_what_is_settled_meanwhile_is_not_asked(app, place, run_outbox, mailbox):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example")
        gone = make_person("Karim", "Benali", "karim@demo.example", deactivated_at=person.created_at)
        with write_unit():
            emails.enqueue("confirm", person)
            emails.enqueue("reset", gone)
    run_outbox()
    assert mailbox() == []
