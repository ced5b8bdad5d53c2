"""The adapter of HelloAsso over real HTTP, against the double that the demo uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from flask import Flask, request

from coworking.billing.gateways.helloasso_gateway import API, SANDBOX, HelloAssoGateway
from coworking.billing.gateways.port import (
    CheckoutWanted,
    GatewayRefused,
    GatewayUnavailable,
    NotExpirable,
    NotificationInvalid,
)
from coworking.core.clock import now
from coworking.core.outgoing import Unreachable
from coworking.demo.helloasso_double import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORGANISATION,
    HelloAssoDouble,
    create_helloasso,
)
from tests.support.live import Live
from tests.support.redis import free_port


@pytest.fixture
def double(clock) -> HelloAssoDouble:
    return HelloAssoDouble()


@pytest.fixture
def live(double) -> Iterator[Live]:
    server = Live(create_helloasso(double), free_port()).start()
    yield server
    server.stop()


@pytest.fixture
def gateway(live) -> HelloAssoGateway:
    return HelloAssoGateway(CLIENT_ID, CLIENT_SECRET, ORGANISATION, live.url)


def wanted(key: str = "abc", cents: int = 6000, **changed) -> CheckoutWanted:
    values = {
        "key": key,
        "cents": cents,
        "currency": "EUR",
        "label": "La Fabrique : F-2026-0001",
        "email": "anne@demo.example",
        "locale": "fr",
        "return_url": "http://lieu.test/pay/x/back?payment=abc",
        "cancel_url": "http://lieu.test/pay/x",
    }
    return CheckoutWanted(**(values | changed))


# Paying ---------------------------------------------------------------------------------------------------------------


def test_a_checkout_is_open_until_it_is_paid(gateway, double):
    opened = gateway.open_checkout(wanted())
    assert opened.expires_at == now() + timedelta(minutes=15)
    assert opened.url.startswith(gateway.pages[0])
    fact = gateway.fetch(opened.checkout_id)
    assert (fact.state, fact.key, fact.cents, fact.currency, fact.is_live) == ("open", "abc", 6000, "EUR", False)
    assert (fact.means, fact.payment_id) == (None, None)
    paid = double.pay(int(opened.checkout_id)).order
    fact = gateway.fetch(opened.checkout_id)
    assert (fact.state, fact.key, fact.cents, fact.means) == ("paid", "abc", 6000, "card")
    assert fact.payment_id == str(paid["payments"][0]["id"])


def test_the_payer_pays_on_the_page_and_comes_back(gateway, double, live):
    landed: list[dict[str, str]] = []
    site = Flask("site")

    @site.get("/<path:_path>")
    def back(_path: str) -> str:
        landed.append(request.args.to_dict() | {"path": request.path})
        return "ok"

    ours = Live(site, free_port()).start()
    try:
        opened = gateway.open_checkout(
            wanted(return_url=f"{ours.url}/back?payment=abc", cancel_url=f"{ours.url}/turned-back")
        )
        with urlopen(opened.url) as page:
            assert "60,00 €" in page.read().decode()
        for act in ("back", "refuse", "pay", "pay"):
            urlopen(opened.url, urlencode({"act": act}).encode()).close()
    finally:
        ours.stop()
    told = {"path": "/back", "payment": "abc", "checkoutIntentId": opened.checkout_id}
    assert landed[0] == {"path": "/turned-back"}
    assert landed[1] == told | {"code": "refused"}
    assert landed[2] == landed[3] == told | {"code": "succeeded", "orderId": landed[2]["orderId"]}
    assert len(double.ordered()) == 1, "a second tap pays nothing"


def test_what_a_payer_gives_to_helloasso_is_not_the_amount(gateway, double):
    double.tip = 300
    opened = gateway.open_checkout(wanted())
    double.pay(int(opened.checkout_id))
    assert gateway.fetch(opened.checkout_id).cents == 6000


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        ("Authorized", "paid", None),
        ("Registered", "paid", None),
        ("WaitingBankValidation", "pending", None),
        ("Pending", "pending", None),
        ("SomethingNew", "pending", None),
        ("Refused", "failed", "Refused"),
        ("Refunded", "failed", "Refunded"),
        ("Contested", "failed", "Contested"),
    ],
)
def test_only_an_authorised_payment_is_paid(gateway, double, said, state, reason):
    double.payment_state = said
    opened = gateway.open_checkout(wanted())
    double.pay(int(opened.checkout_id))
    fact = gateway.fetch(opened.checkout_id)
    assert (fact.state, fact.reason) == (state, reason)


def test_a_checkout_nobody_paid_is_over_and_late_money_still_counts(gateway, double, clock):
    opened = gateway.open_checkout(wanted())
    clock.advance(minutes=25)
    assert gateway.fetch(opened.checkout_id).state == "open"
    clock.advance(seconds=1)
    assert gateway.fetch(opened.checkout_id).state == "expired"
    double.pay(int(opened.checkout_id))
    assert gateway.fetch(opened.checkout_id).state == "paid"


def test_a_checkout_cannot_be_ended(gateway):
    opened = gateway.open_checkout(wanted())
    with pytest.raises(NotExpirable):
        gateway.expire_checkout(opened.checkout_id)


def test_a_lost_answer_leaves_a_checkout_that_nobody_can_pay(gateway, double):
    """There is no idempotency key: asking again opens another, and only what the payer has a link to can be paid."""
    wants = json.dumps({"totalAmount": 1})  # any answer that cannot be read
    double.tokens["known"] = now() + timedelta(minutes=30)
    gateway._token = ("known", now() + timedelta(minutes=29))
    double.answers.append((200, b"<html>" + wants.encode()))
    with pytest.raises(GatewayUnavailable):
        gateway.open_checkout(wanted())
    opened = gateway.open_checkout(wanted())
    double.pay(int(opened.checkout_id))
    facts = list(gateway.opened_since(now() - timedelta(hours=1)))
    assert [(fact.key, fact.state, fact.checkout_id) for fact in facts] == [("abc", "paid", opened.checkout_id)]


def test_too_little_is_refused_in_helloassos_own_words(gateway):
    assert gateway.least_cents == 50
    with pytest.raises(GatewayRefused, match="50 at least") as refused:
        gateway.open_checkout(wanted(cents=49))
    assert refused.value.code == "ArgumentInvalid"


def test_a_long_label_is_cut(gateway, double):
    gateway.open_checkout(wanted(label="x" * 400))
    assert len(double.checkouts[1000].wanted["itemName"]) == 250


# Finding again --------------------------------------------------------------------------------------------------------


def test_paid_checkouts_are_listed_page_by_page(gateway, double, clock):
    old = gateway.open_checkout(wanted("old"))
    double.pay(int(old.checkout_id))
    clock.advance(hours=2)
    double.page_size = 2
    for number in range(5):
        double.pay(int(gateway.open_checkout(wanted(f"k{number}")).checkout_id))
    gateway.open_checkout(wanted("unpaid"))
    double.pay(double.open({"totalAmount": 900, "metadata": {"theirs": 1}}).number)
    double.pay(double.open({"totalAmount": 900}).number)
    found = list(gateway.opened_since(now() - timedelta(hours=1)))
    assert [fact.key for fact in found] == [f"k{number}" for number in range(5)]
    assert sum("orders" in call for call in double.calls) == 5, "four pages, and the empty one that ends them"


def test_a_list_that_gives_the_same_token_for_ever_ends(gateway, double):
    gateway.look()
    page = json.dumps({"data": [{"formType": "Donation"}], "pagination": {"continuationToken": "same"}}).encode()
    double.answers += [(200, page)] * 5
    assert list(gateway.opened_since(now())) == []
    assert len(double.answers) == 3


# The token ------------------------------------------------------------------------------------------------------------


def tokens(double: HelloAssoDouble) -> int:
    return double.calls.count("POST /oauth2/token")


def test_the_token_is_kept_until_shortly_before_its_end(gateway, double, clock):
    opened = gateway.open_checkout(wanted())
    for _ in range(3):
        gateway.fetch(opened.checkout_id)
    clock.advance(minutes=28, seconds=59)
    gateway.fetch(opened.checkout_id)
    assert tokens(double) == 1
    clock.advance(seconds=1)
    gateway.fetch(opened.checkout_id)
    assert tokens(double) == 2


def test_a_token_that_ended_early_is_renewed_once(gateway, double):
    opened = gateway.open_checkout(wanted())
    double.tokens.clear()
    assert gateway.fetch(opened.checkout_id).state == "open"
    assert tokens(double) == 2
    double.tokens.clear()
    double.answers += [(401, b""), (200, b'{"access_token": "x", "expires_in": 1800}'), (401, b"")]
    with pytest.raises(GatewayRefused):
        gateway.fetch(opened.checkout_id)
    assert double.answers == []


def test_wrong_keys_are_refused_and_never_repeated(live):
    gateway = HelloAssoGateway(CLIENT_ID, "another-secret", ORGANISATION, live.url)
    with pytest.raises(GatewayRefused) as refused:
        gateway.look()
    assert refused.value.code == "invalid_client"
    assert "another-secret" not in f"{refused.value} {refused.value.__cause__} {gateway!r}"


def test_the_look_says_whose_account_it_is(gateway):
    found = gateway.look()
    assert (found.name, found.is_live, found.means) == ("Association de démonstration", False, ("card",))


def test_another_associations_name_is_refused(live):
    with pytest.raises(GatewayRefused):
        HelloAssoGateway(CLIENT_ID, CLIENT_SECRET, "une-autre", live.url).look()


def test_only_helloassos_own_address_is_live():
    own, sandbox = (HelloAssoGateway("a", "b", "c", base) for base in (None, SANDBOX))
    assert (own.is_live, own.pages) == (True, ("https://www.helloasso.com",))
    assert (sandbox.is_live, sandbox.pages) == (False, ("https://www.helloasso-sandbox.com",))
    assert HelloAssoGateway("a", "b", "c", API).is_live


# Bad answers ----------------------------------------------------------------------------------------------------------

_INTENT = {"id": 1000, "redirectUrl": "https://pay.test/1"}
_NONSENSE = [
    (200, b"[]"),
    (200, b"{}"),
    (200, b"null"),
    (200, b""),
    (200, b"<html>maintenance</html>"),
    (200, b"\xff\xfe"),
    (200, b"[" * 100_000),
    (200, b'{"id": ' + b"9" * 5000 + b"}"),
    (200, json.dumps({"id": True, "redirectUrl": "https://pay.test"}).encode()),
    (200, json.dumps({"id": "1000", "redirectUrl": "https://pay.test"}).encode()),
    (302, b""),
    (408, b""),
    (429, b"{}"),
    (500, b"{}"),
    (503, b"<html>"),
]


@pytest.mark.parametrize(("status", "body"), _NONSENSE)
def test_nonsense_is_no_answer(gateway, double, status, body):
    opened = gateway.open_checkout(wanted())
    for call in (lambda: gateway.open_checkout(wanted()), lambda: gateway.fetch(opened.checkout_id)):
        double.answers.append((status, body))
        with pytest.raises(GatewayUnavailable):
            call()
    double.answers.append((status, body))
    with pytest.raises(GatewayUnavailable):
        list(gateway.opened_since(now()))


@pytest.mark.parametrize(
    "order",
    [
        {"payments": {}},
        {"payments": [1]},
        {"payments": [{"id": 1}]},
        {"payments": [{"id": 1, "amount": "6000", "state": "Authorized"}]},
        {"payments": [{"id": 1, "amount": -1, "state": "Authorized"}]},
        {"payments": [{"id": 1, "amount": 10**12, "state": "Authorized"}]},
        {"payments": [{"id": None, "amount": 1, "state": "Authorized"}]},
    ],
)
def test_an_order_that_cannot_be_read_is_no_payment(gateway, double, order):
    opened = gateway.open_checkout(wanted())
    double.answers.append((200, json.dumps(_INTENT | {"order": order}).encode()))
    with pytest.raises(GatewayUnavailable):
        gateway.fetch(opened.checkout_id)


@pytest.mark.parametrize("payments", [[], [{"id": 1, "amount": 1}], [{"id": 1, "amount": 1, "state": None}]])
def test_an_order_without_an_authorised_payment_is_not_paid(gateway, double, payments):
    opened = gateway.open_checkout(wanted())
    double.answers.append((200, json.dumps(_INTENT | {"order": {"payments": payments}}).encode()))
    assert gateway.fetch(opened.checkout_id).state in {"open", "pending"}


@pytest.mark.parametrize("url", [None, 5, "", "javascript:alert(1)", "ftp://pay.test"])
def test_a_checkout_without_an_address_to_pay_at_is_none(gateway, double, url):
    gateway.look()
    double.answers.append((200, json.dumps({"id": 7, "redirectUrl": url}).encode()))
    with pytest.raises(GatewayUnavailable):
        gateway.open_checkout(wanted())


def test_another_checkout_than_the_one_asked_for_is_no_answer(gateway, double):
    opened = gateway.open_checkout(wanted())
    double.answers.append((200, json.dumps(_INTENT | {"id": 999}).encode()))
    with pytest.raises(GatewayUnavailable):
        gateway.fetch(opened.checkout_id)


@pytest.mark.parametrize("checkout_id", ["", "../../users/me", "1/../2", "x", "9" * 19, "١٢"])
def test_only_numbers_reach_an_address(gateway, double, checkout_id):
    with pytest.raises(GatewayRefused):
        gateway.fetch(checkout_id)
    assert double.calls == []


@pytest.mark.parametrize("given", [{}, [], {"access_token": 5}, {"access_token": "a\r\nb", "expires_in": 9}])
def test_a_token_that_is_none_is_no_answer(gateway, double, given):
    double.answers.append((200, json.dumps(given).encode()))
    with pytest.raises(GatewayUnavailable):
        gateway.look()


def test_keys_of_ours_that_are_no_text_are_nobodys(gateway, double):
    for metadata in (None, [], {"key": 5}, {"key": ""}, {"key": "x" * 101}, {"key": ["abc"]}):
        number = double.open({"totalAmount": 900, "metadata": metadata}).number
        assert gateway.fetch(str(number)).key is None


def test_a_server_that_is_away_is_unavailable(gateway, live):
    live.stop()
    with pytest.raises(GatewayUnavailable) as missing:
        gateway.look()
    assert isinstance(missing.value.__cause__, Unreachable)


# Notifications --------------------------------------------------------------------------------------------------------


@pytest.fixture
def received(double) -> Iterator[list[bytes]]:
    """The bodies of the notifications that the double sends."""
    bodies: list[bytes] = []
    site, lock = Flask("site"), threading.Lock()

    @site.post("/notified")
    def notified() -> str:
        with lock:
            bodies.append(request.get_data())
        return ""

    server = Live(site, free_port()).start()
    double.notify_url = f"{server.url}/notified"
    yield bodies
    server.stop()


def paid_and_told(gateway: HelloAssoGateway, double: HelloAssoDouble) -> str:
    opened = gateway.open_checkout(wanted())
    double.pay(int(opened.checkout_id))
    double.wait()
    return opened.checkout_id


def test_a_notification_names_the_checkout_and_nothing_else_is_read(gateway, double, received):
    checkout_id = paid_and_told(gateway, double)
    told = sorted((gateway.read_notification(body, {}) for body in received), key=lambda one: one.kind)
    assert [(one.kind, one.checkout_id, one.is_live) for one in told] == [
        ("Order", checkout_id, False),
        ("Payment", None, False),
    ]
    lies = {"data": {"checkoutIntentId": int(checkout_id), "payments": [{"amount": 1}]}, "eventType": "Order"}
    assert gateway.read_notification(json.dumps(lies).encode(), {}).checkout_id == checkout_id


def test_the_same_notification_twice_has_one_id(gateway, double, received):
    double.sends_twice = True
    paid_and_told(gateway, double)
    assert len(received) == 4
    assert len({gateway.read_notification(body, {}).id for body in received}) == 2


def test_a_lost_notification_is_found_by_looking(gateway, double, received):
    double.loses = True
    checkout_id = paid_and_told(gateway, double)
    assert received == []
    assert [fact.checkout_id for fact in gateway.opened_since(now() - timedelta(days=1))] == [checkout_id]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"eventType": 5, "data": {}}',
        b'{"eventType": "Order"}',
        b'{"eventType": "Order", "data": []}',
    ],
)
def test_what_is_no_notification_is_refused(gateway, body):
    with pytest.raises(NotificationInvalid):
        gateway.read_notification(body, {})


@pytest.mark.parametrize("number", [None, True, "1000", -1, 0, 10**18, 1.5, [1000]])
def test_a_notification_about_no_checkout_names_none(gateway, number):
    body = json.dumps({"eventType": "Order", "data": {"checkoutIntentId": number}}).encode()
    assert gateway.read_notification(body, {}).checkout_id is None


def test_the_double_answers_and_tells_this_machine_only(double):
    with pytest.raises(ValueError, match="this machine"):
        HelloAssoDouble(notify_url="http://lieu.example/notified")
    browser = create_helloasso(double).test_client()
    assert browser.get("/checkout/1", environ_base={"REMOTE_ADDR": "10.0.0.7"}).status_code == 403
