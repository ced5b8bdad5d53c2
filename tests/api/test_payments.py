"""Payments for programs: a page to pay on, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coworking.billing import online, online_refunds, services
from coworking.billing.gateways.port import DisputeFact, MoneyBack, RefundFact
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.calendar import lock_lieu
from tests.support.api import Program
from tests.support.billing import OCTOBER
from tests.support.gateway import MemoryGateway


@pytest.fixture
def issued(gateway, billing_lieu, app) -> dict[int, str]:
    """Public ids of the invoices of October by what is to be paid."""
    with app.app_context():
        return {row.payable_cents: row.public_id for row in services.run(billing_lieu.manager, OCTOBER).issued}


def settle(app, gateway: MemoryGateway, state: str) -> None:
    checkout_id = list(gateway.facts)[-1]
    gateway.become(checkout_id, state)
    with app.app_context():
        online.settle("stripe", checkout_id)


def test_a_page_is_opened_once_and_its_payment_is_read(app, gateway, billing_lieu, issued):
    lise = Program(app, billing_lieu.cast.stranger)
    answer = lise.post(f"/invoices/{issued[6600]}/checkout", {})
    made = answer.get_json()
    assert answer.status_code == 201
    assert (made["state"], made["cents"], made["gateway"]) == ("open", 6600, "stripe")
    assert made["url"].startswith("http://pay.test/")
    assert lise.post(f"/invoices/{issued[6600]}/checkout", {"gateway": "stripe"}).get_json()["id"] == made["id"]
    settle(app, gateway, "paid")
    (paid,) = lise.get("/payments").get_json()["items"]
    assert (paid["state"], paid["means"], paid["url"]) == ("paid", "card", None)
    assert [(part["id"], part["cents"]) for part in paid["invoices"]] == [(issued[6600], 6600)]
    again = lise.post(f"/invoices/{issued[6600]}/checkout", {})
    assert (again.status_code, again.get_json()["code"]) == (409, "nothing_to_pay")


def test_what_went_back_is_read_with_the_payment(app, gateway, billing_lieu, issued):
    lise = Program(app, billing_lieu.cast.stranger)
    lise.post(f"/invoices/{issued[6600]}/checkout", {})
    settle(app, gateway, "paid")
    (payment_id,) = (fact.payment_id for fact in gateway.facts.values())
    due = datetime(2026, 12, 8, 22, tzinfo=UTC)
    gateway.back[payment_id] = MoneyBack(
        (RefundFact("re_1", None, "done", 600),), (DisputeFact("dp_1", "open", 6000, "fraudulent", due),)
    )
    with app.app_context():
        online_refunds.settle_money_back("stripe", payment_id)
    (paid,) = lise.get("/payments").get_json()["items"]
    assert [(one["cents"], one["state"], one["method"]) for one in paid["refunds"]] == [(600, "done", "gateway")]
    assert [(one["state"], one["respond_by"]) for one in paid["disputes"]] == [("open", "2026-12-08T23:00:00+01:00")]
    assert lise.get(f"/invoices/{issued[6600]}").get_json()["open_cents"] == 600


def test_the_same_key_is_the_same_page(app, gateway, billing_lieu, issued):
    lise = Program(app, billing_lieu.cast.stranger)
    made = [lise.post(f"/invoices/{issued[6600]}/checkout", {}, key="pay-1") for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].get_json() == made[1].get_json()
    assert made[1].headers["Idempotent-Replayed"] == "true"


def test_everyone_reads_their_own_payments(app, gateway, billing_lieu, issued):
    cast = billing_lieu.cast
    Program(app, cast.stranger).post(f"/invoices/{issued[6600]}/checkout", {})
    Program(app, cast.colleague).post(f"/invoices/{issued[2700]}/checkout", {})
    seen = {
        who: [item["cents"] for item in Program(app, getattr(cast, who)).get("/payments").get_json()["items"]]
        for who in ("stranger", "member", "colleague", "host", "accountant", "manager")
    }
    assert seen == {
        "stranger": [6600],
        "member": [],
        "colleague": [2700],
        "host": [],
        "accountant": [2700, 6600],
        "manager": [2700, 6600],
    }
    assert Program(app, cast.member).post(f"/invoices/{issued[6600]}/checkout", {}).status_code == 404


def test_payments_come_in_pages(app, gateway, billing_lieu, issued):
    accountant = Program(app, billing_lieu.cast.accountant)
    for cents in (6600, 2700, 900):
        accountant.post(f"/invoices/{issued[cents]}/checkout", {})
    found, cursor = [], {}
    for _page in range(3):
        page = accountant.get("/payments", limit=1, **cursor).get_json()
        found += [item["cents"] for item in page["items"]]
        cursor = {"cursor": page["next"]}
    assert found == [900, 2700, 6600] and page["next"] is None


def test_without_a_gateway_the_answer_says_so(app, gateway, billing_lieu, issued):
    with app.app_context(), write_unit():
        lock_lieu().is_simulation = False
        db.session.flush()
    answer = Program(app, billing_lieu.cast.stranger).post(f"/invoices/{issued[6600]}/checkout", {})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "gateway_missing")
