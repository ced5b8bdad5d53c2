"""A double of HelloAsso for tests and the demo: its API, its page to pay on, its notifications. In memory, on this machine.

It serves what the product asks for: an access token, checkouts, the association, lists of orders and payments, and a page
with « payer » and « refuser ». Whoever made it can let notifications be lost or sent twice, and answers be nonsense.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, abort, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from coworking.core import outgoing
from coworking.core.clock import now
from coworking.demo.serving import serve_double

CLIENT_ID, CLIENT_SECRET, ORGANISATION = "demo" * 8, "demo-secret" * 3, "association-de-demonstration"
TOKEN_LASTS = timedelta(minutes=30)
PAGE_OPEN_FOR = timedelta(minutes=15)

_MACHINE = "127.0.0.1"

_PAGE = Markup("""<!doctype html>
<html lang="fr"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>HelloAsso (essai)</title>
<body><main><h1>HelloAsso, page d’essai</h1><p>Rien n’est encaissé ici.</p>
<p><strong>{label}</strong></p><p>{amount}</p>
<form method="post"><button name="act" value="pay">Payer</button>
<button name="act" value="refuse">Refuser la carte</button>
<button name="act" value="back">Revenir sans payer</button></form></main></body></html>""")


@dataclass
class HelloAssoCheckout:
    """A checkout and, once it was paid, its order."""

    number: int
    wanted: dict[str, Any]
    opened_at: datetime
    order: dict[str, Any] | None = None


@dataclass
class HelloAssoDouble:
    """What the double remembers, and the knobs.

    ``notify_url``: where notifications go; None: nowhere. ``loses`` and ``sends_twice`` are about notifications.
    ``answers``: (status, body) that the next calls of the API get instead of the truth. ``page_size``: at most so many rows
    on a page of a list. ``tip``: what a payer adds for HelloAsso itself, beside the amount. ``first_number``: that of its
    first checkout.
    """

    notify_url: str | None = None
    organisation: str = ORGANISATION
    first_number: int = 1000
    loses: bool = False
    sends_twice: bool = False
    page_size: int = 100
    tip: int = 0
    payment_state: str = "Authorized"
    answers: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    calls: list[str] = field(default_factory=list[str])
    checkouts: dict[int, HelloAssoCheckout] = field(default_factory=dict[int, HelloAssoCheckout])
    tokens: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _sending: list[threading.Thread] = field(default_factory=list[threading.Thread])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.notify_url is not None and urlsplit(self.notify_url).hostname != _MACHINE:
            raise ValueError("the double tells this machine only")

    # What tests do without a browser

    def pay(self, number: int) -> HelloAssoCheckout:
        """As the payer does on the page: the order exists from now on, and notifications leave."""
        with self._lock:
            checkout = self.checkouts[number]
            if checkout.order is None:
                checkout.order = self._order(checkout)
                self._tell(checkout)
        return checkout

    def wait(self) -> None:
        """Until every notification has been sent."""
        while self._sending:
            self._sending.pop().join()

    def refund(self, payment_id: int, cents: int | None = None, status: str = "Processed") -> dict[str, Any] | None:
        """Give back a part of a payment, or all that is left; the operation. None where that cannot be."""
        with self._lock:
            found = [one for one in self._payments() if one["id"] == payment_id]
            if not found:
                return None
            (payment,) = found
            left = payment["amount"] - sum(one["amount"] for one in payment["refundOperations"])
            amount = left if cents is None else cents
            if not 0 < amount <= left:
                return None
            operation = {"id": 900000 + 10 * payment_id % 100000 + len(payment["refundOperations"]), "amount": amount}
            payment["refundOperations"].append(operation | {"amountTip": 0, "status": status})
            payment["state"] = "Refunded" if amount == left and status == "Processed" else "Refunding"
            return operation

    def contest(self, payment_id: int) -> None:
        """Let the payer's bank take a payment back."""
        with self._lock:
            next(one for one in self._payments() if one["id"] == payment_id)["state"] = "Contested"

    def payment(self, payment_id: int) -> dict[str, Any] | None:
        """A payment as it stands."""
        with self._lock:
            return next((one for one in self._payments() if one["id"] == payment_id), None)

    def _payments(self) -> list[dict[str, Any]]:
        orders = [checkout.order for checkout in self.checkouts.values() if checkout.order is not None]
        return [payment for order in orders for payment in order["payments"]]

    # Values as HelloAsso writes them

    def open(self, wanted: dict[str, Any]) -> HelloAssoCheckout:
        """A new checkout; HelloAsso has no idempotency: each call makes one."""
        with self._lock:
            checkout = HelloAssoCheckout(self.first_number + len(self.checkouts), wanted, now())
            self.checkouts[checkout.number] = checkout
        return checkout

    def _order(self, checkout: HelloAssoCheckout) -> dict[str, Any]:
        amount, date = checkout.wanted["totalAmount"], now().isoformat()
        payment = {
            "id": 500000 + checkout.number,
            "amount": amount,
            **({"amountTip": self.tip} if self.tip else {}),
            "date": date,
            "paymentMeans": "Card",
            "installmentNumber": 1,
            "state": self.payment_state,
            "refundOperations": [],
        }
        return {
            "id": 700000 + checkout.number,
            "date": date,
            "formSlug": "default",
            "formType": "Checkout",
            "organizationSlug": self.organisation,
            "checkoutIntentId": checkout.number,
            "amount": {"total": amount, "vat": 0, "discount": 0},
            "items": [{"id": 700000 + checkout.number, "amount": amount, "type": "Payment", "state": "Processed"}],
            "payments": [payment],
        }

    def ordered(self) -> list[dict[str, Any]]:
        """All orders, the oldest first."""
        with self._lock:
            return [checkout.order for checkout in self.checkouts.values() if checkout.order is not None]

    def _tell(self, checkout: HelloAssoCheckout) -> None:
        if self.notify_url is None or self.loses or checkout.order is None:
            return
        metadata = checkout.wanted.get("metadata")
        light = {"id": checkout.order["id"], "formType": "Checkout"}
        events = [
            {"eventType": "Payment", "data": {**checkout.order["payments"][0], "order": light}},
            {"eventType": "Order", "data": checkout.order},
        ]
        bodies = [json.dumps(event | {"metadata": metadata}).encode() for event in events]
        for body in bodies * (2 if self.sends_twice else 1):
            thread = threading.Thread(target=_post, args=(self.notify_url, body), daemon=True)
            self._sending.append(thread)
            thread.start()


