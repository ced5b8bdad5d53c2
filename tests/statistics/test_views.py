"""The month's page: who sees it, what it says, and the one button."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date, datetime

import pytest
from sqlalchemy import select, update

from coworking.accounts.models import Person
from coworking.billing import manual_charges
from coworking.billing import services as billing
from coworking.booking import services
from coworking.booking.models import BookingUnit
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.spaces.models import Lieu
from coworking.statistics import queries, recipients
from coworking.statistics import services as closing
from coworking.statistics.recipients import Recipient
from coworking.statistics.return_rules import check_return
from tests.statistics.oracle import PARIS

pytestmark = pytest.mark.once

MONTH = date(2026, 11, 1)
MORNING = frozenset({"am"})


@pytest.fixture
def december(app, place, cast, clock):
    """It is 1 December; in November Anne booked five mornings, came to four, and nobody knows of the fifth."""
    with app.app_context():
        clock.set(datetime(2026, 11, 9, 8, tzinfo=PARIS))
        for day in (12, 13, 16, 26, 27):
            services.book_half_days(cast.member.actor(), date(2026, 11, day), MORNING)
        for day in (12, 13, 16, 26):
            clock.set(datetime(2026, 11, day, 9, tzinfo=PARIS))
            presence.arrive(cast.member.actor())
        clock.set(datetime(2026, 12, 1, 10, tzinfo=PARIS))
    return cast


def settle(app, cast, outcome: str) -> None:
    with app.app_context():
        unit = db.session.scalars(select(BookingUnit.id).where(BookingUnit.day == date(2026, 11, 27))).one()
        settling.settle(cast.manager.actor(), [unit], outcome, reason="relu")


def text(answer) -> str:
    """The page's words, white space folded."""
    assert answer.status_code in {200, 422}, answer.status_code
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).replace("\u202f", " ").split())


def test_the_month_to_close_comes_first(december, sign_in):
    answer = sign_in(december.manager).get("/month")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/month/2026-11")


@pytest.mark.parametrize(
    "who, status", [("manager", 200), ("accountant", 200), ("lead", 200), ("host", 403), ("member", 403)]
)
def test_who_reads_a_month(december, sign_in, who, status):
    browser = sign_in(getattr(december, who))
    assert browser.get("/month/2026-11").status_code == status
    assert browser.post("/month/2026-11/close").status_code == (303 if who == "manager" else 403)


def test_a_visitor_is_asked_to_sign_in(december, client):
    assert client.get("/month/2026-11").status_code == 303 or "/sign-in" in client.get("/month").headers["Location"]


@pytest.mark.parametrize("month", ["2026-13", "2027-01", "2020-01", "now", "2026-11/r1.json", "2026-11/r1.csv"])
def test_there_is_nothing_where_there_is_no_month(december, sign_in, month):
    assert sign_in(december.manager).get(f"/month/{month}").status_code == 404


def test_the_page_says_what_is_done_what_is_odd_and_what_the_button_does(december, sign_in, monkeypatch):
    browser = sign_in(december.manager)
    page = text(browser.get("/month/2026-11"))
    assert "1 demi-journée à confirmer" in page and "Les confirmer" in page
    assert "Demi-journées réservées" in page and "Il sera provisoire" in page
    assert "Rien n’est envoyé" in page
    assert "Vendredi : 6 % du temps des postes était réservé ; mardi : 0 %." in page
    monkeypatch.setattr(recipients, "_ask", lambda _month: Recipient("Réseau des Monts"))
    page = text(browser.get("/month/2026-11"))
    assert "Clore novembre 2026 et envoyer le relevé à Réseau des Monts" in page
    assert "Aucun nom, aucune adresse." in page


def test_a_closed_month_is_on_its_way_or_says_why_not(app, december, sign_in, monkeypatch):
    browser = sign_in(december.manager)
    joined = datetime(2026, 11, 30, tzinfo=PARIS)
    monkeypatch.setattr(recipients, "_ask", lambda _month: Recipient("Réseau des Monts", since=joined))
    assert "À envoyer à Réseau des Monts Aussitôt après la clôture." in text(browser.get("/month/2026-11"))
    browser.post("/month/2026-11/close")
    assert "En route vers Réseau des Monts" in text(browser.get("/month/2026-11"))
    joined = datetime(2026, 12, 2, tzinfo=PARIS)
    assert "Pas envoyé à Réseau des Monts" in text(browser.get("/month/2026-11"))


def test_the_invoices_of_the_month_are_a_step_for_those_who_see_money(app, december, sign_in, clock):
    assert "Rien à facturer ce mois-ci" in text(sign_in(december.manager).get("/month/2026-11"))
    with app.app_context():
        line = {"quantity": 1, "unit_cents": 200, "vat_rate_bp": 0, "basis": "ttc", "month": MONTH, "nonce": 1}
        manual_charges.add_line(december.manager.actor(), f"p:{december.member.public_id}", "Café", **line)
    for who, sees in (("manager", True), ("accountant", True), ("lead", False)):
        assert ("Factures du mois : 1 à émettre" in text(sign_in(getattr(december, who)).get("/month/2026-11"))) is sees
    assert "/invoices/month/2026-11" in sign_in(december.manager).get("/month/2026-11").text
    with app.app_context():
        with write_unit():
            db.session.execute(update(Lieu).values(siret="12345678900011"))  # without it nothing is invoiced
        billing.run(december.manager.actor(), MONTH)
    page = text(sign_in(december.manager).get("/month/2026-11"))
    assert "Factures du mois : 1 émise Il ne reste rien à facturer." in page
    assert "Elles se préparent une fois le mois terminé." in text(sign_in(december.manager).get("/month/2026-12"))


