"""Stripe tells of payments from eight senders; a worker asks it about each and settles it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, func, select

from bench import servers
from bench.clients import Answer, Client, percentile, run
from bench.ground import FULL, Ground
from bench.payers import invoiced
from bench.report import Line
from config import Config
from coworking.accounts.models import Person
from coworking.app import create_app
from coworking.billing import online_opening
from coworking.billing.online_entries import LOOK
from coworking.billing.online_models import OnlinePayment
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import end_read, write_unit
from coworking.demo.stripe_double.cards import GOOD_CARD
from coworking.demo.stripe_double.notifications import signature

SENDERS = 8
LEAST_ACKNOWLEDGED, LEAST_SETTLED = 200, 50
SECRET_KEY, WEBHOOK_SECRET = "sk_test_of_the_bench", "whsec_of_the_bench"
PATIENCE_S = 300


def measure(ground: Ground) -> Iterator[Line]:
    """Notifications acknowledged a second by two web workers, alone and while a worker settles; payments settled a second.

    Everything runs on this machine: the senders, the web workers, the worker, and Stripe's double that it asks.
    """
    wanted = 1000 if ground.effort is FULL else 80
    with ExitStack() as stack:
        keys = {"STRIPE_SECRET_KEY": SECRET_KEY, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
        double, _ = stack.enter_context(servers.running(ground.environ | keys, "stripe"))
        environ = ground.environ | keys | {"STRIPE_API_BASE": f"http://127.0.0.1:{double}"}
        app = create_app(Config.from_env({**environ, "BASE_URL": "http://localhost"}))
        with app.app_context():
            _paid_at_stripe(2 * wanted, double)
            told = _events(double)
            assert len(told) == 2 * wanted, len(told)
            web, _ = stack.enter_context(servers.running(environ, "web"))
            senders = [Client(web) for _ in range(SENDERS)]

            def send(client: int, _turn: int) -> Answer:
                body = json.dumps(told.pop(), indent=2).encode()
                signed = {"Stripe-Signature": signature(WEBHOOK_SECRET, body, int(now().timestamp()))}
                return senders[client].ask("POST", "/pay/notifications/stripe", body, **signed)

            alone = run(SENDERS, send, times=wanted // SENDERS)
            stack.enter_context(servers.running(environ, "worker", port=web))
            _until_none(_TO_DO)  # the worker is warm, and has sent its e-mails
            started = time.perf_counter()
            beside = run(SENDERS, send, times=wanted // SENDERS)
            _until_none(_OPEN)
            settled = wanted / (time.perf_counter() - started)
            assert {*alone.statuses, *beside.statuses} == {200}, (alone.statuses, beside.statuses)
            db.session.remove()
            db.engine.dispose()
    yield Line(
        ground.engine,
        f"{wanted} notifications of {SENDERS} senders acknowledged",
        f"{alone.per_second:.0f}/s, p95 {percentile(alone.taken, 0.95) * 1000:.0f} ms",
        f"while a worker settles: {beside.per_second:.0f}/s, p95 {percentile(beside.taken, 0.95) * 1000:.0f} ms",
        None,
        f"≥ {LEAST_ACKNOWLEDGED}/s",
        alone.per_second >= LEAST_ACKNOWLEDGED,
    )
    yield Line(
        ground.engine,
        f"{wanted} payments settled by one worker, from the first notification on",
        f"{settled:.0f}/s",
        "",
        None,
        f"≥ {LEAST_SETTLED}/s",
        settled >= LEAST_SETTLED,
    )


def _paid_at_stripe(wanted: int, double: int) -> None:
    """So many invoices, each paid by card on Stripe's page, of which we do not know yet; their payers have e-mail."""
    owed = invoiced(wanted)
    invoices, payers = [row.public_id for row in owed], [row.payer_person_id for row in owed]
    with write_unit():
        for person in db.session.scalars(select(Person).where(Person.id.in_(payers))).unique():
            person.email = f"pays{person.id}@example.org"
    page = Client(double)
    card = {"means": "card", "number": GOOD_CARD, "expiry": "12/34", "cvc": "123"}
    for public_id in invoices:
        opened = online_opening.open_payment([public_id], "stripe", pay_url="http://localhost/pay", locale="fr")
        body, kind = urlencode(card).encode(), "application/x-www-form-urlencoded"
        paid = page.ask("POST", f"/c/pay/{opened.checkout_id}", body, **{"Content-Type": kind})
        assert paid.status in {302, 303}, (paid.status, paid.body[:500])


def _events(double: int) -> list[dict[str, Any]]:
    """Every event of a payment's page that was completed, as Stripe sends it."""
    client, found, after = Client(double), list[dict[str, Any]](), ""
    while True:
        asked = {"type": "checkout.session.completed", "limit": "100"} | ({"starting_after": after} if after else {})
        page = client.ask("GET", f"/v1/events?{urlencode(asked)}", Authorization=f"Bearer {SECRET_KEY}").document()
        found += page["data"]
        if not page["has_more"]:
            return found
        after = found[-1]["id"]


_OPEN = select(func.count()).select_from(OnlinePayment).where(OnlinePayment.state == "open")
_TO_DO = select(func.count()).select_from(OutboxRow).where(OutboxRow.state == "waiting", OutboxRow.topic != LOOK)
"""All but our own later looks at what nobody told of."""


def _until_none(counted: Select[tuple[int]]) -> None:
    """Wait until nothing is left of what is ``counted``."""
    started = time.perf_counter()
    while left := db.session.scalar(counted):
        end_read()
        assert time.perf_counter() - started < PATIENCE_S, f"{left} are left"
        time.sleep(0.1)
    end_read()
