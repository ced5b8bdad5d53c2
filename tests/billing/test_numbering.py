"""Invoices are numbered without gaps and chained, also when several are issued at once or one fails."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.billing import charges, services
from coworking.billing.models import Charge, Invoice
from coworking.core.db import db
from coworking.core.keyring import public_keys
from tests import factories
from tests.support.billing import NOVEMBER, OCTOBER


def test_the_chain_holds_and_numbers_follow_each_other(billing_lieu, session):
    issued = services.run(billing_lieu.manager, OCTOBER).issued
    services.credit(billing_lieu.manager, issued[0].public_id, "Adresse erronée", again=True)
    services.run(billing_lieu.manager, NOVEMBER)
    rows = session.scalars(select(Invoice).order_by(Invoice.seq)).all()
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.number for row in rows] == [*(f"F2026-000{n}" for n in (1, 2, 3)), "A2026-0001", "F2026-0004"]
    assert services.chain_problems(public_keys()) == []
    entries = [(services.link_of(row), row.payload) for row in rows]
    from coworking.core import links

    keys = public_keys()
    assert links.problems([entries[0], *entries[2:]], keys.get)
    assert links.problems([(entries[0][0], entries[0][1] + " "), *entries[1:]], keys.get) == [
        "1: its content was altered"
    ]
    assert links.problems([entries[1], entries[0], *entries[2:]], keys.get)
    assert links.problems(entries, {}.get)


def test_a_new_year_counts_from_one(billing_lieu, inside, clock):
    services.run(billing_lieu.manager, OCTOBER)
    clock.advance(days=60)
    billing_lieu.use(billing_lieu.cast.stranger, date(2026, 11, 30))
    (invoice,) = services.run(billing_lieu.manager, NOVEMBER).issued
    assert (invoice.number, invoice.seq) == ("F2027-0001", 4)


def test_an_invoice_that_fails_leaves_its_number_to_the_next(billing_lieu, session, monkeypatch):
    charges.gather(OCTOBER)
    ids = session.scalars(select(Charge.id).where(Charge.payer_person_id == billing_lieu.cast.stranger.id)).all()

    def broken(*_args, **_options):
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr("coworking.core.audit.record", broken)
        with pytest.raises(RuntimeError):
            services._issue(billing_lieu.manager, OCTOBER, services.signing_key(), ids)
    assert [row.seq for row in services.run(billing_lieu.manager, OCTOBER).issued] == [1, 2, 3]


def test_runs_at_once_bill_everything_once(billing_lieu, app):
    """Four managers press the button together."""
    for n in range(8):
        with app.app_context():
            person = factories.make_person(f"Voisin{n}", "Essai", f"voisin{n}@demo.example")
            billing_lieu.use(person, date(2026, 10, 21))
    barrier, issued, failures = threading.Barrier(4), [], []

    def press() -> None:
        with app.app_context():
            barrier.wait()
            try:
                issued.extend(row.number for row in services.run(billing_lieu.manager, OCTOBER).issued)
            except Exception as error:
                failures.append(error)
            db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with app.app_context():
        assert sorted(issued) == [f"F2026-{n:04d}" for n in range(1, 12)]
        assert sorted(db.session.scalars(select(Invoice.seq))) == list(range(1, 12))
        billed = db.session.scalar(select(func.sum(Charge.amount_cents)))
        assert billed == db.session.scalar(select(func.sum(Invoice.payable_cents)))
        assert services.chain_problems(public_keys()) == []


def test_payers_billed_at_once_are_numbered_one_after_the_other(billing_lieu, app):
    """Each thread bills a payer of its own, so nothing but the counters makes them wait."""
    count = 6
    with app.app_context():
        people = [factories.make_person(f"V{n}", "Essai", f"v{n}@demo.example") for n in range(count)]
        for person in people:
            billing_lieu.use(person, date(2026, 10, 21))
        charges.gather(OCTOBER)
        ids = dict(
            db.session.execute(select(Charge.payer_person_id, Charge.id).where(Charge.day == date(2026, 10, 21))).all()
        )
        key = services.signing_key()
    barrier, failures = threading.Barrier(count), []

    def bill(charge_id: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                services._issue(billing_lieu.manager, OCTOBER, key, [charge_id])
            except Exception as error:
                failures.append(error)
            db.session.remove()

    threads = [threading.Thread(target=bill, args=(charge_id,)) for charge_id in ids.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with app.app_context():
        rows = db.session.execute(select(Invoice.seq, Invoice.number).order_by(Invoice.seq)).all()
        assert [tuple(row) for row in rows] == [(n, f"F2026-{n:04d}") for n in range(1, count + 1)]
        assert services.chain_problems(public_keys()) == []