def _post(url: str, body: bytes) -> None:
    try:
        outgoing.post(url, body, {"Content-Type": "application/json"}, allow_private=True, total_s=10)
    except outgoing.Unreachable:
        return  # nobody listens: such a notification is lost


def create_helloasso(double: HelloAssoDouble) -> Flask:
    """The application that answers in HelloAsso's place; it answers this machine alone."""
    app = Flask("helloasso_double")
    home = f"/v5/organizations/{double.organisation}"

    @app.before_request
    def answer_this_machine() -> ResponseReturnValue | None:
        if request.remote_addr != _MACHINE:
            abort(403)
        if request.path.startswith(("/v5/", "/oauth2/")):
            double.calls.append(f"{request.method} {request.path}")
            if double.answers:
                status, body = double.answers.pop(0)
                return Response(body, status)
            if request.path.startswith("/v5/") and not _is_known(double, request.headers.get("Authorization", "")):
                return Response(status=401)
        return None

    @app.post("/oauth2/token")
    def token() -> ResponseReturnValue:
        given = request.form
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return jsonify(error="invalid_client", error_description="client_id or client_secret is invalid"), 400
        if given.get("grant_type") != "client_credentials":
            return jsonify(error="unsupported_grant_type"), 400
        made = secrets.token_urlsafe(32)
        double.tokens[made] = now() + TOKEN_LASTS
        given_out = {"access_token": made, "token_type": "bearer", "expires_in": int(TOKEN_LASTS.total_seconds())}
        return jsonify(given_out)

    @app.get(home)
    def organisation() -> ResponseReturnValue:
        return jsonify(name="Association de démonstration", organizationSlug=double.organisation)

    @app.post(f"{home}/checkout-intents")
    def open_checkout() -> ResponseReturnValue:
        wanted: Any = request.get_json(silent=True)
        wrong = _wrong_with(wanted)
        if wrong is not None:
            return jsonify(errors=[{"code": "ArgumentInvalid", "message": wrong}]), 400
        return jsonify(_shown(double.open(wanted), request.host_url))

    @app.get(f"{home}/checkout-intents/<int:number>")
    def checkout(number: int) -> ResponseReturnValue:
        found = double.checkouts.get(number)
        if found is None:
            return jsonify(errors=[{"code": "NotFound", "message": "Checkout intent not found"}]), 404
        return jsonify(_shown(found, request.host_url))

    @app.get(f"{home}/orders")
    def orders() -> ResponseReturnValue:
        return jsonify(_page_of(double, [order for order in double.ordered() if _is_since(order)]))

    @app.get(f"{home}/payments")
    def payments() -> ResponseReturnValue:
        rows = [payment for order in double.ordered() if _is_since(order) for payment in order["payments"]]
        wanted = request.args.getlist("states")
        return jsonify(_page_of(double, [row for row in rows if not wanted or row["state"] in wanted]))

    @app.get("/v5/payments/<int:payment_id>")
    def payment(payment_id: int) -> ResponseReturnValue:
        found = double.payment(payment_id)
        return (jsonify(found), 200) if found is not None else ({"errors": [{"code": "NotFound"}]}, 404)

    @app.post("/v5/payments/<int:payment_id>/refund")
    def refund(payment_id: int) -> ResponseReturnValue:
        operation = double.refund(payment_id, int(request.args.get("amount") or 0) or None)
        if operation is None:
            return jsonify(errors=[{"code": "Conflict", "message": "The payment cannot be refunded"}]), 400
        return jsonify(operation | {"paymentId": payment_id, "state": "Processed"})

    @app.route("/checkout/<int:number>", methods=["GET", "POST"])
    def page(number: int) -> ResponseReturnValue:
        found = double.checkouts.get(number) or abort(404)
        if found.order is None and now() > found.opened_at + PAGE_OPEN_FOR:
            return "Ce lien a expiré.", 410
        if request.method == "GET":
            euros, cents = divmod(found.wanted["totalAmount"], 100)
            return _PAGE.format(label=found.wanted["itemName"], amount=f"{euros},{cents:02} €")
        act = request.form.get("act")
        if act == "back":
            return redirect(found.wanted["backUrl"], 303)
        paid = double.pay(number).order if act == "pay" else None
        told = {"checkoutIntentId": number, "code": "succeeded" if paid else "refused"}
        return redirect(_with(found.wanted["returnUrl"], told | ({"orderId": paid["id"]} if paid else {})), 303)

    return app


