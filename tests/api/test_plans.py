"""Plans for programs: what one can take, taking it at the price that was read, one's own alone, ending it."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.core import sales
from coworking.pricing.group_rules import Reduction
from tests.factories import make_group, make_plan, make_reduced, make_subscription
from tests.membership.first import ask_first


@pytest.fixture
def plan(app, place, cast) -> str:
    with app.app_context():
        group = make_group("étudiant", plan=Reduction(percent_bp=5000))
        make_reduced(cast.member, group)
        make_plan("Équipe", taken_by="team"), make_plan("Adhérents", taken_by="adherents")
        return make_plan("Dix", rollover_halfdays=4, room_minutes=300, min_months=6, trial_cents=1000).public_id


def test_a_plan_is_offered_at_one_s_own_price_and_taken(plan, cast, member, program):
    (one,) = member.get("/plans").get_json()["items"]
    assert one == {
        "id": plan,
        "name": "Dix",
        "cents": 3000,
        "first_month_cents": 1000,
        "begins_on": None,
        "is_trial": True,
        "bound_until": "2027-04",
        "price_group": "étudiant",
        "halfdays": 10,
        "room_minutes": 300,
        "rollover_halfdays": 4,
        "rollover_minutes": None,
    }
    wanted = {"plan_id": plan, "first_month": "2026-11", "agreed_cents": 3000}
    dear = member.post("/subscriptions", wanted)
    assert (dear.status_code, dear.get_json()["code"]) == (409, "price_changed")
    taken = member.post("/subscriptions", wanted | {"agreed_cents": 1000})
    assert taken.status_code == 201, taken.get_json()
    shown = taken.get_json()
    assert (shown["cents"], shown["first_month"], shown["last_month"], shown["bound_until"]) == (
        3000,
        "2026-11",
        None,
        "2027-04",
    )
    assert member.get("/subscriptions").get_json()["items"] == [shown]
    again = member.post("/subscriptions", wanted | {"agreed_cents": 1000})
    assert again.status_code == 409 and again.get_json()["code"] in ("price_changed", "already_subscribed")
    (full,) = program(cast.stranger).get("/plans").get_json()["items"]
    assert (full["cents"], full["price_group"]) == (6000, None)


def test_ending_is_for_oneself_and_comes_with_the_term(app, plan, cast, member, program):
    taken = member.post("/subscriptions", {"plan_id": plan, "first_month": "2026-12", "agreed_cents": 1000}).get_json()
    path = f"/subscriptions/{taken['id']}/end"
    assert program(cast.stranger).post(path, {}).status_code == 404
    assert program(cast.manager).post(path, {}).status_code == 404, "one's own alone, whatever one is"
    ended = member.post(path, {})
    assert (ended.status_code, ended.get_json()["last_month"]) == (200, "2026-12"), "a trial ends with its month"
    assert member.post(path, {}).get_json()["code"] == "already_ended"
    with app.app_context():
        held = make_subscription(cast.stranger, first_month=date(2026, 11, 1)).public_id
    assert program(cast.stranger).post(f"/subscriptions/{held}/end", {}).get_json()["last_month"] == "2026-11"


def test_what_is_not_for_one_is_refused(app, plan, member):
    with app.app_context():
        given = make_plan("Autre", taken_by="team").public_id
    answer = member.post("/subscriptions", {"plan_id": given, "first_month": "2026-12", "agreed_cents": 3000})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "plan_given_by_team")


def test_what_is_paid_first_is_not_had_through_a_program(app, plan, member, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])
    with app.app_context():
        ask_first()
    answer = member.post("/subscriptions", {"plan_id": plan, "first_month": "2026-11", "agreed_cents": 1000})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "must_be_paid_first")
