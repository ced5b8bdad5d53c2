"""One typed outlier does not move a network's rate unseen: it is marked, and what the lead sets aside is said everywhere."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.network.head import enrolment, setting_aside, six_figures
from coworking.network.head.models import FIGURES, ReceivedReturn, ReturnSetAside
from coworking.network.head.overview import last_month, overview
from tests.network.head.lieux import OCTOBER, make_lieu, plain, put, say
from tests.support.api import Program

SIX_FIGURES = {
    "open_days": 22,
    "desk_offered_halfdays": 400,
    "desk_booked_halfdays": 200,
    "desk_attended_halfdays": 180,
    "distinct_people": 30,
    "workshop_participants": 0,
}
REASON = "Un zéro de trop, le lieu corrige"


@pytest.fixture
def lopsided(app, place):
    """Five lieux at 50 %, and one that typed a zero too many in what it offered; its public id."""
    with app.app_context():
        for number in range(5):
            say(make_lieu(f"Lieu {number}"), offered=400, booked=200, attended=None, known=0, desk_absent_halfdays=0)
        typed = make_lieu("La Coquille", way="link")
        say(typed, offered=40_000, booked=200, attended=None, known=0, desk_absent_halfdays=0)
        return typed.public_id


def put_aside(cast, lieu, reason=REASON, revision=1):
    setting_aside.set_aside(cast.lead.actor(), lieu, OCTOBER, revision, reason)


def test_what_is_set_aside_is_left_out_and_said_everywhere(app, cast, lopsided, sign_in):
    lead = sign_in(cast.lead)
    before = plain(lead.get("/network?month=2026-10").text)
    assert "3 % des demi-journées offertes ont été réservées" in before
    assert "alors que la moitié des autres lieux en offrent 400 au plus" in before
    url = f"/network/lieux/{lopsided}/returns/2026-10/1/set-aside"
    assert lead.post(url, data={"reason": REASON}).status_code == 303
    page = plain(lead.get("/network?month=2026-10").text)
    assert "6 lieux sur 6 ont envoyé octobre. 50 % des demi-journées offertes ont été réservées" in page
    assert f"Sans La Coquille, écarté par la tête de réseau : {REASON}." in page
    table = lead.get("/network/returns.csv?month=2026-10").text
    (row,) = [line for line in table.splitlines() if line.startswith("La Coquille")]
    assert REASON in row
    answer = Program(app, cast.lead).get("/network/returns", month="2026-10").get_json()
    assert {one["lieu"]["name"]: one["set_aside"] for one in answer["items"]}["La Coquille"] == REASON
    assert len(answer["items"]) == 6
    rate = answer["aggregate"]["rates"]["desk_booked"]
    assert (rate["numerator"], rate["denominator"], rate["lieux"]) == (1000, 2000, 5)
    (left_out,) = answer["aggregate"]["set_aside"]
    assert left_out["reason"] == REASON
    assert left_out["lieu_id"] not in {one["lieu_id"] for one in answer["aggregate"]["members"]}
    page = plain(lead.get(f"/network/lieux/{lopsided}?month=2026-10").text)
    assert REASON in page and "Le compter de nouveau" in page


def test_it_can_be_undone_and_both_are_written_down(app, cast, lopsided, sign_in):
    lead = sign_in(cast.lead)
    url = f"/network/lieux/{lopsided}/returns/2026-10/1"
    answer = lead.post(f"{url}/set-aside", data={"reason": REASON}, follow_redirects=True)
    assert f"{url}/count-again" in answer.text
    for _ in range(2):
        assert lead.post(f"{url}/count-again").status_code == 303
    with app.app_context():
        assert overview(OCTOBER).set_aside == []
        row = db.session.scalars(select(ReturnSetAside)).one()
        assert (row.reason, row.created_by_id, row.ended_by_id) == (REASON, cast.lead.id, cast.lead.id)
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "received_return"))
        assert list(actions) == ["network.return_set_aside", "network.return_counted_again"]
        put_aside(cast, lopsided)
        put_aside(cast, lopsided, "Autre motif")
        assert [row.set_aside for row in overview(OCTOBER).set_aside] == [REASON], "the first reason stands"


def test_a_later_revision_counts_again(app, cast, lopsided):
    with app.app_context():
        put_aside(cast, lopsided)
        lieu = db.session.scalars(select(ReceivedReturn.network_lieu_id).join(ReturnSetAside)).one()
        typed = db.session.get_one(six_figures.NetworkLieu, lieu)
        told = {"offered": 400, "booked": 200, "attended": None, "known": 0, "desk_absent_halfdays": 0}
        say(typed, revision=2, status="restatement", **told)
        found = overview(OCTOBER)
        assert (found.set_aside, tuple(found.summary.rates["desk_booked"].pair)) == ([], (1200, 2400))


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_reason_nothing_is_set_aside(app, cast, lopsided, sign_in, reason):
    answer = sign_in(cast.lead).post(f"/network/lieux/{lopsided}/returns/2026-10/1/set-aside", data={"reason": reason})
    assert answer.status_code == 422
    assert "Dites en une ligne pourquoi" in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ReturnSetAside)) == 0


def test_only_what_is_here_is_set_aside_and_only_by_the_lead(app, cast, lopsided, sign_in):
    with app.app_context():
        for lieu, revision in ((lopsided, 2), ("nobody", 1)):
            with pytest.raises(NotFound):
                put_aside(cast, lieu, revision=revision)
            with pytest.raises(NotFound):
                setting_aside.count_again(cast.lead.actor(), lieu, OCTOBER, revision)
    lead = sign_in(cast.lead)
    for path in ("2026-13/1", "2026-10/99999", "2026-10/9223372036854775808"):
        assert lead.post(f"/network/lieux/{lopsided}/returns/{path}/set-aside", data={"reason": "x"}).status_code == 404
    for person in (cast.manager, cast.host):
        browser = sign_in(person)
        for act in ("set-aside", "count-again"):
            answer = browser.post(f"/network/lieux/{lopsided}/returns/2026-10/1/{act}", data={"reason": "x"})
            assert answer.status_code == 403


def test_a_typed_outlier_is_taken_in_and_marked_beside_its_row(app, cast, place, sign_in):
    with app.app_context():
        lieu = put("Chez Jeanne")
        token = enrolment.invite(cast.lead.actor(), lieu, FIGURES)
        months = six_figures.reach()
        for month in reversed(months[1:4]):
            six_figures.send(token, month, SIX_FIGURES)
        six_figures.send(token, months[0], SIX_FIGURES | {"desk_offered_halfdays": 4000})
        rows = db.session.scalars(select(ReceivedReturn).order_by(ReceivedReturn.month)).all()
        assert [json.loads(row.doubts) for row in rows[:-1]] == [[], [], []]
        (doubt,) = json.loads(rows[-1].doubts)
        assert (doubt["code"], doubt["value"], doubt["usual"]) == ("far_above", 4000, 400)
        assert next((call.row.name, call.why) for call in overview(last_month()).calls) == ("Chez Jeanne", "doubt")
    page = plain(sign_in(cast.lead).get("/network").text)
    assert "Demi-journées offertes : 4 000, contre environ 400 les mois précédents dans ce lieu." in page
