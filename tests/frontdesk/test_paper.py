"""« À imprimer »: people without an e-mail address are told on paper what an e-mail would say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from coworking.accounts import papers
from coworking.accounts.models import Person
from coworking.accounts.paper_models import PaperMessage
from coworking.billing import services as billing
from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.booking.queries import coming_bookings
from coworking.core.audit import AuditEntry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit
from coworking.membership import services as membership
from tests import factories
from tests.support.billing import OCTOBER, TODAY

pytestmark = pytest.mark.once

AM = frozenset({"am"})
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def odette(app, billing_lieu) -> Person:
    with app.app_context():
        factories.make_tariff()
        return factories.make_person("Odette", "Faure", None, vouched=True)


@pytest.fixture
def booked(app, odette, billing_lieu, clock, run_outbox) -> str:
    """The host booked for Odette ten minutes ago; the message's public id."""
    with app.app_context():
        booking.book_half_days(billing_lieu.cast.host.actor(), TOMORROW, AM, person=odette.public_id)
    clock.advance(minutes=11)
    run_outbox()
    with app.app_context():
        return db.session.scalars(select(PaperMessage.public_id)).one()


def _papers(app) -> list[tuple[str, str, str]]:
    with app.app_context():
        rows = db.session.scalars(select(PaperMessage).order_by(PaperMessage.id))
        return [(row.about, " ".join(row.subject.split()), row.text) for row in rows]


def _handed(app, paper: str) -> int | None:
    with app.app_context():
        return db.session.scalars(select(PaperMessage.handed_by_id).where(PaperMessage.public_id == paper)).one()


def test_what_becomes_of_a_booking_is_told_on_paper_and_by_no_e_mail(
    app, odette, billing_lieu, booked, clock, run_outbox, mailbox
):
    host = billing_lieu.cast.host.actor()
    with app.app_context():
        made = coming_bookings(odette.id)[0]
        booking.move(host, made.public_id, resource=billing_lieu.place.desks[3].public_id)
    clock.advance(minutes=11)
    run_outbox()
    with app.app_context():
        booking.cancel(host, made.public_id)
    clock.advance(minutes=11)
    run_outbox()
    said = _papers(app)
    assert [about for about, _, _ in said] == ["booking"] * 3
    assert [subject.split(" ")[0] for _, subject, _ in said] == ["Réservé", "Déplacé", "Annulé"]
    assert said[0][2].startswith("Bonjour Odette,") and "4 rue du Pont" in said[0][2]
    assert not [text for _, _, text in said if "http" in text]  # nobody signs in on paper
    assert mailbox() == []
    with app.app_context():
        assert db.session.scalars(select(OutboxRow.state)).all() == ["done"] * 3


def test_work_that_runs_twice_writes_one_paper(app, odette, booked, run_outbox):
    with app.app_context(), write_unit():
        db.session.execute(update(OutboxRow).values(state="waiting", lease=None, leased_until=None))
        db.session.execute(update(Booking).values(untold_since=now(), told=None))
    run_outbox()
    assert len(_papers(app)) == 1


def test_who_has_an_address_gets_an_e_mail_and_no_paper(app, billing_lieu, clock, run_outbox, mailbox):
    with app.app_context():
        factories.make_tariff()
        booking.book_half_days(billing_lieu.cast.member.actor(), TOMORROW, AM)
    clock.advance(minutes=11)
    run_outbox()
    assert (_papers(app), len(mailbox())) == ([], 1)


def test_a_plan_is_told_on_paper(app, odette, billing_lieu, run_outbox, mailbox):
    with app.app_context():
        plan = factories.make_plan()
        membership.subscribe(
            billing_lieu.manager, plan.public_id, first_month=TODAY.replace(day=1), person=odette.public_id
        )
    run_outbox()
    ((about, subject, text),) = _papers(app)
    assert about == "membership" and "Dix demi-journées" in subject + text and "/me/plan" not in text
    assert mailbox() == []


