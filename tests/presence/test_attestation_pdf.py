"""The PDF of an attestation is drawn once and kept; it says what was attested, whatever happens afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts import staff
from coworking.accounts.models import Person
from coworking.core import checks, guards, pdf
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence.models import Attestation, AttestationPdf, Presence
from tests.support.threads import at_once


@pytest.fixture
def drawn(monkeypatch) -> Iterator[list[bytes]]:
    """The pages that were really drawn, by the process that draws them."""
    pages: list[bytes] = []
    real = pdf._printer._ask_again

    def noted(message: bytes) -> tuple[bytes, bytes]:
        pages.append(message)
        mark, content = real(message)
        return mark, content + b"\n% " + os.urandom(8).hex().encode()  # no two drawings are the same

    monkeypatch.setattr(pdf._printer, "_ask_again", noted)
    yield pages
    pdf._printer.close()


def attest(browser) -> str:
    """Ask for this month; the address of the attestation's PDF."""
    made = browser.post("/me/attestations", data={"month": "2026-11"})
    assert made.status_code == 303
    return f"{made.location}/attestation.pdf"


def kept(app) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count(AttestationPdf.id))) or 0


def test_it_is_drawn_at_the_first_call_and_kept(app, here, sign_in, drawn, count_statements):
    browser = sign_in(here.member)
    address = attest(browser)
    assert drawn == [], "issuing draws nothing"
    first = browser.get(address)
    assert first.status_code == 200 and first.mimetype == "application/pdf" and first.data.startswith(b"%PDF")
    with count_statements() as seen:
        second = browser.get(address)
    assert second.data == first.data and len(drawn) == 1
    assert len(seen) <= 5 and not any("INSERT" in one for one in seen), str(seen)


def test_each_language_has_its_own(app, here, sign_in, drawn):
    with app.app_context(), write_unit():
        db.session.get_one(Person, here.member.id).locale = "en"
    english = sign_in(here.member)
    address = attest(english)
    said_in_english = english.get(address).data
    with app.app_context(), write_unit():
        db.session.get_one(Person, here.member.id).locale = "fr"
    french = sign_in(here.member)
    assert french.get(address).data != said_in_english
    assert len(drawn) == 2 and b"Attendance certificate" in drawn[0] and "présence".encode() not in drawn[0]
    assert french.get(address).status_code == 200 and len(drawn) == 2


def test_twenty_four_at_once_draw_it_once(app, here, sign_in, drawn):
    address = attest(sign_in(here.member))
    browsers = [sign_in(here.member) for _ in range(24)]
    answers = at_once([lambda browser=browser: browser.get(address) for browser in browsers])
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 503)
    assert len(drawn) == 1
    again = [browser.get(address) for browser in browsers]
    assert {answer.data for answer in again} == {next(one.data for one in answers if one.status_code == 200)}
    assert len(drawn) == kept(app) == 1


def test_who_found_none_kept_looks_again_when_its_turn_comes(app, here, sign_in, drawn, monkeypatch):
    """Between looking and the turn to draw another may have drawn the same PDF."""
    first, second = sign_in(here.member), sign_in(here.member)
    address = attest(first)
    looked, other_is_done = Event(), Event()
    real = pdf.html
    slow: list[bytes] = []

    def wait(template: str, **context: object) -> str:
        if not looked.is_set():
            looked.set()
            assert other_is_done.wait(30)
        return real(template, **context)

    monkeypatch.setattr(pdf, "html", wait)
    thread = Thread(target=lambda: slow.append(first.get(address).data))
    thread.start()
    try:
        assert looked.wait(30)
        quick = second.get(address).data
    finally:
        other_is_done.set()
        thread.join()
    assert slow == [quick] and len(drawn) == 1


def test_the_pdf_that_was_stored_first_counts(app, here, sign_in, drawn, monkeypatch):
    browser = sign_in(here.member)
    address = attest(browser)
    noted = pdf._printer._ask_again

    def overtaken(message: bytes) -> tuple[bytes, bytes]:
        with app.app_context(), write_unit():
            db.session.add(AttestationPdf(attestation_id=issued, locale="fr", sha256="-", content=b"%PDF theirs"))
        return noted(message)

    with app.app_context():
        issued = db.session.scalars(select(Attestation.id)).one()
    monkeypatch.setattr(pdf._printer, "_ask_again", overtaken)
    assert browser.get(address).data == b"%PDF theirs" and kept(app) == 1


def test_changed_facts_make_another_attestation_with_its_own_pdf(app, here, sign_in, drawn, clock):
    """A correction and a new name do not reach what was issued: it keeps its date and its code."""
    browser = sign_in(here.member)
    old = attest(browser)
    before = browser.get(old).data
    with app.app_context(), write_unit():
        row = db.session.scalars(select(Presence)).one()
        row.arrived_at, row.left_at = clock.now.replace(hour=13), clock.now.replace(hour=15)
        db.session.get_one(Person, here.member.id).last_name = "Marchand-Roux"
    new = attest(browser)
    assert new != old and browser.get(new).data != before
    assert b"Marchand-Roux" in drawn[1] and b"Marchand-Roux" not in drawn[0]
    assert browser.get(old).data == before and len(drawn) == kept(app) == 2


def test_a_stranger_gets_no_stored_pdf(app, here, sign_in, drawn):
    own = sign_in(here.member)
    address = attest(own)
    assert own.get(address).status_code == 200
    for other in (here.colleague, here.stranger, here.host, here.manager):
        assert sign_in(other).get(address).status_code == 404


def test_a_closed_account_cannot_open_its_pdf_but_the_code_verifies(app, here, sign_in, drawn, client):
    browser = sign_in(here.member)
    address = attest(browser)
    assert browser.get(address).status_code == 200
    with app.app_context():
        staff.deactivate(here.manager.actor(), here.member.public_id)
        code = db.session.scalars(select(Attestation.code)).one()
    assert browser.get(address).status_code in {302, 401}
    assert client.get(f"/verify/{code}").status_code == 200


@pytest.mark.parametrize("attack", ["UPDATE attestation_paper SET content = NULL", "DELETE FROM attestation_paper"])
def test_the_database_refuses_to_change_one(app, here, sign_in, drawn, attack):
    browser = sign_in(here.member)
    browser.get(attest(browser))
    with app.app_context():
        with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
            connection.execute(text(attack))
        assert guards.refused_by(refused.value) == "attestation_paper_append_only"


def test_audit_names_a_changed_pdf(app, here, sign_in, drawn):
    browser = sign_in(here.member)
    browser.get(attest(browser))
    with app.app_context():
        assert _altered() == []
        with write_unit():
            one = db.session.scalars(select(Attestation.id)).one()
            db.session.add(AttestationPdf(attestation_id=one, locale="xx", sha256="0" * 64, content=b"%PDF"))
        (sentence,) = _altered()
        assert sentence.startswith("attestation_paper") and "altered" in sentence


def _altered() -> list[str]:
    return [said for one, found in checks.run() if one.claim.startswith("stored PDFs") for said in found]