def test_a_reader_has_no_button(december, sign_in):
    for who in (december.accountant, december.lead):
        page = sign_in(who).get("/month/2026-11").get_data(as_text=True)
        assert "/close" not in page and "<h1>novembre 2026</h1>" in page


def test_the_running_month_is_shown_and_cannot_be_closed(december, sign_in):
    browser = sign_in(december.manager)
    page = browser.get("/month/2026-12").get_data(as_text=True)
    assert "Le mois est en cours" in page and "/close" not in page
    assert browser.post("/month/2026-12/close").status_code == 409


def test_what_is_still_to_come_is_not_to_be_confirmed(app, december, sign_in, clock):
    with app.app_context():
        for day in (1, 2, 3):
            services.book_half_days(december.member.actor(), date(2026, 12, day), frozenset({"pm"}))
    assert "à confirmer" not in text(sign_in(december.manager).get("/month/2026-12"))
    clock.set(datetime(2026, 12, 3, 9, tzinfo=PARIS))
    assert "2 demi-journées à confirmer" in text(sign_in(december.manager).get("/month/2026-12"))


def test_closing_restating_and_what_was_kept(app, december, sign_in, clock):
    browser = sign_in(december.manager)
    assert browser.post("/month/2026-11/close").status_code == 303
    page = text(browser.get("/month/2026-11"))
    assert "Novembre 2026 est clos : révision 1, provisoire." in page
    assert "Clos le 1er décembre : révision 1" in page and "Clore novembre" not in page
    settle(app, december, "absent")
    assert browser.post("/month/2026-11/close").status_code == 303
    settle(app, december, "came")
    page = text(browser.get("/month/2026-11"))
    assert "A changé depuis : Demi-journées occupées, Demi-journées réservées et non utilisées" in page
    assert "Rectifier novembre 2026" in page

    refused = browser.post("/month/2026-11/close", data={"reason": "  "})
    assert refused.status_code == 422 and "dites pourquoi" in text(refused)
    long = browser.post("/month/2026-11/close", data={"reason": "x" * 501})
    assert long.status_code == 422 and "x" * 501 in long.get_data(as_text=True), "what was typed is still there"
    assert browser.post("/month/2026-11/close", data={"reason": "Anne était là."}).status_code == 303
    page = text(browser.get("/month/2026-11"))
    assert "Révision 3, rectifié" in page and "Anne était là." in page
    with app.app_context():
        digests = [row.figures_sha256 for row in queries.revisions(MONTH)]
    assert all(digest in page for digest in digests) and len(digests) == 3

    document = browser.get("/month/2026-11/r2.json")
    assert document.headers["Content-Disposition"] == 'attachment; filename="2026-11-r2.json"'
    assert check_return(json.loads(document.data), at=clock.now)["revision"] == 2
    table = browser.get("/month/2026-11/r2.csv")
    rows = {row["figure"]: row for row in csv.DictReader(io.StringIO(table.get_data(as_text=True)), delimiter=";")}
    assert rows["desk_absent_halfdays"]["value"] == "1"
    assert (rows["workshops"]["value"], rows["workshops"]["null_reason"]) == ("", "not_recorded")
    assert rows["by_weekday_hour.3.9.booked"]["value"] == "120"


def test_the_year_before_is_shown_beside(app, december, sign_in):
    """Without it, the month before."""
    with app.app_context():
        closing.close(SYSTEM, date(2026, 10, 1))
    page = text(sign_in(december.manager).get("/month/2026-11"))
    assert "octobre 2026" in page and "de plus qu’en octobre 2026" in page


def test_attendance_is_not_shown_where_too_little_is_known(app, december, sign_in):
    with app.app_context():
        arrival = db.session.scalars(select(BookingUnit).where(BookingUnit.day == date(2026, 11, 26))).one()
        settling.settle(december.host.actor(), [arrival.id], "absent", reason="relu")
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE booking_unit SET outcome = 'unknown' WHERE outcome = 'absent'")
    page = text(sign_in(december.manager).get("/month/2026-11"))
    assert "L’occupation ne sera pas montrée" in page
    assert "on sait trop peu qui est venu (moins de 80 sur 100)" in page
    assert "Sur 5 demi-journées réservées, on ignore pour 2 si elles ont servi" in page


def test_the_page_is_available_in_english(app, december, sign_in):
    with app.app_context(), write_unit():
        db.session.execute(update(Person).values(locale="en"))
    page = text(sign_in(december.manager, "en").get("/month/2026-11"))
    assert "November 2026" in page and "Half-days booked" in page and "Close November 2026" in page


def test_the_page_s_statements_do_not_grow(app, december, sign_in, count_statements):
    browser = sign_in(december.manager)

    def statements() -> int:
        with count_statements() as seen:
            assert browser.get("/month/2026-11").status_code == 200
        return len(seen)

    statements()
    before = statements()
    with app.app_context():
        for desk in (december.colleague, december.stranger):
            presence.arrive(december.host.actor(), person=desk.public_id)
        closing.close(SYSTEM, date(2026, 10, 1))
    after = statements()
    assert after == before <= 34


def test_the_command_closes_and_says_what_it_kept(app, december):
    run = app.test_cli_runner().invoke
    done = run(args=["statistics", "close", "2026-11"])
    with app.app_context():
        row = queries.closed(MONTH)
        assert done.output == f"2026-11 r1 provisional {row.figures_sha256}\n"
    for month, code in (("2026-12", "month_not_over"), ("2026-1", "month_unreadable"), ("2019-01", "month_unknown")):
        refused = run(args=["statistics", "close", month])
        assert refused.exit_code == 1 and code in refused.output


def test_a_printed_month_names_the_lieu(december, place, sign_in):
    page = sign_in(december.manager).get("/month/2026-11").text
    assert f'<p class="on-paper">{place.lieu.name}</p>' in page
