"""The double answers what Stripe would: shapes, errors, pages, refunds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coworking.demo.stripe_double.app import create_double
from coworking.demo.stripe_double.cards import GOOD_IBAN
from tests.support.stripe import SECRET_KEY, collection, saved, wanted

SHAPES: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "stripe_shapes.json").read_text())
"""Of each kind of object the fields that Stripe documents, and the JSON types that each may have."""
READ = {
    "checkout.session": "amount_total client_reference_id currency expires_at livemode metadata mode payment_intent "
    "payment_status status url",
    "payment_intent": "amount amount_received cancellation_reason currency last_payment_error latest_charge metadata status",
    "charge": "amount amount_captured amount_refunded balance_transaction disputed failure_code payment_intent "
    "payment_method_details refunded status",
    "dispute": "amount evidence_details payment_intent reason status",
    "refund": "amount charge currency payment_intent status",
    "event": "api_version data livemode type",
    "account": "business_profile charges_enabled country",
    "payment_method_configuration": "active card is_default sepa_debit",
    "customer": "email name metadata livemode",
    "setup_intent": "customer last_setup_error mandate payment_method status",
    "mandate": "payment_method payment_method_details status",
    "payment_method": "customer type livemode",
    "balance_transaction": "amount created currency fee fee_details net source type",
    "payout": "amount arrival_date automatic created currency failure_code livemode reconciliation_status status trace_id",
}
"""The fields that the product reads or will read."""
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


@pytest.fixture
def ask(double):
    """``ask("GET /v1/account")``: the status and the JSON."""
    client = double.app.test_client()

    def asked(call: str, form: dict[str, Any] | None = None, key: str | None = None) -> tuple[int, dict[str, Any]]:
        method, _, path = call.partition(" ")
        headers = {"Authorization": f"Bearer {SECRET_KEY}"} | ({"Idempotency-Key": key} if key else {})
        answer = client.open(path, method=method, data=form, headers=headers)
        assert answer.headers["Request-Id"].startswith("req_")
        return answer.status_code, answer.get_json()

    return asked


@pytest.fixture
def lived(gateway, double):
    """An account where everything happened once; the ids of its checkouts."""
    ids = [gateway.open_checkout(wanted(f"payment-{number}")).checkout_id for number in range(8)]
    double.pay_by_card(ids[0])
    double.pay_by_card(ids[1], "4000000000000002")
    double.pay_by_card(ids[2], "4000002500003155")
    double.pay_by_card(ids[3], "4000002500003155")
    double.answer_authentication(ids[3], True)
    double.pay_by_debit(ids[4])
    double.pay_by_debit(ids[5])
    double.settle_debit(ids[5], True)
    double.pay_by_debit(ids[6])
    double.settle_debit(ids[6], False)
    double.expire(ids[7])
    double.refund(gateway.fetch(ids[0]).payment_id, 1000)
    double.fail_refund(double.refund(gateway.fetch(ids[5]).payment_id)["id"])
    double.decide(double.dispute(gateway.fetch(ids[3]).payment_id)["id"], "won")
    card, account = saved(gateway, double), saved(gateway, double, account=GOOD_IBAN)
    for means in (card, account, saved(gateway, double, "4000000000000341")):
        gateway.saved_means.collect(collection(means, f"collection-{means.checkout_id}"))
    gateway.saved_means.forget(account.means.means_id)
    double.settle_payout(double.pay_out()["id"], False)
    return ids


def type_of(value: object) -> str:
    return "null" if value is None else TYPES[type(value)]


def objects_in(value: object) -> list[dict[str, Any]]:
    """Every object in an answer, however deep, that Stripe has a name for."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [entry for part in inner for entry in objects_in(part)]
    return [value, *found] if isinstance(value, dict) and str(value.get("object")) in SHAPES else found


