"""Moving a booking over HTTP: its price is said first, agreed to, and a move can be undone."""

from __future__ import annotations

import pytest

from tests.api.conftest import morning
from tests.factories import make_agreement, make_subscription, make_tariff


@pytest.fixture(autouse=True)
def priced(app, place):
    """Desks 9.00 a half-day, the second one 14.00."""
    with app.app_context():
        make_tariff(resources={place.desks[1]: 1400})


@pytest.fixture
def made(member, place) -> str:
    body = {key: value for key, value in morning().items() if key != "kind"} | {"resource_id": place.desks[0].public_id}
    return f"/bookings/{member.post('/bookings', body).get_json()['id']}"


def amounts(answer) -> list[int | None]:
    return [unit["amount_cents"] for unit in answer.get_json()["units"]]


def test_both_prices_are_said_and_nothing_is_changed(member, place, made):
    said = member.get(made + "/move", resource_id=place.desks[1].public_id).get_json()
    free = {"plan_halfdays": 0, "plan_minutes": 0, "employer_halfdays": 0, "pack_halfdays": 0, "pack_minutes": 0}
    free |= {"price_basis": "ttc", "price_group": None, "employer_cents": 0}
    assert (said["before"], said["after"]) == (free | {"amount_cents": 900}, free | {"amount_cents": 1400})
    assert (said["resource_name"], said["same_price"]) == ("Poste 2", False)
    assert said["starts_at"] == "2026-11-26T09:00:00+01:00"
    assert amounts(member.get(made)) == [900]


def test_it_is_moved_at_the_price_that_was_read_or_not_at_all(member, place, made):
    dearer = {"resource_id": place.desks[1].public_id}
    refused = member.post(made + "/move", dearer | {"agreed_cents": 900})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "price_changed")
    assert amounts(member.get(made)) == [900]
    moved = member.post(made + "/move", dearer | {"agreed_cents": 1400})
    assert (moved.status_code, amounts(moved)) == (200, [1400])
    assert moved.get_json()["undo_move_until"] == "2026-11-24T10:46:00+01:00"


def test_a_program_that_sends_no_price_moves_as_it_books(member, place, made):
    assert amounts(member.post(made + "/move", {"resource_id": place.desks[1].public_id})) == [1400]


def test_another_time_from_one_allowance_to_another(app, cast, member, made):
    with app.app_context():
        make_subscription(cast.member)
    friday = {"starts_at": "2026-11-27T09:00:00+01:00", "ends_at": "2026-11-27T13:00:00+01:00"}
    said = member.get(made + "/move", **friday).get_json()
    assert (said["before"]["amount_cents"], said["after"]["amount_cents"]) == (900, 0)
    assert said["after"]["plan_halfdays"] == 1
    moved = member.post(made + "/move", friday | {"agreed_cents": 0}).get_json()
    assert (moved["starts_at"], moved["units"][0]["cover"]) == (friday["starts_at"], "subscription")


def test_a_move_is_undone_once_and_asking_again_is_fine(member, place, made, clock):
    member.post(made + "/move", {"resource_id": place.desks[1].public_id})
    for _again in range(2):
        undone = member.post(made + "/undo-move")
        assert (undone.status_code, amounts(undone)) == (200, [900])
        assert undone.get_json()["units"][0]["resource_name"] == "Poste 1"
        assert undone.get_json()["undo_move_until"] is None
    member.post(made + "/move", {"resource_id": place.desks[2].public_id})
    clock.advance(minutes=10)
    assert member.get(made).get_json()["undo_move_until"] is None
    late = member.post(made + "/undo-move")
    assert (late.status_code, late.get_json()["code"]) == (409, "undo_too_late")


def test_a_move_is_not_undone_when_its_former_place_is_taken(member, program, cast, place, made):
    member.post(made + "/move", {"resource_id": place.desks[1].public_id})
    body = {key: value for key, value in morning().items() if key != "kind"} | {"resource_id": place.desks[0].public_id}
    assert program(cast.stranger).post("/bookings", body).status_code == 201
    refused = member.post(made + "/undo-move")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "claim_conflict")


def test_hosts_read_that_it_changes_and_managers_by_how_much(app, host, program, cast, place, made):
    dearer = {"resource_id": place.desks[1].public_id}
    said = host.get(made + "/move", **dearer).get_json()
    assert (said["before"], said["after"], said["same_price"]) == (None, None, False)
    guess = host.post(made + "/move", dearer | {"agreed_cents": 1400})
    assert (guess.status_code, guess.get_json()["field"]) == (403, "agreed_cents"), (
        "nor can a host find it out by asking"
    )
    assert program(cast.manager).get(made + "/move", **dearer).get_json()["after"]["amount_cents"] == 1400
    assert host.post(made + "/move", dearer).status_code == 200


def test_an_employer_that_pays_stays_the_payer(app, cast, member, place):
    with app.app_context():
        make_agreement(weekdays=0b0001000)  # Thursdays
    made = f"/bookings/{member.post('/bookings', morning()).get_json()['id']}"
    said = member.get(made + "/move", resource_id=place.desks[2].public_id).get_json()
    assert said["same_price"] and said["after"]["employer_halfdays"] == 1
    friday = {"starts_at": "2026-11-27T09:00:00+01:00", "ends_at": "2026-11-27T13:00:00+01:00"}
    assert member.get(made + "/move", **friday).get_json()["code"] == "no_agreement"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "resource_id"),
        ({"agreed_cents": 900}, "resource_id"),
        ({"starts_at": "2026-11-27T09:00:00+01:00"}, "ends_at"),
        ({"ends_at": "2026-11-27T09:00:00+01:00"}, "starts_at"),
        ({"resource_id": "x", "agreed_cents": -1}, "agreed_cents"),
        ({"resource_id": "x", "agreed_cents": "nine"}, "agreed_cents"),
        ({"resource_id": "x", "price": 1}, "price"),
        ({"starts_at": "2026-11-27T13:00:00+01:00", "ends_at": "2026-11-27T09:00:00+01:00"}, "ends_at"),
    ],
)
def test_what_cannot_be_read_names_the_field(member, made, body, field):
    refused = member.post(made + "/move", body)
    assert (refused.status_code, refused.get_json()["field"]) == (422, field)


def test_a_stranger_finds_nothing(program, cast, place, made):
    stranger = program(cast.stranger)
    answers = [
        stranger.get(made + "/move", resource_id=place.desks[1].public_id),
        stranger.post(made + "/move", {"resource_id": place.desks[1].public_id, "agreed_cents": 0}),
        stranger.post(made + "/undo-move"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