def test_an_invoice_is_the_managers_to_hand_over(app, odette, billing_lieu, run_outbox, sign_in, mailbox):
    with app.app_context():
        billing_lieu.use(odette, OCTOBER)
        billing.run(billing_lieu.manager, OCTOBER)
    run_outbox()
    theirs = [one for one in _papers(app) if "Odette" in one[2] or one[0] == "billing"]
    assert [about for about, _, _ in theirs] == ["billing"] and "Voici la facture pour octobre 2026" in theirs[0][2]
    with app.app_context():
        row = db.session.scalars(select(PaperMessage)).one()
        paper, invoice = row.public_id, row.invoice
    host, manager = sign_in(billing_lieu.cast.host), sign_in(billing_lieu.cast.manager)
    assert f"/invoices/{invoice}" in manager.get("/to-print").text
    assert "Faure" in manager.get(f"/to-print/{paper}").text
    assert "Faure" not in host.get("/to-print").text
    assert host.get(f"/to-print/{paper}").status_code == 404
    assert host.post("/to-print/handed", data={"paper": paper}).status_code == 404
    assert _handed(app, paper) is None
    assert not [mail for mail in mailbox() if "Faure" in str(mail)]


def test_the_host_prints_it_hands_it_over_and_says_so(app, odette, billing_lieu, booked, sign_in):
    host, manager = sign_in(billing_lieu.cast.host), sign_in(billing_lieu.cast.manager)
    assert "1 message à imprimer" in host.get("/today").text
    assert "1 message à imprimer" in host.get(f"/people/{odette.public_id}/story").text
    listed = host.get("/to-print").text
    assert "Odette Faure" in listed and f'href="/to-print/{booked}"' in listed
    for path in (f"/to-print/{booked}", "/to-print/all", f"/to-print/all?person={odette.public_id}"):
        assert "Bonjour Odette" in host.get(path).text
    assert host.post("/to-print/handed", data={"paper": booked}).status_code == 303
    assert manager.post("/to-print/handed", data={"paper": booked}).status_code == 303
    assert _handed(app, booked) == billing_lieu.cast.host.id  # who said so first stays named
    assert "à imprimer" not in host.get("/today").text
    assert f"par {billing_lieu.cast.host.name}" in host.get("/to-print").text
    assert host.post(f"/to-print/{booked}/undo").status_code == 303
    assert _handed(app, booked) is None
    with app.app_context():
        said = [row.action for row in db.session.scalars(select(AuditEntry)) if row.action.startswith("paper.")]
    assert said == ["paper.handed", "paper.waits_again"]


@pytest.mark.parametrize("who", ["member", "accountant", "lead"])
def test_nobody_else_reads_papers(odette, billing_lieu, booked, sign_in, who):
    browser = sign_in(getattr(billing_lieu.cast, who))
    for path in ("/to-print", "/to-print/all", f"/to-print/{booked}"):
        assert browser.get(path).status_code == 403
    assert browser.post("/to-print/handed", data={"paper": booked}).status_code == 403


@pytest.mark.parametrize("sent", [{}, {"paper": "2" * 16}, {"paper": "x" * 500}])
def test_an_unknown_message_is_404(billing_lieu, sign_in, sent):
    host = sign_in(billing_lieu.cast.host)
    assert host.post("/to-print/handed", data=sent).status_code == 404
    assert host.get("/to-print/2222222222222222").status_code == 404
    assert host.get("/to-print?person=2222222222222222").status_code == 404


def test_the_list_costs_the_same_however_long_it_is(app, odette, billing_lieu, booked, sign_in, count_statements):
    host = sign_in(billing_lieu.cast.host)

    def statements() -> int:
        with count_statements() as seen:
            assert host.get("/to-print").status_code == 200
        return len(seen)

    statements()
    before = statements()
    with app.app_context(), write_unit():
        for number in range(20):
            someone = Person(first_name="Paul", last_name=f"Roux {number}")
            db.session.add(someone)
            db.session.flush()
            words = {"about": "booking", "locale": "fr", "subject": "Réservé", "text": "…"}
            db.session.add(PaperMessage(person_id=someone.id, job=f"job {number}", **words))
    assert statements() == before
    with app.app_context():
        assert papers.how_many_wait(is_manager=False) == 21
