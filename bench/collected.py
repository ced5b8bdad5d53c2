"""A month's invoices collected from saved cards by one worker, at a gateway that needs 20 ms to answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import event, select

from bench.ground import FULL, Ground
from bench.report import Line
from config import Config
from coworking.accounts.models import Person
from coworking.app import create_app
from coworking.billing import collecting, services
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import CheckoutFact, CollectionWanted
from coworking.billing.means_models import SavedMeans
from coworking.billing.models import BillingSettings, Charge
from coworking.billing.online_models import OnlinePayment
from coworking.core.clock import now, running_on
from coworking.core.db import db
from coworking.core.months import month_of
from coworking.core.policy import SYSTEM
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.calendar import lock_lieu
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
    registry.gateways, registry.gateway_named = lambda: [gateway], {gateway.name: gateway}.get
    statements = 0

    def count(*_anything: object) -> None:
        nonlocal statements
        statements += 1

    with app.app_context():
        _invoices(gateway, wanted)
        event.listen(db.engine, "before_cursor_execute", count)
        tomorrow = now() + timedelta(days=1)
        with running_on(lambda: tomorrow):
            started = time.perf_counter()
            done = collecting.collect_due()
            taken = time.perf_counter() - started
        event.remove(db.engine, "before_cursor_execute", count)
        end_read()
        paid = db.session.scalars(select(OnlinePayment.id).where(OnlinePayment.state == "paid")).all()
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


def _invoices(gateway: MemoryGateway, wanted: int) -> None:
    """So many payers, each with a saved card and an invoice of today."""
    month = month_of(spaces.today())
    with write_unit():
        lieu = lock_lieu()
        lieu.is_simulation, lieu.siret, lieu.vat_status, lieu.legal_status = (
            True,
            "12345678900011",
            "exempt",
            "association",
        )
        lieu.address, lieu.postcode = "1 rue du Pont", "63300"
        db.session.merge(BillingSettings(id=1, vat_on_debits=False))
        people = [Person(first_name="Payeur", last_name=f"Numéro {number}") for number in range(wanted)]
        db.session.add_all(people)
        db.session.flush()
        for number, person in enumerate(people):
            db.session.add(_card(gateway, person, number))
            db.session.add(_charge(person, number, month))
    issued = services.run(SYSTEM, month)
    assert len(issued.issued) == wanted, issued.problems[:3]


def _card(gateway: MemoryGateway, person: Person, number: int) -> SavedMeans:
    assert gateway.saved_means is not None
    fact = gateway.saved_means.save(f"cs_{number}")
    return SavedMeans(
        gateway=gateway.name,
        is_live=False,
        payer_person_id=person.id,
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
        agreed_by_id=person.id,
        saved_at=now(),
    )


def _charge(person: Person, number: int, month: date) -> Charge:
    return Charge(
        payer_person_id=person.id,
        person_id=person.id,
        source="line",
        source_id=1_000_000 + number,
        family="other",
        month=month,
        due_month=month,
        label="Impressions",
        quantity=1,
        unit="piece",
        unit_cents=900,
        amount_cents=900,
        basis="ttc",
        vat_rate_bp=0,
    )
