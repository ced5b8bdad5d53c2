"""A host writes to those who come on a day."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.booking import messages, services
from coworking.booking.message_models import DayMessage
from coworking.core import outbox
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.factories import make_person
from tests.support import emails as golden

WEDNESDAY = date(2026, 11, 25)
DAY, KEY = frozenset({"am", "pm"}), "k" * 16
FORM = {
    "day": "2026-11-25",
    "subject": "La porte du bas est en panne",
    "words": "Passez par la cour.\nSonnez, je viens vous ouvrir.",
}


@pytest.fixture
def expected(app, place, cast):
    """Two come on Wednesday with an e-mail address (one of them twice), one without; a fourth comes on another day."""
    with app.app_context():
        jean = make_person("Jean", "Dupont", None, phone="06 12 34 56 78")
        services.book_half_days(cast.member.actor(), WEDNESDAY, frozenset({"am"}))
        services.book_half_days(cast.member.actor(), WEDNESDAY, frozenset({"pm"}))
        services.book_half_days(cast.colleague.actor(), WEDNESDAY, DAY)
        services.book_half_days(cast.host.actor(), WEDNESDAY, DAY, person=jean.public_id)
        services.book_half_days(cast.stranger.actor(), date(2026, 11, 26), DAY)


def written(mailbox) -> list[str]:
    return sorted(email["To"] for email in mailbox() if email["Subject"] == FORM["subject"])


def test_it_is_looked_at_first_and_sent_once(app, expected, cast, sign_in, run_outbox, mailbox):
    host = sign_in(cast.host)
    assert "Anne Marchand, Karim Benali" in host.get("/today/message").text
    look = host.post("/today/message", data=FORM).text
    assert "2 personnes le reçoivent par e-mail" in look and "Jean Dupont" in look and "tel:0612345678" in look
    assert "Lise" not in look
    run_outbox()
    assert written(mailbox) == []
    key = look.split('name="key" value="')[1].split('"')[0]
    answers = [host.post("/today/message", data={**FORM, "key": key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    run_outbox()
    assert written(mailbox) == ["colleague@demo.example", "member@demo.example"]
    page = host.get(answers[1].location).text
    assert "Envoyé par Maëlle Chassagne" in page and "Jean Dupont" in page and "2 personnes ont reçu" in page
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "message.sent")).one()
        assert (entry.actor_id, entry.details) == (cast.host.id, {"day": "2026-11-25", "people": 2})


def test_changing_it_goes_back_to_the_form(expected, cast, sign_in):
    page = sign_in(cast.host).post("/today/message", data={**FORM, "key": KEY, "edit": "1"}).text
    assert 'value="La porte du bas est en panne"' in page and "Passez par la cour." in page and "Voir qui" in page


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"subject": ""}, "subject"),
        ({"words": " "}, "words"),
        ({"words": "x" * 2001}, "words"),
        ({"day": "2026-11-23"}, "day"),
        ({"day": "2029-11-23"}, "day"),
        ({"day": "tomorrow"}, "day"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(app, expected, cast, sign_in, change, at):
    answer = sign_in(cast.host).post("/today/message", data={**FORM, "key": KEY, **change})
    assert answer.status_code == 422 and f'id="{at}-err"' in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(DayMessage)) == 0


def test_who_has_gone_is_not_written_to(app, expected, cast, clock):
    clock.set(datetime(2026, 11, 25, 12, 30, tzinfo=UTC))
    with app.app_context():
        assert [person.first_name for person in messages.visitors(WEDNESDAY).by_email] == ["Karim", "Anne"]
        clock.set(datetime(2026, 11, 25, 18, tzinfo=UTC))
        assert messages.visitors(WEDNESDAY) == messages.Visitors((), ())


@pytest.mark.parametrize("who", ["member", "accountant", "lead"])
def test_only_hosts_write(expected, cast, sign_in, who):
    browser = sign_in(getattr(cast, who))
    assert browser.get("/today/message").status_code == 403
    assert browser.post("/today/message", data={**FORM, "key": KEY}).status_code == 403
    assert browser.get("/today/messages/" + KEY).status_code == 403


def test_an_invented_key_or_message_is_not_there(expected, cast, sign_in):
    host = sign_in(cast.host)
    assert host.post("/today/message", data={**FORM, "key": "../../etc/passwd"}).status_code == 404
    assert host.get("/today/messages/" + KEY).status_code == 404


def test_sixteen_taps_at_once_send_one_message(app, expected, cast):
    start = threading.Barrier(16)

    def tap() -> None:
        with app.app_context():
            start.wait(20)
            messages.send(cast.host.actor(), KEY, day=WEDNESDAY, subject="S", words="W")

    threads = [threading.Thread(target=tap) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with app.app_context():
        rows = select(func.count()).select_from(outbox.OutboxRow).where(outbox.OutboxRow.topic == messages.TOPIC)
        sent = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "message.sent")
        assert (db.session.scalar(rows), db.session.scalar(sent)) == (2, 1)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_e_mail_reads(app, expected, cast, run_outbox, mailbox, locale):
    with app.app_context():
        with write_unit():
            db.session.get_one(Person, cast.member.id).locale = locale
        messages.send(cast.host.actor(), KEY, day=WEDNESDAY, subject=FORM["subject"], words=FORM["words"])
    run_outbox()
    golden.check(next(email for email in mailbox() if email["To"] == "member@demo.example"), "booking/message")


def test_tags_in_what_the_host_writes_stay_text(app, expected, cast, run_outbox, mailbox):
    with app.app_context():
        messages.send(cast.host.actor(), KEY, day=WEDNESDAY, subject="<b>S</b>", words="<script>x</script>")
    run_outbox()
    html = mailbox()[-1].get_body(("html",)).get_content()
    assert "<script" not in html and "&lt;script&gt;" in html
