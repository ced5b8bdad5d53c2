"""Who pays and what it costs, over HTTP: told to whose booking it is and to managers, to nobody else."""

from __future__ import annotations

import pytest

from tests.api.conftest import morning
from tests.factories import make_agreement, make_tariff


@pytest.fixture(autouse=True)
def priced(app, place, cast):
    with app.app_context():
        make_tariff()
        make_agreement(halfdays=1, beyond="refuse")


def money(answer) -> tuple[str | None, str | None, int | None]:
    unit = answer.get_json()["units"][0]
    return unit["payer"], unit["cover"], unit["amount_cents"]


def test_the_employer_pays_unless_one_chooses_to(member):
    assert money(member.post("/bookings", morning())) == ("employer", "agreement", 900)
    mine = member.post("/bookings", morning(27) | {"payer": "me"})
    assert money(mine) == ("person", "tariff", 900)
    assert mine.get_json()["units"][0]["price_state"] == "live"


def test_what_the_employer_does_not_pay_is_refused_by_name(member, program, cast):
    member.post("/bookings", morning())
    refused = member.post("/bookings", morning(27))
    assert (refused.status_code, refused.get_json()["code"]) == (422, "agreement_exhausted")
    stranger = program(cast.stranger).post("/bookings", morning(27) | {"payer": "employer"})
    assert (stranger.get_json()["code"], stranger.get_json()["field"]) == ("no_agreement", "payer")
    assert member.post("/bookings", morning(27) | {"payer": "nobody"}).status_code == 422


def test_hosts_never_see_money_and_managers_do(member, host, program, cast):
    made = member.post("/bookings", morning()).get_json()["id"]
    assert money(host.get(f"/bookings/{made}")) == (None, None, None)
    assert money(program(cast.manager).get(f"/bookings/{made}")) == ("employer", "agreement", 900)
    assert money(host.post("/bookings", morning(27) | {"person_id": cast.stranger.public_id})) == (None, None, None)


def test_a_cancelled_booking_owes_nothing(member):
    made = member.post("/bookings", morning()).get_json()["id"]
    assert member.post(f"/bookings/{made}/cancel").get_json()["units"][0]["price_state"] == "released"
