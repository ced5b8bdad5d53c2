"""HelloAsso: its hosted page of Checkout, for associations. Cards only; no debit, no saved means.

HelloAsso has no idempotency key and no call that ends a checkout. Where the answer to `open_checkout` is lost, the payer
never got the link and nothing was paid: opening again is harmless, and the lost one is over after 15 minutes. Its
notifications are not signed: only the number of a checkout is read from them, and the checkout is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from coworking.billing.gateways.port import (
    CheckoutFact,
    CheckoutState,
    CheckoutWanted,
    DisputeFact,
    GatewayAccount,
    GatewayRefused,
    GatewayUnavailable,
    Means,
    MoneyBack,
    NotExpirable,
    Notification,
    NotificationInvalid,
    OpenedCheckout,
    RefundFact,
    RefundState,
)
from coworking.core import outgoing
from coworking.core.clock import now

API, SANDBOX = "https://api.helloasso.com", "https://api.helloasso-sandbox.com"
_PAGES = {API: "https://www.helloasso.com", SANDBOX: "https://www.helloasso-sandbox.com"}

GOOD_FOR = timedelta(minutes=15)
"""How long HelloAsso lets a payer begin on its page."""
OVER_AFTER = timedelta(minutes=25)
"""From then on a checkout without an order is over: who began in time has had ten minutes to finish."""

TIMEOUT_S = 20.0
MOST_BYTES = 4 * 1024 * 1024
PAGE, MOST_PAGES = 100, 200
_TOKEN_MARGIN = timedelta(minutes=1)

_PAID = frozenset({"Authorized", "Registered"})
_OVER = frozenset(
    {"Refused", "Error", "Canceled", "Abandoned", "Deleted", "Contested", "Refunding", "Refunded", "Inconsistent"}
)
_MONEY_BACK = ("Contested", "Refunding", "Refunded")
_REFUND_STATES: dict[str, RefundState] = {"PROCESSED": "done", "ERROR": "failed", "CANCELED": "failed"}
"""Of a refund, in capitals; any other is on its way."""
_PASSING = frozenset({408, 409, 425, 429})
_MOST_CENTS = 10**10


class HelloAssoGateway:
    """HelloAsso with an association's own API client. ``api_base``: the sandbox or a test's address instead of its own."""

    name = "helloasso"
    least_cents = 50
    refunds_by_key = False
    saved_means = None
    payouts = None

    def __init__(self, client_id: str, client_secret: str, organisation: str, api_base: str | None = None) -> None:
        self._client_id, self._client_secret, self._organisation = client_id, client_secret, organisation
        self._api_base = api_base or API
        self._home = f"{self._api_base}/v5/organizations/{organisation}"
        origin = urlsplit(self._api_base)
        self.pages = (_PAGES.get(self._api_base, f"{origin.scheme}://{origin.netloc}"),)
        self._token: tuple[str, datetime] | None = None

    @property
    def is_live(self) -> bool:
        return self._api_base == API

    def look(self) -> GatewayAccount:
        found = self._asked("GET", self._home)
        self._orders(now(), None)  # what reconciling needs: a client without that right is told now
        name = found.get("name")
        return GatewayAccount(
            name[:200] if isinstance(name, str) and name else self._organisation, self.is_live, ("card",)
        )

    def open_checkout(self, wanted: CheckoutWanted) -> OpenedCheckout:
        opened = now()
        intent = self._asked(
            "POST",
            f"{self._home}/checkout-intents",
            {
                "totalAmount": wanted.cents,
                "initialAmount": wanted.cents,
                "itemName": wanted.label[:250],
                "backUrl": wanted.cancel_url,
                "errorUrl": wanted.return_url,
                "returnUrl": wanted.return_url,
                "containsDonation": False,
                **({"payer": {"email": wanted.email}} if wanted.email else {}),
                # Its answers tell neither amount nor age of a checkout that nobody has paid yet.
                "metadata": {"key": wanted.key, "cents": wanted.cents, "opened": int(opened.timestamp())},
            },
        )
        url = intent.get("redirectUrl")
        if not isinstance(url, str) or urlsplit(url).scheme not in {"https", urlsplit(self._api_base).scheme}:
            raise GatewayUnavailable("HelloAsso opened a checkout without an address")
        return OpenedCheckout(str(_id_of(intent)), url, opened + GOOD_FOR)

    def expire_checkout(self, checkout_id: str) -> None:
        raise NotExpirable("HelloAsso has no such call; the checkout is over after 15 minutes")

    def fetch(self, checkout_id: str) -> CheckoutFact:
        if not re.fullmatch(r"[0-9]{1,18}", checkout_id):
            raise GatewayRefused("not_found", "HelloAsso names its checkouts by numbers")
        return self._fact(self._asked("GET", f"{self._home}/checkout-intents/{checkout_id}"), int(checkout_id))

    def opened_since(self, instant: datetime) -> Iterator[CheckoutFact]:
        """Those that were paid, and carry a key of ours: HelloAsso lists no others."""
        token: str | None = None
        for _page in range(MOST_PAGES):
            rows, following = self._orders(instant, token)
            for row in rows:
                if type(number := row.get("checkoutIntentId")) is int:
                    fact = self.fetch(str(number))
                    if fact.key is not None:
                        yield fact
            if not rows or following in {None, token}:  # a token comes with the last page, too
                return
            token = following
        raise GatewayUnavailable("HelloAsso's list of orders does not end")

    def refund(self, payment_id: str, cents: int, key: str, known: Collection[str]) -> RefundFact:
        """HelloAsso takes no key: what it has begun for this payment is read first; an equal amount is taken for ours."""
        begun = (one for one in self.money_back(payment_id).refunds if one.refund_id not in known)
        if (found := next((one for one in begun if one.cents == cents and one.state != "failed"), None)) is not None:
            return found
        asked = urlencode({"amount": cents, "sendRefundMail": "false", "cancelOrder": "false"})
        operation = self._asked("POST", f"{self._api_base}/v5/payments/{payment_id}/refund?{asked}", {})
        return _refund(operation | {"amount": operation.get("amount", cents)})

    def money_back(self, payment_id: str) -> MoneyBack:
        if not re.fullmatch(r"[0-9]{1,18}", payment_id):
            raise GatewayRefused("not_found", "HelloAsso names its payments by numbers")
        payment = self._asked("GET", f"{self._api_base}/v5/payments/{payment_id}")
        operations, cents = payment.get("refundOperations") or [], _cents(payment.get("amount"))
        if not isinstance(operations, list) or cents is None:
            raise GatewayUnavailable("HelloAsso answered a payment that cannot be read")
        disputes = (DisputeFact(payment_id, "lost", cents),) if payment.get("state") == "Contested" else ()
        refunds = [_refund(row) for row in operations]
        if payment.get("state") == "Refunded":
            refunds = [replace(one, state="done") if one.state == "pending" else one for one in refunds]
        return MoneyBack(tuple(refunds), disputes)

    def money_back_since(self, instant: datetime) -> Iterator[str]:
        """Those of payments made in the last year: HelloAsso lists by the day of the payment, not of what followed."""
        first = (instant - timedelta(days=365)).astimezone(UTC)
        asked: dict[str, Any] = {"from": first.strftime("%Y-%m-%dT%H:%M:%SZ"), "pageSize": PAGE}
        token: str | None = None
        for _page in range(MOST_PAGES):
            states = [("states", state) for state in _MONEY_BACK]
            more = [("continuationToken", token)] if token else []
            rows, following = self._page(f"{self._home}/payments?{urlencode([*asked.items(), *states, *more])}")
            yield from (str(row["id"]) for row in rows if type(row.get("id")) is int)
            if not rows or following in {None, token}:
                return
            token = following
        raise GatewayUnavailable("HelloAsso's list of payments does not end")

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NotificationInvalid("this is no JSON") from error
        kind = told.get("eventType") if isinstance(told, dict) else None
        data = told.get("data") if isinstance(told, dict) else None
        if not isinstance(kind, str) or not isinstance(data, dict):
            raise NotificationInvalid("this is no notification of HelloAsso")
        number = data.get("checkoutIntentId")
        return Notification(
            id=sha256(body).hexdigest(),  # they have no id: who guesses one cannot keep the true one from counting
            kind=kind[:100],
            checkout_id=str(number) if type(number) is int and 0 < number < 10**18 else None,
            is_live=self.is_live,
        )

    # Calling

    def _orders(self, since: datetime, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        asked = {"from": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "pageSize": PAGE}
        return self._page(f"{self._home}/orders?{urlencode(asked | ({'continuationToken': token} if token else {}))}")

    def _page(self, url: str) -> tuple[list[dict[str, Any]], str | None]:
        page = self._asked("GET", url)
        rows, pagination = page.get("data"), page.get("pagination")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise GatewayUnavailable("HelloAsso answered something that is no list")
        following = pagination.get("continuationToken") if isinstance(pagination, dict) else None
        return rows, following if isinstance(following, str) and following else None

    def _asked(self, method: str, url: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The object HelloAsso answers; what went wrong as the port's two errors. A token refused is renewed once."""
        body = None if content is None else json.dumps(content).encode()
        for attempt in (1, 2):
            headers = {"Authorization": f"Bearer {self._access_token()}", "Accept": "application/json"}
            status, said = self._sent(method, url, body, headers | {"Content-Type": "application/json"})
            if status != 401 or attempt == 2:
                break
            self._token = None
        return _object(status, said)

    def _access_token(self) -> str:
        if self._token is not None and now() < self._token[1]:
            return self._token[0]
        asked = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        status, said = self._sent(
            "POST",
            f"{self._api_base}/oauth2/token",
            urlencode(asked).encode(),
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        )
        given = _object(status, said)
        token, lasts = given.get("access_token"), given.get("expires_in")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,8000}", token) or type(lasts) is not int:
            raise GatewayUnavailable("HelloAsso gave no access token")
        self._token = token, now() + timedelta(seconds=min(max(lasts, 0), 86400)) - _TOKEN_MARGIN
        return token

    def _sent(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            return outgoing.ask(
                method,
                url,
                body,
                headers,
                allow_private=self._api_base not in _PAGES,
                total_s=TIMEOUT_S,
                most_bytes=MOST_BYTES,
            )
        except outgoing.Unreachable as error:
            raise GatewayUnavailable(f"HelloAsso does not answer: {error}") from error

    def _fact(self, intent: dict[str, Any], number: int) -> CheckoutFact:
        if _id_of(intent) != number:
            raise GatewayUnavailable("HelloAsso answered another checkout")
        metadata = intent.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        key = metadata.get("key")
        payments = _payments(intent)
        state, reason = _state(payments, metadata.get("opened"))
        return CheckoutFact(
            checkout_id=str(number),
            key=key if isinstance(key, str) and 0 < len(key) <= 100 else None,
            state=state,
            cents=sum(row["amount"] for row in payments) if payments else _cents(metadata.get("cents")) or 0,
            currency="EUR",
            is_live=self.is_live,
            means=_means(payments[0]) if payments and state in {"paid", "pending"} else None,
            payment_id=str(payments[0]["id"]) if payments else None,
            reason=reason,
            has_money_back=any(str(row.get("state")) in _MONEY_BACK for row in payments),
        )


def _object(status: int, said: bytes) -> dict[str, Any]:
    """The answer's object, where it was taken; else the error that it means."""
    if status in _PASSING or not (200 <= status < 300 or 400 <= status < 500):
        raise GatewayUnavailable(f"HelloAsso answered {status}")
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        answer = None
    if status >= 400:
        raise GatewayRefused(*_refusal(status, answer))
    if not isinstance(answer, dict):
        raise GatewayUnavailable("HelloAsso's answer is no object")
    return answer


def _refusal(status: int, answer: Any) -> tuple[str, str]:
    """The code and words of an answer that refuses: a list of errors, or OAuth's ``error``."""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    plain = answer if isinstance(answer, dict) else {}
    code, text = first.get("code") or plain.get("error"), first.get("message") or plain.get("error_description")
    return (
        code[:80] if isinstance(code, str) else str(status),
        text[:300] if isinstance(text, str) else f"HelloAsso answered {status}",
    )


def _id_of(intent: dict[str, Any]) -> int:
    number = intent.get("id")
    if type(number) is not int or not 0 < number < 10**18:
        raise GatewayUnavailable("HelloAsso answered something that is no checkout")
    return number


def _payments(intent: dict[str, Any]) -> list[dict[str, Any]]:
    """The payments of the order that exists once one was authorised. ``amountTip`` is HelloAsso's own, beside ``amount``."""
    order = intent.get("order")
    rows = order.get("payments") if isinstance(order, dict) else []
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and _cents(row.get("amount")) is not None and type(row.get("id")) is int for row in rows
    ):
        raise GatewayUnavailable("HelloAsso answered an order that cannot be read")
    return rows


def _state(payments: list[dict[str, Any]], opened: Any) -> tuple[CheckoutState, str | None]:
    """How a checkout stands, and why it failed. Without a payment only its age says whether one can still come."""
    states = [str(row.get("state")) for row in payments]
    if over := next((state for state in states if state in _OVER), None):
        return "failed", over
    if states:
        return ("paid" if _PAID.issuperset(states) else "pending"), None
    is_old = type(opened) is int and now().timestamp() - opened > OVER_AFTER.total_seconds()
    return ("expired" if is_old else "open"), None


def _refund(operation: Any) -> RefundFact:
    row = operation if isinstance(operation, dict) else {}
    if type(row.get("id")) is not int or not (cents := _cents(row.get("amount"))):
        raise GatewayUnavailable("HelloAsso answered a refund that cannot be read")
    said = str(row.get("status") or row.get("state") or "").upper()
    return RefundFact(str(row["id"]), None, _REFUND_STATES.get(said, "pending"), cents)


def _means(payment: dict[str, Any]) -> Means:
    return "debit" if payment.get("paymentMeans") == "Sepa" else "card"


def _cents(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < _MOST_CENTS else None
