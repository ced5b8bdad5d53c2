"""A month's invoices collected from saved cards by one worker, at a gateway that needs 20 ms to answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event, select

from bench.ground import FULL, Ground
from bench.payers import invoiced
from bench.report import Line
from config import Config
from coworking.app import create_app
from coworking.billing import collecting
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import CheckoutFact, CollectionWanted
from coworking.billing.means_models import SavedMeans
from coworking.billing.online_models import OnlinePayment
from coworking.core.clock import now, running_on
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from tests.support.gateway import MemoryGateway, MemoryMeans

ANSWERS_AFTER_S = 0.020
LEAST_PER_SECOND = 20


class _SlowMeans(MemoryMeans):
    """Every charge takes its time, as over a network."""

    def collect(self, wanted: CollectionWanted) -> CheckoutFact:
        time.sleep(ANSWERS_AFTER_S)
        return super().collect(wanted)


def measure(ground: Ground) -> Iterator[Line]:
    """How many invoices a second are collected, and with how many statements each."""
    wanted = 1000 if ground.effort is FULL else 100
    app = create_app(Config.from_env({**ground.environ, "BASE_URL": "http://localhost"}))
    gateway = MemoryGateway()
    gateway.saved_means = _SlowMeans(gateway)
    statements = 0

    def count(*_anything: object) -> None:
        nonlocal statements
        statements += 1

    with app.app_context(), _only_gateway(gateway):
        _cards(gateway, wanted)
        event.listen(db.engine, "before_cursor_execute", count)
        tomorrow = now() + timedelta(days=1)
        with running_on(lambda: tomorrow):
            started = time.perf_counter()
            done = collecting.collect_due()
            taken = time.perf_counter() - started
        event.remove(db.engine, "before_cursor_execute", count)
        end_read()
        paid = db.session.scalars(
            select(OnlinePayment.id).where(OnlinePayment.state == "paid", OnlinePayment.saved_means_id.is_not(None))
        ).all()
        assert (done, len(paid)) == (wanted, wanted), (done, len(paid))
        db.session.remove()
        db.engine.dispose()
    reached = wanted / taken
    yield Line(
        ground.engine,
        f"{wanted} collections, a gateway of 20 ms, one worker",
        f"{reached:.0f}/s, {statements / wanted:.0f} statements each",
        "",
        None,
        f"≥ {LEAST_PER_SECOND}/s",
        reached >= LEAST_PER_SECOND,
    )


@contextmanager
def _only_gateway(gateway: MemoryGateway) -> Iterator[None]:
    """The product sees ``gateway`` alone, within the block."""
    before = registry.gateways, registry.gateway_named
    registry.gateways, registry.gateway_named = lambda: [gateway], {gateway.name: gateway}.get
    try:
        yield
    finally:
        registry.gateways, registry.gateway_named = before


def _cards(gateway: MemoryGateway, wanted: int) -> None:
    """So many payers, each with a saved card and an invoice of today."""
    owing = [invoice.payer_person_id for invoice in invoiced(wanted)]
    with write_unit():
        db.session.add_all(_card(gateway, person_id, number) for number, person_id in enumerate(owing))


def _card(gateway: MemoryGateway, person_id: int | None, number: int) -> SavedMeans:
    assert gateway.saved_means is not None
    fact = gateway.saved_means.save(f"cs_{number}")
    return SavedMeans(
        gateway=gateway.name,
        is_live=False,
        payer_person_id=person_id,
        state="active",
        kind="card",
        brand=fact.brand,
        last4=fact.last4,
        expires_on=fact.expires_on,
        customer_id=f"cus_{number}",
        means_id=fact.means_id,
        checkout_id=f"cs_{number}",
        locale="fr",
        notice_days=5,
        agreed_to="…",
        agreed_by_id=person_id,
        saved_at=now(),
    )
