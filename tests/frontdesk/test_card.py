"""A printed card: the team scans it and its owner is checked in; for everyone else it is nothing."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from coworking.accounts import cards, staff
from coworking.accounts.card_models import PersonCard
from coworking.accounts.card_rules import new_token
from coworking.booking import services as booking
from coworking.core import pdf
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.presence.models import Presence
from tests import factories
from tests.support.billing import TODAY
from tests.support.threads import at_once

AM = frozenset({"am"})


@pytest.fixture
def odette(app, billing_lieu):
    """A member without an e-mail address, who has a card."""
    with app.app_context():
        factories.make_tariff()
        person = factories.make_person("Odette", "Faure", None)
        token = new_token()
        cards.give(billing_lieu.cast.host.actor(), person.public_id, token)
    return person, token


def _presences(app, person) -> list[tuple[str, int | None]]:
    with app.app_context():
        rows = db.session.scalars(select(Presence).where(Presence.person_id == person.id))
        return [(row.evidence, row.recorded_by_id) for row in rows]


def test_the_host_scans_it_and_the_owner_is_checked_in(odette, billing_lieu, app, sign_in):
    person, token = odette
    with app.app_context():
        booking.book_half_days(billing_lieu.cast.host.actor(), TODAY, AM, person=person.public_id)
    host = sign_in(billing_lieu.cast.host)
    at = host.post("/card", data={"code": f"https://lieu.test/card/{token.upper()}"})
    assert at.status_code == 303 and at.headers["Location"] == f"/card/{token}"
    page = host.get(f"/card/{token}")
    assert "Odette Faure" in page.text and "Noter l’arrivée de Odette" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert _presences(app, person) == []  # looking checks nobody in
    assert host.post(f"/card/{token}").status_code == 303
    assert host.post(f"/card/{token}").status_code == 303
    assert _presences(app, person) == [("qr", billing_lieu.cast.host.id)]
    assert "Sur place depuis" in host.get(f"/card/{token}").text


def test_for_everyone_else_no_card_is_known(odette, billing_lieu, app, sign_in, client):
    _, token = odette
    unknown = new_token()
    browsers = [client, *(sign_in(getattr(billing_lieu.cast, who)) for who in ("member", "accountant", "lead"))]
    for browser in browsers:
        answers = {
            (one.status_code, one.text.replace(token, unknown))
            for one in (browser.get(f"/card/{x}") for x in (token, unknown))
        }
        assert [status for status, _ in answers] == [404], answers
        assert {browser.post(f"/card/{x}").status_code for x in (token, unknown)} == {404}
    for browser in browsers[1:]:
        assert (
            browser.get("/card").status_code == 403 and browser.post("/card", data={"code": token}).status_code == 403
        )
    with app.app_context():
        assert db.session.scalar(select(Presence.id)) is None


def test_a_lost_card_is_dead_once_it_is_replaced_or_ended(odette, billing_lieu, app, sign_in):
    person, token = odette
    host, second = sign_in(billing_lieu.cast.host), new_token()
    with app.app_context():
        cards.give(billing_lieu.cast.host.actor(), person.public_id, second)
    assert (host.get(f"/card/{token}").status_code, host.get(f"/card/{second}").status_code) == (404, 200)
    assert host.post(f"/card/{token}").status_code == 404
    assert "n’est pas connue" in host.post("/card", data={"code": token}).text
    for _ in range(2):
        assert host.post(f"/people/{person.public_id}/card/end").status_code == 303
    assert host.get(f"/card/{second}").status_code == 404
    with app.app_context():
        said = [(row.action, row.person_id) for row in db.session.scalars(select(AuditEntry)) if "card" in row.action]
    assert said == [("card.made", person.id), ("card.made", person.id), ("card.ended", person.id)]


def test_a_closed_account_has_no_card_and_gets_none(odette, billing_lieu, app, sign_in):
    person, token = odette
    with app.app_context():
        staff.deactivate(billing_lieu.cast.manager.actor(), person.public_id)
    host = sign_in(billing_lieu.cast.host)
    assert host.get(f"/card/{token}").status_code == 404
    assert host.post(f"/people/{person.public_id}/card").status_code == 404


def test_only_the_digest_is_kept(odette, app):
    _, token = odette
    with app.app_context():
        row = db.session.scalars(select(PersonCard)).one()
        assert token not in {str(value) for value in vars(row).values()} and len(row.digest) == 64


def test_the_paper_shows_the_name_and_a_code_that_works(billing_lieu, app, sign_in, monkeypatch):
    person, pages = billing_lieu.cast.stranger, []
    html = pdf.html
    monkeypatch.setattr(pdf, "html", lambda *args, **kwargs: pages.append(kwargs) or html(*args, **kwargs))
    host = sign_in(billing_lieu.cast.host)
    answer = host.post(f"/people/{person.public_id}/card")
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "no-store"
    said = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages)
    assert person.name in said and "<svg" in pages[0]["qr"]
    with app.app_context():
        assert cards.card_of(person.id) is not None
    assert "Imprimer une autre carte" in host.get(f"/people/{person.public_id}/story").text


def test_where_no_pdf_can_be_made_the_old_card_stays(odette, billing_lieu, sign_in, monkeypatch):
    person, token = odette

    def unavailable() -> None:
        raise pdf.PdfUnavailable(packages=pdf.PACKAGES)

    monkeypatch.setattr(pdf, "turn", unavailable)
    host = sign_in(billing_lieu.cast.host)
    assert host.post(f"/people/{person.public_id}/card").status_code == 503
    assert host.get(f"/card/{token}").status_code == 200


def test_sixteen_who_print_at_once_leave_one_card(odette, billing_lieu, app):
    person, _ = odette
    tokens = [new_token() for _ in range(16)]

    def make(token: str) -> None:
        with app.app_context():
            cards.give(billing_lieu.cast.host.actor(), person.public_id, token)

    at_once([lambda token=token: make(token) for token in tokens])
    with app.app_context():
        live = db.session.scalars(select(PersonCard).where(PersonCard.ended_at.is_(None))).all()
        assert len(live) == 1 and len(db.session.scalars(select(PersonCard)).all()) == 17


def test_only_those_who_may_change_an_account_print_its_card(billing_lieu, sign_in):
    manager = billing_lieu.cast.manager.public_id
    assert sign_in(billing_lieu.cast.host).post(f"/people/{manager}/card/end").status_code == 403
    assert sign_in(billing_lieu.cast.member).post(f"/people/{manager}/card").status_code == 403
