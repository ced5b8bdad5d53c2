"""Every letter as it is read, in both languages."""

from __future__ import annotations

import pytest

from coworking.accounts import letters
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.factories import make_person
from tests.support import letters as golden

LETTERS = ["accounts/confirm", "accounts/registered", "accounts/reset", "accounts/invitation"]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("letter", LETTERS)
def test_the_letter_reads(app, place, run_outbox, mailbox, letter, language):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example", locale=language)
        with write_unit():
            person = db.session.merge(person)
            person.email_confirmed_at = None
            letters.enqueue(letter.removeprefix("accounts/"), person)
    run_outbox()
    (message,) = mailbox()
    golden.check(message, letter)
    assert message["Content-Language"] == language
    assert "La Fabrique du Pont" in message["From"]
    assert message.get_body(("html",)).get_content().count("<a href=") >= 1


def test_what_is_settled_meanwhile_is_not_asked(app, place, run_outbox, mailbox):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example")
        gone = make_person("Karim", "Benali", "karim@demo.example", deactivated_at=person.created_at)
        with write_unit():
            letters.enqueue("confirm", person)
            letters.enqueue("reset", gone)
    run_outbox()
    assert mailbox() == []
