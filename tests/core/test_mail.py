"""E-mails against a real SMTP server, well-behaved or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coworking.core import mail, outbox
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit

CONTEXT = {"place": "La Fabrique du Pont", "first_name": "Anne", "url": "http://lieu.test/confirm/x"}


@pytest.fixture
def post(inside, smtp):
    """Enqueue one e-mail, try once to send it through the sink, and return its outbox row."""
    given = inside.extensions["settings"]
    inside.extensions["settings"] = replace(given, smtp_url=smtp.url)

    def send(key: str = "email", to: str = "anne@demo.example", locale: str = "fr") -> OutboxRow:
        with write_unit():
            mail.enqueue(template="accounts/confirm", to=to, locale=locale, context=CONTEXT, key=key)
        outbox.run_due()
        return stored(key)

    yield send
    inside.extensions["settings"] = given


def stored(key: str = "email") -> OutboxRow:
    db.session.rollback()
    return db.session.query(OutboxRow).filter_by(key=key).one()


def test_an_email_arrives_whole(post, smtp):
    assert post().state == "done"
    (email,) = smtp.messages
    assert email["To"] == "anne@demo.example"
    assert email["From"] == "La Fabrique du Pont <noreply@lieu.test>"
    assert email["Message-ID"] == f"<{stored().public_id}@lieu.test>"
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["Content-Language"] == "fr"
    assert [part.get_content_type() for part in email.iter_parts()] == ["text/plain", "text/html"]
    assert CONTEXT["url"] in email.get_body(("plain",)).get_content()


def test_each_reader_has_their_language(post, smtp):
    post("fr", "anne@demo.example", "fr")
    post("en", "lise@demo.example", "en")
    french, english = smtp.messages
    assert english["Subject"] == "Is this your address?"
    assert french["Subject"] != english["Subject"]


def test_an_address_that_will_never_work_is_given_up(post, smtp):
    smtp.refuse_recipient = "550 5.1.1 no such user"
    row = post()
    assert (row.state, row.last_error, row.attempts) == ("failed", "550 5.1.1 no such user", 1)


def test_an_email_refused_for_good_is_given_up(post, smtp):
    smtp.answer_data = "554 5.7.1 not wanted here"
    row = post()
    assert (row.state, row.last_error) == ("failed", "554 5.7.1 not wanted here")


@pytest.mark.parametrize("where", ["refuse_recipient", "answer_data"])
def test_a_temporary_refusal_is_retried_with_the_same_email(post, smtp, clock, where):
    setattr(smtp, where, "451 4.7.1 come back later")
    row = post()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert "come back later" in row.last_error
    setattr(smtp, where, None)
    clock.set(row.due_at)
    outbox.run_due()
    assert (stored().state, stored().last_error) == ("done", None)
    assert [m["Message-ID"] for m in smtp.messages] == [f"<{stored().public_id}@lieu.test>"]


def test_a_server_that_is_not_there_is_asked_again(inside, smtp, post, clock):
    settings = inside.extensions["settings"]
    inside.extensions["settings"] = replace(settings, smtp_url="smtp://127.0.0.1:9")
    assert post().state == "waiting"
    inside.extensions["settings"] = settings
    clock.set(stored().due_at)
    outbox.run_due()
    assert stored().state == "done"


def test_a_lost_answer_sends_a_second_copy_with_the_same_id(post, smtp, clock):
    smtp.drop_after_data = True
    row = post()
    assert row.state == "waiting", "nobody knows that it arrived"
    smtp.drop_after_data = False
    clock.set(row.due_at)
    outbox.run_due()
    assert stored().state == "done"
    assert len(smtp.messages) == 2
    assert len({m["Message-ID"] for m in smtp.messages}) == 1


def test_an_error_at_quit_does_not_undo_an_accepted_email(post, smtp, monkeypatch):
    async def grumble(self, server, session, envelope):
        return "421 closing down"

    monkeypatch.setattr(type(smtp), "handle_QUIT", grumble, raising=False)
    assert post().state == "done"
    assert len(smtp.messages) == 1


def test_nothing_in_a_name_becomes_a_header(post, smtp, monkeypatch):
    monkeypatch.setitem(CONTEXT, "place", "La Fabrique\r\nBcc: everyone@demo.example")
    row = post()
    assert smtp.messages == []
    assert row.state == "waiting"


def test_attachments_keep_their_type_and_bytes(inside, smtp):
    calendar = mail.Attachment("booking.ics", "text/calendar; method=PUBLISH", "BEGIN:VCALENDAR é\r\n".encode())
    message = mail.render(
        "id", template="accounts/confirm", to="anne@demo.example", locale="fr", context=CONTEXT, attachments=(calendar,)
    )
    (attached,) = message.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert attached["Content-Type"].params["method"] == "PUBLISH"
    assert attached.get_filename() == "booking.ics"
    assert attached.get_payload(decode=True) == calendar.content