def test_every_object_has_the_fields_and_types_that_stripe_documents(ask, lived):
    expands = "expand[]=data.payment_intent.latest_charge.balance_transaction"
    calls = [
        "account",
        "payment_method_configurations",
        f"checkout/sessions?limit=100&{expands}",
        "refunds",
        "disputes",
        "events?limit=100",
    ]
    calls += ["payment_intents?limit=100&expand[]=data.latest_charge", "balance_transactions?expand[]=data.source"]
    calls += ["payouts", "customers", "setup_intents?expand[]=data.payment_method&expand[]=data.mandate"]
    seen = [found for call in calls for found in objects_in(ask(f"GET /v1/{call}")[1])]
    assert {found["object"] for found in seen} == set(SHAPES)
    for found in seen:
        shape = SHAPES[found["object"]]
        assert {name for name in found if name not in shape} == set(), found["object"]
        wrong = {name: type_of(value) for name, value in found.items() if type_of(value) not in shape[name].split()}
        assert wrong == {}, found["object"]
        assert set(READ[found["object"]].split()) - set(found) == set()
        assert isinstance(found["id"], str)


def test_money_adds_up(ask, lived):
    transactions = ask("GET /v1/balance_transactions?limit=100")[1]["data"]
    assert sorted(entry["type"] for entry in transactions) == sorted(
        ["charge"] * 3
        + ["payment", "refund", "payment_refund", "payment_failure_refund"]
        + ["adjustment"] * 2
        + ["payout", "payout_failure"]
    )
    assert all(entry["net"] == entry["amount"] - entry["fee"] for entry in transactions)
    assert all(entry["fee"] == sum(detail["amount"] for detail in entry["fee_details"]) for entry in transactions)
    assert sum(entry["amount"] for entry in transactions) == 4 * 6000 - 1000


def test_refunds_stay_within_what_was_paid(ask, gateway, double):
    checkout_id = gateway.open_checkout(wanted()).checkout_id
    double.pay_by_card(checkout_id)
    intent = gateway.fetch(checkout_id).payment_id
    status, first = ask("POST /v1/refunds", {"payment_intent": intent, "amount": "2500"}, key="refund-1")
    assert (status, first["status"], first["amount"]) == (200, "succeeded", 2500)
    assert ask("POST /v1/refunds", {"payment_intent": intent, "amount": "2500"}, key="refund-1")[1] == first
    assert ask("POST /v1/refunds", {"payment_intent": intent, "amount": "3501"})[0] == 400
    assert ask("POST /v1/refunds", {"payment_intent": intent, "amount": "0"})[0] == 400
    assert ask("POST /v1/refunds", {"payment_intent": intent})[1]["amount"] == 3500
    charge = ask(f"GET /v1/charges/{first['charge']}")[1]
    assert (charge["refunded"], charge["amount_refunded"]) == (True, 6000)
    status, refused = ask("POST /v1/refunds", {"payment_intent": intent})
    assert (status, refused["error"]["code"]) == (400, "charge_already_refunded")
    double.fail_refund(first["id"])
    assert ask(f"GET /v1/refunds/{first['id']}")[1]["status"] == "failed"
    assert ask(f"GET /v1/charges/{first['charge']}")[1]["amount_refunded"] == 3500
    assert [refund["id"] for refund in ask(f"GET /v1/refunds?payment_intent={intent}")[1]["data"]][-1] == first["id"]


def test_a_debit_on_its_way_cannot_be_refunded(ask, gateway, double):
    checkout_id = gateway.open_checkout(wanted()).checkout_id
    double.pay_by_debit(checkout_id)
    status, refused = ask("POST /v1/refunds", {"payment_intent": gateway.fetch(checkout_id).payment_id})
    assert (status, refused["error"]["code"]) == (400, "charge_not_refundable")


