"""What the lieu sells, for programs of managers: the tariff, plans, packs and articles."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import PackOffer, Plan
from coworking.pricing.models import Article, ArticlePrice, Tariff
from coworking.pricing.queries import prices_on
from coworking.spaces.models import Lieu
from tests import factories
from tests.support.api import Program
from tests.support.billing import use

DECEMBER = date(2026, 12, 1)
TARIFF = {
    "valid_from": "2026-12-01",
    "vat_rate_bp": 2000,
    "prices": [{"kind": "desk", "cents": 1000, "day_cents": 1800}, {"kind": "room", "cents": 1600}],
}
PLAN = {"name": "Dix demi-journées", "monthly_cents": 9000, "halfdays_per_month": 10, "vat_rate_bp": 2000}
PACK = {"name": "Carnet", "unit": "half_day", "units": 10, "cents": 8000, "valid_months": 6, "vat_rate_bp": 2000}
COFFEE = {"label": " Café  serré", "kind": "goods", "cents": 150, "vat_rate_bp": 1000}


@pytest.fixture
def manager(program, cast) -> Program:
    return program(cast.manager)


@pytest.fixture
def taxable(app, place) -> None:
    with app.app_context(), write_unit():
        db.session.execute(update(Lieu).values(vat_status="taxable"))


def count(app, model) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_tariff_is_published_once_and_read_with_the_others(app, place, taxable, manager, cast):
    with app.app_context():
        factories.make_tariff()
    small = place.rooms[0]
    wanted = TARIFF | {"basis": "ht", "prices": [*TARIFF["prices"], {"resource_id": small.public_id, "cents": 900}]}
    made = manager.post("/tariffs", wanted, key="t1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert (shown["valid_from"], shown["basis"], shown["vat_rate_bp"]) == ("2026-12-01", "ht", 2000)
    assert [
        (one["kind"], one["resource_id"], one["unit"], one["cents"], one["day_cents"]) for one in shown["prices"]
    ] == [
        ("desk", None, "half_day", 1000, 1800),
        ("room", None, "hour", 1600, None),
        ("room", small.public_id, "hour", 900, None),
    ]
    assert manager.post("/tariffs", wanted, key="t1").get_json() == shown
    dated = manager.get("/tariffs").get_json()["items"]
    assert [one["valid_from"] for one in dated] == ["2026-12-01", factories.LONG_AGO.isoformat()]
    with app.app_context():
        assert prices_on(DECEMBER).price_of("room", small.id) == 900
        assert prices_on(DECEMBER - timedelta(days=1)).price_of("desk", place.desks[0].id) == 900
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "tariff.set")).one()
        assert entry.actor_id == cast.manager.id


def test_a_tariff_to_come_is_replaced_and_dropped(app, place, manager):
    first = manager.post("/tariffs", TARIFF).get_json()
    second = manager.post("/tariffs", TARIFF | {"prices": [{"kind": "desk", "cents": 1200}]}).get_json()
    assert (second["id"], len(second["prices"])) == (first["id"], 1)
    assert (second["basis"], second["vat_rate_bp"]) == ("ttc", 0), "no VAT is charged here"
    gone = manager.post(f"/tariffs/{first['id']}/remove", key="r1")
    assert (gone.status_code, gone.get_json()) == (200, {"id": first["id"]})
    assert manager.post(f"/tariffs/{first['id']}/remove", key="r1").get_json() == {"id": first["id"]}
    assert manager.post(f"/tariffs/{first['id']}/remove").status_code == 404
    assert manager.get("/tariffs").get_json()["items"] == []
    today = manager.post("/tariffs", TARIFF | {"valid_from": "2026-11-24"}).get_json()
    assert manager.post(f"/tariffs/{today['id']}/remove").get_json()["code"] == "tariff_in_past"


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"valid_from": "2026-11-23"}, 422, "tariff_in_past", "valid_from"),
        ({"basis": "net"}, 422, "invalid_input", "basis"),
        ({"vat_rate_bp": 10_001}, 422, "invalid_input", "vat_rate_bp"),
        ({"prices": [{"kind": "desk", "cents": -1}]}, 422, "invalid_input", "prices.0.cents"),
        ({"prices": [{"kind": "desk", "cents": 9.5}]}, 422, "invalid_input", "prices.0.cents"),
        ({"prices": [{"cents": 900}]}, 422, "invalid_input", "prices.0.resource_id"),
        ({"prices": [{"kind": "desk", "resource_id": "x", "cents": 9}]}, 422, "invalid_input", "prices.0.resource_id"),
        ({"prices": [{"kind": "desk", "cents": 900}] * 2}, 422, "invalid_input", "prices"),
        ({"prices": [{"kind": "desk", "cents": 900, "day_cents": 800}]}, 422, "day_price_invalid", None),
        ({"prices": [{"kind": "desk", "cents": 900, "day_cents": 1800}]}, 422, "day_price_invalid", None),
        ({"prices": [{"kind": "room", "cents": 900, "day_cents": 1000}]}, 422, "day_price_of_desks", None),
        ({"prices": [{"resource_id": "2222222222222222", "cents": 900}]}, 404, "not_found", None),
    ],
)
def test_a_tariff_that_cannot_be_is_refused(app, place, manager, wrong, status, code, field):
    answer = manager.post("/tariffs", TARIFF | wrong)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.get_json()
    assert answer.get_json().get("field") == field
    assert count(app, Tariff) == 0


def test_a_room_s_own_price_has_no_whole_day(app, place, manager):
    own = {"resource_id": place.rooms[0].public_id, "cents": 900, "day_cents": 1000}
    answer = manager.post("/tariffs", TARIFF | {"prices": [own]})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "day_price_of_desks")
    assert count(app, Tariff) == 0


def test_whom_new_prices_concern_is_said_before(app, place, manager, cast):
    with app.app_context():
        factories.make_tariff()
        use(place, cast.member, date(2026, 11, 9))
        use(place, cast.member, date(2026, 12, 3))
    concerned = manager.get("/tariffs/concerned", valid_from="2026-12-01")
    assert concerned.get_json() == {"booked": 1, "people": 1, "organisations": []}
    past = manager.get("/tariffs/concerned", valid_from="2026-11-01")
    assert (past.status_code, past.get_json()["code"]) == (422, "tariff_in_past")
    assert manager.get("/tariffs/concerned").get_json()["field"] == "valid_from"


def test_a_plan_is_offered_once_closed_and_opened(app, taxable, manager, member):
    wanted = PLAN | {"room_minutes": 240, "rollover_halfdays": 2, "min_months": 3, "trial_cents": 1000, "basis": "ht"}
    made = manager.post("/plans", wanted, key="p1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert {name: shown[name] for name in wanted} == wanted
    assert (shown["is_open"], shown["holders"], shown["taken_by"], shown["rollover_minutes"]) == (True, 0, None, None)
    assert manager.post("/plans", wanted, key="p1").get_json() == shown
    assert [one["id"] for one in member.get("/plans").get_json()["items"]] == [shown["id"]]
    closed = manager.post(f"/plans/{shown['id']}/close", key="p2")
    assert closed.get_json() == shown | {"is_open": False}
    assert manager.post(f"/plans/{shown['id']}/close", key="p2").get_json() == closed.get_json()
    assert member.get("/plans").get_json()["items"] == []
    assert manager.get("/sold").get_json()["plans"] == [closed.get_json()]
    assert manager.post(f"/plans/{shown['id']}/open").get_json() == shown
    with app.app_context():
        said = db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("plan.%"))).all()
        assert said == ["plan.added", "plan.closed", "plan.opened"]


def test_a_plan_of_a_group_names_it(app, place, manager):
    with app.app_context():
        group = factories.make_group("étudiant").public_id
    made = manager.post("/plans", PLAN | {"taken_by": "group", "group_id": group})
    assert (made.status_code, made.get_json()["group_id"]) == (201, group)
    assert manager.post("/plans", PLAN | {"taken_by": "group", "group_id": "2222222222222222"}).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"monthly_cents": 10_000_001}, "monthly_cents"),
        ({"halfdays_per_month": 0}, "halfdays_per_month"),
        ({"room_minutes": 90}, "room_minutes"),
        ({"rollover_minutes": 60}, "rollover_minutes"),
        ({"min_months": 1}, "min_months"),
        ({"taken_by": "group"}, "group_id"),
        ({"taken_by": "team", "group_id": "x"}, "group_id"),
        ({"is_prorata": 1}, "is_prorata"),
        ({"vat_rate_bp": None}, "vat_rate_bp"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(app, place, manager, wrong, field):
    answer = manager.post("/plans", PLAN | wrong)
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["field"]) == (422, "invalid_input", field)
    assert count(app, Plan) == 0


def test_a_pack_is_offered_once_closed_and_opened(app, place, manager, member):
    made = manager.post("/pack-offers", PACK, key="k1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert {name: shown[name] for name in PACK} == PACK | {"vat_rate_bp": 0}, "no VAT is charged here"
    assert manager.post("/pack-offers", PACK, key="k1").get_json() == shown
    assert [one["id"] for one in member.get("/pack-offers").get_json()["items"]] == [shown["id"]]
    closed = manager.post(f"/pack-offers/{shown['id']}/close", key="k2")
    assert closed.get_json() == shown | {"is_open": False}
    assert manager.post(f"/pack-offers/{shown['id']}/close", key="k2").get_json() == closed.get_json()
    assert member.get("/pack-offers").get_json()["items"] == []
    assert manager.get("/sold").get_json()["packs"] == [closed.get_json()]
    assert manager.post(f"/pack-offers/{shown['id']}/open").get_json() == shown


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"units": 0}, "units"),
        ({"unit": "hour", "units": 90}, "units"),
        ({"unit": "month"}, "unit"),
        ({"valid_months": 61}, "valid_months"),
        ({"cents": -1}, "cents"),
        ({"name": "x" * 81}, "name"),
    ],
)
def test_a_pack_that_cannot_be_is_refused(app, place, manager, wrong, field):
    answer = manager.post("/pack-offers", PACK | wrong)
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["field"]) == (422, "invalid_input", field)
    assert count(app, PackOffer) == 0


def test_an_article_is_sold_priced_anew_and_no_longer_sold(app, taxable, manager, cast):
    made = manager.post("/articles", COFFEE, key="a1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    first = {"valid_from": "2026-11-24", "cents": 150, "vat_rate_bp": 1000, "account": "707"}
    assert (shown["label"], shown["kind"], shown["is_open"], shown["prices"]) == ("Café serré", "goods", True, [first])
    assert manager.post("/articles", COFFEE, key="a1").get_json() == shown
    assert manager.post("/articles", COFFEE).get_json()["code"] == "article_label_taken"
    path, second = f"/articles/{shown['id']}", {"valid_from": "2026-12-01", "cents": 160, "vat_rate_bp": 1000}
    priced = manager.post(f"{path}/prices", second, key="a2")
    assert (priced.status_code, priced.get_json()["prices"]) == (201, [first, second | {"account": "707"}])
    assert manager.post(f"{path}/prices", second, key="a2").get_json() == priced.get_json()
    closed = manager.post(f"{path}/close", key="a3").get_json()
    assert (closed["is_open"], manager.post(f"{path}/close", key="a3").get_json()) == (False, closed)
    assert manager.get("/sold").get_json()["articles"] == [closed]
    assert manager.post(f"{path}/open").get_json() == priced.get_json()
    with app.app_context():
        said = db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("article.%"))).all()
        assert said == ["article.priced", "article.priced", "article.archived", "article.restored"]


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"label": ""}, "invalid_input", "label"),
        ({"kind": "gift"}, "invalid_input", "kind"),
        ({"cents": 0}, "invalid_input", "cents"),
        ({"account": "602"}, "account_invalid", "account"),
        ({"kind": "deposit", "account": "707"}, "account_invalid", "account"),
    ],
)
def test_an_article_that_cannot_be_is_refused(app, place, manager, wrong, code, field):
    answer = manager.post("/articles", COFFEE | wrong)
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["field"]) == (422, code, field)
    assert count(app, Article) == 0


def test_the_price_of_an_article_changes_from_today_on(app, place, manager):
    path = f"/articles/{manager.post('/articles', COFFEE).get_json()['id']}/prices"
    past = manager.post(path, {"valid_from": "2026-11-23", "cents": 160, "vat_rate_bp": 0})
    assert (past.status_code, past.get_json()["code"]) == (422, "article_price_in_past")
    nobody = manager.post(
        "/articles/2222222222222222/prices", {"valid_from": "2026-12-01", "cents": 1, "vat_rate_bp": 0}
    )
    assert nobody.status_code == 404
    assert count(app, ArticlePrice) == 1


WRITES: list[tuple[str, Any]] = [
    ("/tariffs", TARIFF),
    ("/tariffs/2222222222222222/remove", {}),
    ("/plans", PLAN),
    ("/plans/2222222222222222/close", {}),
    ("/plans/2222222222222222/open", {}),
    ("/pack-offers", PACK),
    ("/pack-offers/2222222222222222/close", {}),
    ("/pack-offers/2222222222222222/open", {}),
    ("/articles", COFFEE),
    ("/articles/2222222222222222/prices", {"valid_from": "2026-12-01", "cents": 1, "vat_rate_bp": 0}),
    ("/articles/2222222222222222/close", {}),
    ("/articles/2222222222222222/open", {}),
]


@pytest.mark.parametrize("who", ["member", "stranger", "host", "accountant", "lead"])
def test_what_is_sold_is_the_managers(app, place, program, cast, who):
    other = program(getattr(cast, who))
    answers = [other.get(path) for path in ("/tariffs", "/sold")]
    answers += [other.get("/tariffs/concerned", valid_from="2026-12-01")]
    answers += [other.post(path, body) for path, body in WRITES]
    for answer in answers:
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    assert [count(app, model) for model in (Tariff, Plan, PackOffer, Article)] == [0] * 4


def test_what_is_not_there_is_not_changed(place, manager):
    answers = [manager.post(path, body) for path, body in WRITES if "2222" in path]
    assert {answer.status_code for answer in answers} == {404}