def _is_known(double: HelloAssoDouble, header: str) -> bool:
    ends = double.tokens.get(header.removeprefix("Bearer "))
    return ends is not None and now() < ends


def _shown(checkout: HelloAssoCheckout, host: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": checkout.number, "redirectUrl": f"{host}checkout/{checkout.number}"}
    if "metadata" in checkout.wanted:
        shown["metadata"] = checkout.wanted["metadata"]
    return shown | ({"order": checkout.order} if checkout.order is not None else {})


def _wrong_with(wanted: Any) -> str | None:
    """What HelloAsso refuses about a checkout."""
    if not isinstance(wanted, dict):
        return "a JSON object is expected"
    total = wanted.get("totalAmount")
    if type(total) is not int or total < 50 or wanted.get("initialAmount") != total:
        return "totalAmount and initialAmount are cents, 50 at least, and equal without terms"
    if not isinstance(wanted.get("itemName"), str) or not 0 < len(wanted["itemName"]) <= 250:
        return "itemName has 1 to 250 characters"
    if any(urlsplit(str(wanted.get(name))).scheme not in {"http", "https"} for name in _URLS):
        return "backUrl, errorUrl and returnUrl are addresses"
    if not isinstance(wanted.get("containsDonation"), bool):
        return "containsDonation is required"
    return None


_URLS = ("backUrl", "errorUrl", "returnUrl")


def _is_since(order: dict[str, Any]) -> bool:
    since = request.args.get("from")
    return since is None or datetime.fromisoformat(order["date"]) >= datetime.fromisoformat(since)


def _page_of(double: HelloAssoDouble, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of ``rows``. As at HelloAsso the last one has a token too, and what follows it is empty."""
    size = min(int(request.args.get("pageSize", "20")), double.page_size)
    start = int(request.args.get("continuationToken") or "0")
    shown = rows[start : start + size]
    pagination = {"pageSize": size, "totalCount": len(rows), "continuationToken": str(start + len(shown))}
    return {"data": shown, "pagination": pagination}


def _with(url: str, values: dict[str, Any]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}"


def main() -> int:
    """Serve the double on 127.0.0.1 until Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m coworking.demo.helloasso_double", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--notify-url", help="where notifications are posted")
    given = parser.parse_args()
    # A demo that is started again remembers payments of before: no number is given twice.
    return serve_double(
        given.port, lambda: create_helloasso(HelloAssoDouble(given.notify_url, first_number=int(now().timestamp())))
    )


if __name__ == "__main__":
    sys.exit(main())
