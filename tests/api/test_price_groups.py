"""Groups of people who pay less, for programs: added, priced from a day on, closed and opened; and given to a person."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.pricing.group_models import GroupTariff, PriceGroup
from tests import factories
from tests.support.api import Program

HALF = {"kind": "desk", "percent_bp": 5000}


@pytest.fixture
def manager(program, cast) -> Program:
    return program(cast.manager)


@pytest.fixture
def group(place, manager) -> str:
    """The id of a group that gets nothing yet."""
    return manager.post("/price-groups", {"name": "retraité"}).get_json()["id"]


def test_a_group_is_added_once_priced_and_read(app, place, manager, cast):
    with app.app_context():
        plan, offer = factories.make_plan().public_id, factories.make_pack_offer().public_id
    made = manager.post("/price-groups", {"name": " retraité "}, key="g1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert (shown["name"], shown["is_open"], shown["people"], shown["prices"]) == ("retraité", True, 0, [])
    assert manager.post("/price-groups", {"name": " retraité "}, key="g1").get_json() == shown
    again = manager.post("/price-groups", {"name": "retraité"})
    assert (again.status_code, again.get_json()["code"], again.get_json()["field"]) == (409, "group_name_taken", "name")
    reductions = [
        HALF,
        {"kind": "adhesion", "cents": 500},
        {"kind": "plan", "plan_id": plan, "cents": 4000},
        {"kind": "pack", "percent_bp": 1000},
        {"kind": "pack", "offer_id": offer, "percent_bp": 2000},
    ]
    body, url = {"valid_from": "2026-12-01", "reductions": reductions}, f"/price-groups/{shown['id']}/prices"
    priced = manager.post(url, body, key="g2")
    assert priced.status_code == 201, priced.get_json()
    (dated,) = priced.get_json()["prices"]
    empty = {"plan_id": None, "offer_id": None, "percent_bp": None, "cents": None}
    assert dated["valid_from"] == "2026-12-01" and dated["reductions"] == [empty | one for one in reductions]
    assert manager.post(url, body, key="g2").get_json() == priced.get_json()
    assert manager.get(f"/price-groups/{shown['id']}").get_json() == priced.get_json()
    replaced = manager.post(url, body | {"reductions": [HALF]}).get_json()["prices"]
    assert [len(one["reductions"]) for one in replaced] == [1]
    with app.app_context():
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "price_group")).all()
        assert actions == ["price_group.added", "price_group.priced", "price_group.priced"]


def test_prices_to_come_are_dropped_and_those_that_apply_are_not(app, manager, group):
    url = f"/price-groups/{group}/prices"
    manager.post(url, {"valid_from": "2026-11-24", "reductions": [HALF]})
    both = manager.post(url, {"valid_from": "2026-12-01", "reductions": []}).get_json()["prices"]
    assert [one["valid_from"] for one in both] == ["2026-12-01", "2026-11-24"]
    dropped = manager.post(f"{url}/{both[0]['id']}/remove", key="d1")
    assert (dropped.status_code, len(dropped.get_json()["prices"])) == (200, 1)
    assert manager.post(f"{url}/{both[0]['id']}/remove", key="d1").get_json() == dropped.get_json()
    assert manager.post(f"{url}/{both[0]['id']}/remove").status_code == 404
    kept = manager.post(f"{url}/{both[1]['id']}/remove")
    assert (kept.status_code, kept.get_json()["code"]) == (422, "group_prices_in_past")
    with app.app_context():
        other = factories.make_group("étudiant").public_id
    assert manager.post(f"/price-groups/{other}/prices/{both[1]['id']}/remove").status_code == 404


def test_a_closed_group_is_given_to_nobody_and_opens_again(app, manager, group, program, cast):
    for _twice in range(2):
        closed = manager.post(f"/price-groups/{group}/close")
        assert (closed.status_code, closed.get_json()["is_open"]) == (200, False)
    given = {"group_id": group, "valid_from": "2026-11-24", "valid_until": "2027-06-30", "proof": "carte"}
    given |= {"seen_on": "2026-11-24"}
    host = program(cast.host)
    refused = host.post(f"/people/{cast.member.public_id}/reduced-prices", given)
    problem = refused.get_json()
    assert (refused.status_code, problem["code"], problem["field"]) == (409, "group_closed", "group_id")
    assert manager.post(f"/price-groups/{group}/open").get_json()["is_open"] is True
    assert host.post(f"/people/{cast.member.public_id}/reduced-prices", given).status_code == 201
    assert manager.get(f"/price-groups/{group}").get_json()["people"] == 1


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"valid_from": "2026-11-23"}, 422, "group_prices_in_past", "valid_from"),
        ({"valid_from": "demain"}, 422, "invalid_input", "valid_from"),
        ({"reductions": None}, 422, "invalid_input", "reductions"),
        ({"reductions": [{"kind": "desk"}]}, 422, "invalid_input", "reductions.0.percent_bp"),
        ({"reductions": [HALF | {"cents": 450}]}, 422, "invalid_input", "reductions.0.percent_bp"),
        ({"reductions": [HALF | {"percent_bp": 0}]}, 422, "invalid_input", "reductions.0.percent_bp"),
        ({"reductions": [HALF | {"kind": "chair"}]}, 422, "invalid_input", "reductions.0.kind"),
        ({"reductions": [HALF | {"plan_id": "2222222222222222"}]}, 422, "invalid_input", "reductions.0.plan_id"),
        ({"reductions": [{"kind": "plan", "cents": 100}]}, 422, "invalid_input", "reductions.0.cents"),
        ({"reductions": [HALF, HALF]}, 422, "invalid_input", "reductions"),
        (
            {"reductions": [{"kind": "pack", "offer_id": "2222222222222222", "percent_bp": 100}]},
            404,
            "not_found",
            "reductions",
        ),
    ],
)
def test_prices_that_cannot_be_are_refused(app, manager, group, wrong, status, code, field):
    body = {"valid_from": "2026-12-01", "reductions": [HALF]} | wrong
    problem = manager.post(f"/price-groups/{group}/prices", body).get_json()
    assert (problem["status"], problem["code"], problem["field"]) == (status, code, field), problem
    with app.app_context():
        assert db.session.scalar(select(func.count(GroupTariff.id))) == 0


def test_a_price_above_the_one_that_everyone_pays_is_refused(app, manager, group):
    with app.app_context():
        factories.make_tariff()
    body = {"valid_from": "2026-12-01", "reductions": [{"kind": "desk", "cents": 99_00}]}
    problem = manager.post(f"/price-groups/{group}/prices", body).get_json()
    assert (problem["status"], problem["code"], problem["field"]) == (422, "reduction_dearer", "reductions"), problem


@pytest.mark.parametrize("name", ["", "  ", "a" * 41, "a\u202eb", 5, None])
def test_a_name_that_cannot_be_is_refused(app, place, manager, name):
    problem = manager.post("/price-groups", {"name": name}).get_json()
    assert (problem["status"], problem["field"]) == (422, "name"), problem
    with app.app_context():
        assert db.session.scalar(select(func.count(PriceGroup.id))) == 0


@pytest.mark.parametrize("who", ["member", "stranger", "host", "accountant", "lead"])
def test_groups_are_the_managers(app, group, program, cast, who):
    other = program(getattr(cast, who))
    answers = [
        other.get(f"/price-groups/{group}"),
        other.post("/price-groups", {"name": "x"}),
        other.post(f"/price-groups/{group}/prices", {"valid_from": "2026-12-01", "reductions": []}),
        other.post(f"/price-groups/{group}/prices/2222222222222222/remove"),
        other.post(f"/price-groups/{group}/close"),
        other.post(f"/price-groups/{group}/open"),
    ]
    assert {(one.status_code, one.get_json()["code"]) for one in answers} == {(403, "forbidden")}


def test_a_group_that_is_not_there_is_not_changed(place, manager):
    unknown = "/price-groups/2222222222222222"
    assert manager.get(unknown).status_code == 404
    assert manager.post(f"{unknown}/prices", {"valid_from": "2026-12-01", "reductions": []}).status_code == 404
    assert {manager.post(f"{unknown}/{act}").status_code for act in ("close", "open", "prices/x/remove")} == {404}
