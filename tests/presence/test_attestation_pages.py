"""Pages on which one asks for one's attestations, and on which anyone verifies one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from coworking.accounts.models import Throttle
from coworking.core.db import db
from coworking.presence.models import Attestation
from tests.presence.attested import stay, wall

pytestmark = pytest.mark.once


def ask(browser, **form):
    return browser.post("/me/attestations", data={"month": "2026-11", **form})


# Asking ---------------------------------------------------------------------------------------------------------------


def test_a_person_asks_for_reads_and_downloads_their_own_attestation(here, sign_in):
    browser = sign_in(here.member)
    assert "Mes attestations de présence" in browser.get("/me").text
    assert "novembre 2026" in browser.get("/me/attestations").text
    made = ask(browser)
    assert made.status_code == 303
    page = browser.get(made.location).text
    assert "1 demi-journée, 1 jour" in page
    assert "Coutellerie" not in page
    assert made.location in browser.get("/me/attestations").text
    answer = browser.get(f"{made.location}/attestation.pdf")
    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF")
    assert 'filename="attestation-presence-2026-11.pdf"' in answer.headers["Content-Disposition"]


def test_a_certificate_is_made_and_read_only_by_its_person(app, here, sign_in):
    location = ask(sign_in(here.member)).location
    for other in (here.colleague, here.stranger, here.host, here.manager, here.accountant, here.lead):
        browser = sign_in(other)
        for path in (location, f"{location}/attestation.pdf"):
            assert browser.get(path).status_code == 404
        assert location not in browser.get("/me/attestations").text
    for name in ("person", "person_id"):
        assert ask(sign_in(here.host), **{name: here.member.public_id}).status_code == 422
    with app.app_context():
        assert set(db.session.scalars(select(Attestation.person_id))) == {here.member.id}


def test_visitors_are_redirected_to_sign_in(client, place):
    for path in ("/me/attestations", "/me/attestations/abc", "/me/attestations/abc/attestation.pdf"):
        assert client.get(path).status_code == 302


def test_without_any_presence_the_page_explains_what_to_do(app, place, cast, sign_in):
    page = sign_in(cast.stranger).get("/me/attestations").text
    assert "Aucune présence n’est encore notée" in page
    assert "Je suis là" in page and 'href="/week"' in page


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"month": "2026-10"}, "Aucune présence n’est notée ce mois-là"),
        ({"month": "2026-12"}, "Seul un mois commencé"),
        ({"month": ""}, "Écrivez un mois comme 2026-10"),
        ({"month": "2026-13"}, "Écrivez un mois comme 2026-10"),
        ({"month": "99999-01"}, "Écrivez un mois comme 2026-10"),
        ({"month": "1999-01"}, "Écrivez un mois comme 2026-10"),
        ({"month": "2026-11\x00"}, "Écrivez un mois comme 2026-10"),
        ({"employer": "nobody"}, "Choisissez une de vos organisations"),
    ],
)
def test_an_impossible_request_says_why(here, sign_in, form, said):
    answer = ask(sign_in(here.member), **form)
    assert answer.status_code == 422
    assert said in answer.text


def test_the_page_reads_a_bounded_number_of_statements(app, here, sign_in, clock, count_statements):
    browser = sign_in(here.member)
    ask(browser)
    with count_statements() as few:
        browser.get("/me/attestations")
    for days in range(1, 6):
        clock.set(wall(24, 9) + timedelta(days=days))
        with app.app_context():
            stay(here.member, 24 + days, 9, 10)
        ask(browser)
    with count_statements() as many:
        browser.get("/me/attestations")
    assert len(many) == len(few) <= 8, f"{few}\n{many}"


# Verifying ------------------------------------------------------------------------------------------------------------


def code_of(app) -> str:
    with app.app_context():
        return db.session.scalars(select(Attestation.code)).one()


def test_anybody_with_the_code_can_verify_an_attestation(app, here, sign_in, client):
    ask(sign_in(here.member))
    code = code_of(app)
    for typed in (code, code.upper(), code.replace("-", "")):
        answer = client.get(f"/verify/{typed}")
        assert answer.status_code == 200
        assert "Anne Marchand" in answer.text and "1 demi-journée" in answer.text
        assert answer.headers["X-Robots-Tag"] == "noindex"
    led = client.get("/verify", query_string={"code": code.replace("-", " ")})
    assert led.location == f"/verify/{code}"


@pytest.mark.parametrize("code", ["abcd-efgh-jkmn-pqrs", "%20", "a", "%00", "é" * 50, "-", "' OR 1=1"])
def test_a_wrong_code_is_said_clearly(here, client, code):
    answer = client.get(f"/verify/{code}")
    assert answer.status_code == 404
    assert "Aucune attestation ne porte ce code" in answer.text
    assert 'name="code"' in answer.text


def test_codes_are_tried_a_few_times_only(app, here, sign_in, client, clock):
    ask(sign_in(here.member))
    code = code_of(app)
    statuses = [client.get(f"/verify/wrong-{n}").status_code for n in range(25)]
    assert statuses[:20] == [404] * 20
    assert statuses[-1] == 429
    refused = client.get(f"/verify/{code}")
    assert refused.status_code == 429, "not even a right one is looked at"
    assert int(refused.headers["Retry-After"]) > 0
    assert "Anne" not in refused.text
    clock.advance(minutes=16)
    assert client.get(f"/verify/{code}").status_code == 200


def test_right_codes_are_not_limited(app, here, sign_in, client):
    ask(sign_in(here.member))
    code = code_of(app)
    assert {client.get(f"/verify/{code}").status_code for _ in range(30)} == {200}
    with app.app_context():
        assert {row.score for row in db.session.scalars(select(Throttle))} <= {0}
