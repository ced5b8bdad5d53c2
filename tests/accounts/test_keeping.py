"""What is over its time goes, what is needed stays, and looking changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, inspect, select, update

from coworking.accounts import devices, leaving
from coworking.accounts.models import Leaving, Person
from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.core import outbox, retention, security
from coworking.core.audit import AuditEntry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.security import SecurityEvent
from coworking.core.units import write_unit
from coworking.membership.models import Adhesion
from coworking.spaces import queries as spaces
from tests import factories

AM = frozenset({"am"})
YEARS = {"unused_accounts": 730}


@pytest.fixture
def lieu(inside, billing_lieu):
    return billing_lieu


def person_of(row: Person) -> Person:
    return db.session.get_one(Person, row.id, populate_existing=True)


def everything() -> dict[str, list[str]]:
    """Every row of every table."""
    return {
        table.name: sorted(map(repr, db.session.execute(select(table)).all())) for table in db.metadata.sorted_tables
    }


def of(kind: str) -> retention.Forecast:
    return next(found for one, _days, found in retention.forecast() if one.kind == kind)


def actions(action: str) -> list[dict]:
    return list(db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == action)))


def test_each_declaration_is_whole():
    for one in retention.declared():
        assert one.days in one.choices or not one.choices, one.kind
        assert set(one.empties) <= set(inspect(one.model).columns.keys()), one.kind
        assert (one.counts is None) == (one.goes is None), one.kind
    kinds = [one.kind for one in retention.declared()]
    assert len(set(kinds)) == len(kinds) == len({one.title for one in retention.declared()})


def test_looking_changes_nothing(lieu, clock):
    with write_unit():
        security.record("signed_in", person_id=lieu.cast.member.id)
    retention.choose(lieu.manager, YEARS)
    clock.advance(days=1200)
    before = everything()
    assert of("security_log").rows > 0 and of("unused_accounts").rows > 0
    assert everything() == before


def test_what_is_over_goes_in_batches_and_what_is_not_stays(lieu, clock, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 4)
    db.session.rollback()
    with write_unit():
        for _ in range(11):
            security.record("signed_in", person_id=lieu.cast.member.id)
    clock.advance(days=91)
    assert of("security_log").rows == 0
    day = of("security_log").next_on
    clock.advance(days=2)
    assert day == spaces.today() - timedelta(days=1)
    with write_unit():
        security.record("signed_in", person_id=lieu.cast.member.id)
    rows = of("security_log").rows
    assert rows >= 11 and retention.purge("security_log") == rows
    assert db.session.scalar(select(func.count()).select_from(SecurityEvent)) == 1
    assert sum(entry["rows"] for entry in actions("retention.purged")) == rows
    assert retention.purge("security_log") == 0


def test_a_run_is_bounded(lieu, clock, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "MOST_BATCHES", 3)
    with write_unit():
        for _ in range(9):
            security.record("signed_in", person_id=lieu.cast.member.id)
    clock.advance(days=93)
    assert retention.purge("security_log") == 6


def test_what_was_sent_about_invoices_stays_with_them(lieu, clock):
    with write_unit():
        for topic in ("mail", "accounts.letter", "billing.issued", "accounting.heads"):
            outbox.enqueue(topic, topic, {"to": "a@demo.example"})
        outbox.enqueue("mail", "waits", {"to": "a@demo.example"})
        db.session.execute(update(OutboxRow).where(OutboxRow.key != "waits").values(state="done", ended_at=now()))
    clock.advance(days=366)
    retention.purge("emails")
    left = set(db.session.scalars(select(OutboxRow.key)))
    assert {"billing.issued", "accounting.heads", "waits"} <= left and not {"mail", "accounts.letter"} & left


def test_a_booking_stays_without_its_words(lieu, clock):
    made = booking.book_half_days(lieu.cast.host.actor(), spaces.today() + timedelta(days=1), AM)
    with write_unit():
        db.session.execute(update(Booking).values(title="Entretien avec Paul"))
    clock.advance(days=729)
    retention.purge("booking_words")
    assert db.session.scalar(select(Booking.title).where(Booking.id == made.id)) == "Entretien avec Paul"
    clock.advance(days=4)
    retention.purge("booking_words")
    kept = db.session.execute(select(Booking.title, Booking.told, Booking.day).where(Booking.id == made.id)).one()
    assert kept[:2] == (None, None)
    assert retention.purge("booking_words") == 0


def test_the_lieu_chooses_among_what_is_declared(lieu, clock):
    retention.choose(lieu.manager, {"emails": 92})
    assert actions("retention.chosen") == [{"kind": "emails", "before": 365, "after": 92}]
    retention.choose(lieu.manager, {"emails": 92})
    assert len(actions("retention.chosen")) == 1, "nothing changed"
    retention.choose(lieu.manager, {"emails": 730})
    assert retention.chosen() == {"emails": 730}
    with pytest.raises(retention.NoSuchTime):
        retention.choose(lieu.manager, {"emails": 1})
    for fixed in ("security_log", "invoices"):
        with pytest.raises(NotFound):
            retention.choose(lieu.manager, {fixed: 92})
    for who in ("host", "accountant", "member"):
        with pytest.raises(Forbidden):
            retention.choose(getattr(lieu.cast, who).actor(), {"emails": 92})
    assert retention.chosen() == {"emails": 730}


# Accounts


def test_nobody_is_erased_before_the_lieu_chose_so(lieu, clock):
    clock.advance(days=4000)
    assert retention.purge("unused_accounts") == 0
    assert db.session.scalar(select(func.count()).select_from(Leaving)) == 0


def unused(clock, **values) -> Person:
    person = factories.make_person("Rémi", "Loin", "remi@demo.example", **values)
    clock.advance(days=731)
    return person


def test_who_is_long_gone_is_told_and_erased_a_month_later(lieu, clock, run_outbox, mailbox):
    person = unused(clock)
    retention.choose(lieu.manager, YEARS)
    retention.purge("unused_accounts")
    assert person_of(person).erased_at is None
    row = db.session.get(Leaving, person.id)
    assert row is not None and row.leaves_on == spaces.today() + timedelta(days=30)
    run_outbox()
    (told,) = [mail for mail in mailbox() if mail["To"] == "remi@demo.example"]
    assert "sera effacé le" in told["Subject"]
    clock.advance(days=29)
    retention.purge("unused_accounts")
    assert person_of(person).erased_at is None
    clock.advance(days=1)
    assert retention.purge("unused_accounts") >= 1
    gone = person_of(person)
    assert gone.erased_at is not None and gone.email is None and gone.name == f"Personne effacée {person.id}"
    assert db.session.get(Leaving, person.id) is None
    run_outbox()
    assert len([mail for mail in mailbox() if mail["To"] == "remi@demo.example"]) == 1, "told once"


def test_who_comes_back_stays(lieu, clock):
    person = unused(clock)
    retention.choose(lieu.manager, YEARS)
    retention.purge("unused_accounts")
    clock.advance(days=29)
    factories.make_device(person)
    clock.advance(days=5)
    retention.purge("unused_accounts")
    assert person_of(person).erased_at is None and db.session.get(Leaving, person.id) is None


def test_the_last_visit_counts_however_long_ago_the_browser_was_signed_out(lieu, clock):
    person = factories.make_person("Rémi", "Loin", "remi@demo.example")
    clock.advance(days=400)
    factories.make_device(person)
    clock.advance(days=500)
    retention.choose(lieu.manager, YEARS)
    retention.purge()
    assert db.session.get(Leaving, person.id) is None
    clock.advance(days=231)
    retention.purge()
    assert db.session.get(Leaving, person.id) is not None


def test_who_owes_and_who_has_a_role_stays(lieu, clock):
    """Lise used desks in October and was not invoiced."""
    clock.advance(days=4000)
    retention.choose(lieu.manager, YEARS)
    assert of("unused_accounts").exempt >= 1
    retention.purge("unused_accounts")
    clock.advance(days=31)
    retention.purge("unused_accounts")
    for who in ("stranger", "host", "manager", "accountant"):
        assert person_of(getattr(lieu.cast, who)).erased_at is None, who
        assert db.session.get(Leaving, getattr(lieu.cast, who).id) is None


def test_who_begins_to_owe_after_the_notice_stays(lieu, clock, monkeypatch):
    person = unused(clock)
    retention.choose(lieu.manager, YEARS)
    retention.purge("unused_accounts")
    clock.advance(days=30)
    lieu.use(person, spaces.today() - timedelta(days=10))
    retention.purge("unused_accounts")
    assert person_of(person).erased_at is None


def test_who_came_back_between_the_look_and_the_unit_stays(lieu, clock, monkeypatch):
    person = unused(clock)
    retention.choose(lieu.manager, YEARS)
    retention.purge("unused_accounts")
    clock.advance(days=30)
    real = leaving.erasing.erase

    def late(actor, public_id, **more) -> Person:
        if public_id == person.public_id:
            with write_unit():
                devices.sign_in(person_of(person), devices.Browser("Firefox"))
        return real(actor, public_id, **more)

    monkeypatch.setattr(leaving.erasing, "erase", late)
    retention.purge("unused_accounts")
    assert person_of(person).erased_at is None


def test_an_address_that_nobody_confirmed_goes_after_a_month(lieu, clock):
    person = factories.make_person("Ève", "Faux", "victime@demo.example", email_confirmed_at=None)
    vouched = factories.make_person("Luc", "Vrai", "luc@demo.example", email_confirmed_at=None, vouched=True)
    clock.advance(days=29)
    assert retention.purge("unconfirmed_accounts") == 0
    clock.advance(days=2)
    assert of("unconfirmed_accounts").rows == 1
    assert retention.purge("unconfirmed_accounts") == 1
    assert person_of(person).erased_at is not None and person_of(vouched).erased_at is None


def test_an_unconfirmed_account_that_left_any_trace_stays(lieu, clock):
    """However long ago: somebody knew this person."""
    person = factories.make_person("Ève", "Vraie", "eve@demo.example", email_confirmed_at=None)
    today = spaces.today()
    with write_unit():
        db.session.add(Adhesion(person_id=person.id, valid_from=today, valid_until=today, cents=0))
    clock.advance(days=800)
    assert retention.purge("unconfirmed_accounts") == 0
    assert person_of(person).erased_at is None


# The page and the command


def test_the_page_says_what_goes_and_saves_what_is_chosen(app, billing_lieu, sign_in, clock):
    browser = sign_in(billing_lieu.cast.manager)
    page = browser.get("/settings/privacy/kept").text
    assert "Durées de conservation" in page and "Journal de sécurité" in page and "Dix ans" in page
    answer = browser.post("/settings/privacy/kept", data={"emails": "92", "unused_accounts": "1095"})
    assert answer.status_code == 303
    with app.app_context():
        assert retention.chosen() == {"emails": 92, "unused_accounts": 1095}
    for typed in ("1", "x", "", "9" * 40):
        answer = browser.post("/settings/privacy/kept", data={"emails": typed})
        assert answer.status_code == 422 and "Choisissez une des durées" in answer.text, typed
    for who in ("host", "accountant", "member"):
        assert sign_in(getattr(billing_lieu.cast, who)).get("/settings/privacy/kept").status_code == 403


@pytest.mark.parametrize("command", [["purge"], ["privacy", "purge"]])
def test_the_command_says_what_would_go_and_does_so(app, billing_lieu, clock, command):
    with app.app_context(), write_unit():
        security.record("signed_in", person_id=billing_lieu.cast.member.id)
    clock.advance(days=93)
    run = app.test_cli_runner()
    said = run.invoke(args=[*command, "--dry-run"])
    assert said.exit_code == 0, said.output
    assert "security_log: 92 d" in said.output and "gone" not in said.output
    with app.app_context():
        assert of("security_log").rows > 0
    assert "gone" in run.invoke(args=command).output
    with app.app_context():
        assert of("security_log").rows == 0