def test_lists_go_from_page_to_page(ask, gateway, clock):
    for number in range(5):
        gateway.open_checkout(wanted(f"payment-{number}"))
        clock.advance(seconds=10)
    second = int(clock.now.timestamp())
    status, first = ask("GET /v1/checkout/sessions?limit=2")
    assert (status, first["has_more"], first["url"]) == (200, True, "/v1/checkout/sessions")
    rest = ask(f"GET /v1/checkout/sessions?limit=3&starting_after={first['data'][-1]['id']}")[1]
    assert rest["has_more"] is False
    keys = [row["client_reference_id"] for row in first["data"] + rest["data"]]
    assert keys == ["payment-4", "payment-3", "payment-2", "payment-1", "payment-0"]
    found = ask(f"GET /v1/checkout/sessions?created[gte]={second - 30}&created[lt]={second - 10}")[1]["data"]
    assert [row["client_reference_id"] for row in found] == ["payment-3", "payment-2"]


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ("GET /v1/checkout/sessions?limit=101", 400, "parameter_invalid_integer"),
        ("GET /v1/checkout/sessions?limit=many", 400, "parameter_invalid_integer"),
        ("GET /v1/checkout/sessions?created[after]=1", 400, "parameter_unknown"),
        ("GET /v1/checkout/sessions?starting_after=cs_1", 404, "resource_missing"),
        ("GET /v1/account?expand[]=charge", 400, None),
        ("GET /v1/account?expand=charge", 400, "parameter_unknown"),
        ("GET /v1/account?a[b][c][d][e][f][g][h][i]=1", 400, "parameter_unknown"),
        ("GET /v1/charges/cs_1", 404, "resource_missing"),
        ("POST /v1/refunds", 400, "parameter_missing"),
        ("POST /v1/checkout/sessions", 400, "parameter_invalid"),
    ],
)
def test_bad_calls_are_refused_as_stripe_refuses_them(ask, call, status, code):
    found, answer = ask(call)
    assert (found, answer["error"].get("code")) == (status, code)
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["error"]["message"]


def test_an_address_without_meaning_is_404(double):
    answer = double.app.test_client().get("/v1/nothing")
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (404, "invalid_request_error")


@pytest.mark.parametrize("header", [None, "Bearer", "Basic c2s6", "Bearer sk_test_of_somebody", "sk_test_of_the_tests"])
def test_without_a_key_of_the_account_nothing_is_told(double, header):
    answer = double.app.test_client().get("/v1/account", headers={"Authorization": header} if header else {})
    assert (answer.status_code, list(answer.get_json())) == (401, ["error"])


def test_the_double_takes_no_live_key():
    with pytest.raises(ValueError, match="test keys"):
        create_double("sk_live_of_a_lieu", "whsec_1")


def test_a_call_that_was_refused_may_be_mended_under_the_same_key(ask, double):
    form = {
        "mode": "payment",
        "success_url": "http://127.0.0.1:9/back",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "10",
        "line_items[0][price_data][product_data][name]": "Café",
    }
    assert ask("POST /v1/checkout/sessions", form, key="k")[1]["error"]["code"] == "amount_too_small"
    form["line_items[0][price_data][unit_amount]"] = "100"
    status, session = ask("POST /v1/checkout/sessions", form, key="k")
    assert (status, session["amount_total"], session["payment_intent"]) == (200, 100, None)
    assert ask("POST /v1/checkout/sessions", form, key="k") == (200, session)
    assert (
        ask("POST /v1/checkout/sessions", form | {"mode": "setup"}, key="k")[1]["error"]["type"] == "idempotency_error"
    )


def test_a_session_of_another_program_has_no_key_of_ours(ask, gateway, double, clock):
    form = {
        "mode": "payment",
        "client_reference_id": "payment-1",
        "success_url": "http://127.0.0.1:9/back",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "100",
        "line_items[0][price_data][product_data][name]": "Lien de paiement",
    }
    ask("POST /v1/checkout/sessions", form)
    assert [fact.key for fact in gateway.opened_since(clock.now)] == [None]
