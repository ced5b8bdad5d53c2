"""Writing to every lieu whose return is late: one press, one e-mail a day to each, and none without a reason."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from coworking.core import mail
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.network.head import lieux, queries, reminding
from coworking.network.head.models import LateReminder
from coworking.network.head.overview import overview
from tests.network.head.lieux import OCTOBER, make_lieu, plain, say
from tests.support import emails
from tests.support.threads import at_once

PAGE = "/network/reminders"


@pytest.fixture
def late(app, place, cast):
    """Two lieux that are late and have an address, one that is late without one, one that sent; their public ids."""
    with app.app_context():
        sent = make_lieu("Ponctuel", contact_email="ponctuel@example.org")
        say(sent, offered=100, booked=40, attended=30, known=40, desk_absent_halfdays=10)
        rows = {
            "La Doyenne": make_lieu("La Doyenne", contact_email="doyenne@example.org", phone="04 73 00 00 02"),
            "Relais": make_lieu("Relais", contact_email="relais@example.org", way="link"),
            "Sans Adresse": make_lieu("Sans Adresse", phone="04 73 00 00 03"),
            "Ponctuel": sent,
        }
        return {name: row.public_id for name, row in rows.items()}


def press(browser: Any, *lieux: str, month: str = "2026-10") -> Any:
    return browser.post(PAGE, data={"month": month, "lieu": list(lieux)}, follow_redirects=True)


def test_the_page_shows_who_is_written_to_and_who_has_to_be_called(cast, late, sign_in):
    lead = sign_in(cast.lead)
    assert f'href="{PAGE}?month=2026-10"' in lead.get("/network?month=2026-10").text
    page = lead.get(f"{PAGE}?month=2026-10")
    words = plain(page.text)
    assert "2 lieux reçoivent un e-mail pour octobre 2026" in words and "doyenne@example.org" in words
    assert set(re.findall(r'name="lieu"\s+value="([^"]+)"', page.text)) == {late["La Doyenne"], late["Relais"]}
    assert "À appeler : pas d’adresse e-mail dans l’annuaire Sans Adresse" in words
    assert 'href="tel:0473000003"' in page.text and "Ponctuel" not in words


def test_one_press_sends_each_an_email_and_a_second_the_same_day_none(
    app, cast, late, sign_in, run_outbox, mailbox, clock
):
    lead = sign_in(cast.lead)
    assert "Un e-mail part vers 2 lieux." in plain(press(lead, *late.values()).text)
    run_outbox()
    assert sorted(email["To"] for email in mailbox()) == ["doyenne@example.org", "relais@example.org"]
    assert "Aucun e-mail n’est parti" in plain(press(lead, *late.values()).text)
    run_outbox()
    assert len(mailbox()) == 2
    words = plain(lead.get(f"{PAGE}?month=2026-10").text)
    assert "E-mail envoyé aujourd’hui La Doyenne e-mail envoyé le" in words and "Écrire à ces lieux" not in words
    for path in ("/network?month=2026-10", f"/network/lieux/{late['Relais']}?month=2026-10"):
        assert "E-mail envoyé le 24 novembre." in plain(lead.get(path).text)
    with app.app_context():
        told = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "network.reminded")).all()
        assert [(one.actor_id, one.details) for one in told] == [(cast.lead.id, {"month": "2026-10"})] * 2
    clock.advance(days=1)
    assert "Un e-mail part vers 1 lieu." in plain(press(lead, late["Relais"]).text)


def test_only_who_is_chosen_late_and_reachable_is_written_to(app, cast, late, sign_in, run_outbox, mailbox):
    press(sign_in(cast.lead), late["Relais"], late["Ponctuel"], late["Sans Adresse"], "nobody")
    run_outbox()
    assert [email["To"] for email in mailbox()] == ["relais@example.org"]


def test_sixteen_presses_at_once_are_one_email_each(app, cast, late, run_outbox, mailbox):
    actor = cast.lead.actor()

    def write() -> int:
        with app.app_context():
            return len(reminding.write_to_late(actor, OCTOBER, late.values()))

    assert sum(at_once([write] * 16)) == 2
    with app.app_context():
        assert db.session.scalar(select(func.count(LateReminder.id))) == 2
    run_outbox()
    assert len(mailbox()) == 2


def test_what_came_or_left_before_the_email_left_is_not_asked_for(app, cast, late, run_outbox, mailbox):
    with app.app_context():
        reminding.write_to_late(cast.lead.actor(), OCTOBER, late.values())
        rows = {row.name: row for row in overview(OCTOBER).late}
        assert set(rows) == {"La Doyenne", "Relais", "Sans Adresse"}
        lieux.depart(cast.lead.actor(), late["Relais"])
    with app.app_context():
        say(queries.lieu(late["La Doyenne"]), offered=1, booked=1, attended=1, known=1, desk_absent_halfdays=0)
    run_outbox()
    assert mailbox() == []


def test_no_email_is_sent_before_it_is_late(app, cast, late, sign_in, clock):
    clock.set(datetime(2026, 11, 5, 12, tzinfo=UTC))
    lead = sign_in(cast.lead)
    assert "Aucun lieu n’est en retard pour octobre 2026" in plain(lead.get(f"{PAGE}?month=2026-10").text)
    assert "ne sont pas encore en retard" in plain(press(lead, *late.values()).text)
    assert lead.post(PAGE, data={"month": "octobre"}).status_code == 422
    with app.app_context():
        assert db.session.scalar(select(func.count(LateReminder.id))) == 0


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(("name", "way"), [("network/reminder", "software"), ("network/reminder-link", "link")])
def test_the_email_reads(app, place, name, way, language):
    context = {"place": "La Fabrique du Pont", "lieu": "La Doyenne", "month": date(2026, 10, 1), "way": way}
    context["reach"] = "bonjour@pont.example, 04 73 00 00 00"
    with app.app_context():
        email = mail.render("x", template="network/reminder", to="x@example.org", locale=language, context=context)
    emails.check(email, name)


def test_only_the_lead_writes(cast, late, sign_in, client):
    for person in (cast.member, cast.host, cast.manager, cast.accountant):
        browser = sign_in(person)
        assert (browser.get(PAGE).status_code, browser.post(PAGE, data={"month": "2026-10"}).status_code) == (403, 403)
    assert client.get(PAGE).status_code == 302


def test_it_costs_the_same_with_126_lieux(app, cast, late, sign_in, count_statements):
    lead = sign_in(cast.lead)
    with count_statements() as few:
        lead.get(f"{PAGE}?month=2026-10")
    with app.app_context():
        for number in range(122):
            make_lieu(f"Lieu {number}", contact_email=f"lieu{number}@example.org")
    with count_statements() as many:
        assert "124 lieux reçoivent" in plain(lead.get(f"{PAGE}?month=2026-10").text)
    assert len(many) == len(few) <= 8, many
