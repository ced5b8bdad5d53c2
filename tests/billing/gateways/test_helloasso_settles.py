"""An invoice paid through HelloAsso, from its page to the books, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from coworking.billing import online_looking, online_opening, online_queries
from coworking.billing.gateways import accounts
from coworking.billing.models import Payment
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.demo.helloasso_double import CLIENT_ID, CLIENT_SECRET, ORGANISATION, HelloAssoDouble, create_helloasso
from coworking.spaces.models import Lieu
from tests.conftest import make_app
from tests.support.live import Live
from tests.support.redis import free_port

KEYS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "organisation": ORGANISATION}


@pytest.fixture
def double() -> HelloAssoDouble:
    return HelloAssoDouble()


@pytest.fixture
def lieu(app, billing_lieu, invoice, double) -> Iterator[str]:
    """The public id of an invoice of a lieu that takes HelloAsso's test money; the lieu's context is pushed."""
    with write_unit():
        db.session.execute(update(Lieu).values(is_simulation=True))
    accounts.save_keys(billing_lieu.manager, "helloasso", KEYS)
    public_id = invoice.public_id
    db.session.remove()
    there = Live(create_helloasso(double), free_port()).start()
    config = app.extensions["settings"]
    other = make_app(config.database_url, config.data_dir, helloasso_api_base=there.url)
    here = Live(other, free_port()).start()
    double.notify_url = f"{here.url}/pay/notifications/helloasso"
    with other.app_context():
        yield public_id
        db.session.remove()
        db.engine.dispose()
    here.stop()
    there.stop()


@pytest.mark.parametrize("how", ["told", "told twice", "not told"])
def test_an_invoice_is_paid_once_however_it_is_told(lieu, double, run_outbox, how):
    double.sends_twice, double.loses = how == "told twice", how == "not told"
    payment = online_opening.open_payment([lieu], "helloasso", pay_url="http://lieu.test/pay/x", locale="fr")
    number, public_id = int(payment.checkout_id), payment.public_id
    assert double.checkouts[number].wanted["totalAmount"] == 6600
    double.pay(number)
    double.wait()
    if how == "not told":
        assert online_looking.reconcile() == 1
    else:
        run_outbox()
    db.session.rollback()
    rows = db.session.scalars(select(Payment)).all()
    assert [(row.cents, row.method, row.reference) for row in rows] == [(6600, "card", str(500000 + number))]
    assert online_queries.online_payment(public_id).state == "paid"
