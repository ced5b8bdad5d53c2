"""What somebody with the database's password might do to money is refused by the database, or found by the audit.

The lieu is made once per engine. Each case runs in a transaction of its own that is rolled back: first with the guards in
place, then with the guards dropped and put back, and `flask audit` has to name what was done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounting import bank_matching, bank_queries, bank_reading, closings, drawer
from coworking.accounts.models import Person
from coworking.billing import (
    charges,
    door_queries,
    manual_charges,
    payer_credit,
    payer_credit_queries,
    paying,
    payouts,
    selling,
    services,
)
from coworking.billing.gateways.port import PayoutFact
from coworking.billing.models import Charge, InvoicePdf
from coworking.core import against, audit, chain, checks, guards, trail
from coworking.core.clock import frozen_at
from coworking.core.clock import now as clock_now
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.sql import inserted
from coworking.core.units import write_unit
from coworking.membership import services as membership
from coworking.presence import attestation
from coworking.presence.models import AttestationPdf, Presence
from coworking.pricing import article_services
from coworking.statistics import services as statistics
from tests import factories
from tests.accounting.statements import Entry, camt
from tests.accounting.tampering import CASES, IBAN_BEFORE, cut
from tests.conftest import ENGINES, TUESDAY_AT_10_36, make_app
from tests.support.billing import NOVEMBER, OCTOBER, TODAY, lieu_used_in_october
from tests.support.gateway import moved

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Lived:
    """The application, the values that cases name, and the heads as they were kept elsewhere."""

    app: Flask
    names: dict[str, object]
    kept: list[against.Head]


@pytest.fixture(scope="module", params=ENGINES)
def lived(request, databases: Callable[[str], str], tmp_path_factory) -> Lived:
    """A lieu in which everything happened once that a case may tamper with."""
    folder = tmp_path_factory.mktemp("lived")
    app = make_app(databases(request.param), folder)
    with app.app_context(), frozen_at(TUESDAY_AT_10_36):
        cutting = _live()
        kept = folder / "manifest.json"
        kept.write_text(json.dumps({"chain_heads": chain.heads()}))
        instant = "1" if request.param == "sqlite" else "'2020-01-01T00:00:00Z'"
        content = "x'00'" if request.param == "sqlite" else r"'\x00'::bytea"
        db.session.remove()
        return Lived(app, cutting | {"instant": instant, "bytes": content}, against.heads_in(kept))


def _live() -> dict[str, object]:
    billing_lieu = lieu_used_in_october()
    manager, person = billing_lieu.manager, billing_lieu.cast.member
    factories.make_tariff()
    factories.make_subscription(person)
    services.update_settings(manager, iban=IBAN_BEFORE)
    services.update_settings(manager, iban="FR7630006000011234567890189")
    membership.set_adhesion_price(manager, 1000, vat="out_of_scope")
    membership.record_adhesion(manager, billing_lieu.cast.stranger.public_id, valid_from=NOVEMBER, cents=1000)
    first = services.run(manager, OCTOBER).issued[0]
    paying.record_payment(manager, first.public_id, 100, TODAY, "cash")
    wrong = paying.record_payment(manager, first.public_id, 50, TODAY, "card")
    paying.correct_payment(manager, first.public_id, wrong.public_id)
    paying.record_payment(manager, first.public_id, 70, TODAY, "transfer")
    payer = payer_credit_queries.payer_of(first.public_id)
    with write_unit():
        payer_credit.receive(manager, payer, 500, TODAY, "VIR")
    payer_credit.give_back(manager, payer, 100, TODAY, "transfer", "Départ")
    _sell(billing_lieu)
    with frozen_at(TUESDAY_AT_10_36 + timedelta(days=1)):
        closings.close_due()
    bank_reading.read_file(manager, camt(Entry("2026-11-20", 5000, "Don"), Entry("2026-11-21", 700)))
    bank_matching.set_aside(manager, bank_queries.waiting()[0].line.public_id, "other", "Un don")
    _pay_out(manager)
    with write_unit():
        inserted(InvoicePdf, invoice_id=first.id, sha256=sha256(b"%PDF").hexdigest(), content=b"%PDF")
        came = datetime(2026, 10, 1, 8, tzinfo=UTC)
        db.session.add(Presence(person_id=person.id, day=came.date(), arrived_at=came, left_at=came, evidence="host"))
    attested = attestation.issue(person.actor(), OCTOBER)
    with write_unit():
        stored = {"sha256": sha256(b"%PDF").hexdigest(), "content": b"%PDF"}
        inserted(AttestationPdf, attestation_id=attested.id, locale="fr", **stored)
    statistics.close(SYSTEM, OCTOBER)
    for day in (2, 3):
        billing_lieu.use(billing_lieu.cast.stranger, date(2026, 11, day))
    charges.gather(NOVEMBER)
    public = db.session.scalars(
        select(Charge.public_id).where(Charge.source == "quote", Charge.invoice_id.is_(None)).order_by(Charge.id)
    ).first()
    assert public is not None
    manual_charges.waive(manager, public, "Geste")
    late = db.session.get_one(Person, billing_lieu.cast.lead.id)
    billing_lieu.use(late, date(2026, 10, 21))
    charges.gather(OCTOBER)
    trail.seal()
    before = chain.heads()
    audit_id = db.session.scalar(select(db.func.max(audit.AuditEntry.id)))
    (last,) = services.run(manager, OCTOBER).issued
    paying.record_payment(manager, last.public_id, 100, TODAY, "cheque")
    trail.seal()
    return {"audit_id": audit_id} | {
        f"{name}_{what}": value for name, head in before.items() for what, value in head.items()
    }


def _pay_out(manager) -> None:
    """A payout of which a part is none of ours, and the bank line that counts as it."""
    bank_reading.read_file(manager, camt(Entry("2026-11-22", 900, "STRIPE")))
    line = next(row.line.public_id for row in bank_queries.waiting() if row.line.cents == 900)
    parts = (moved("t1", "payment", 1000, 40, "pi_elsewhere"), moved("t2", "fee", -60))
    fact = PayoutFact("po_1", "paid", 900, "EUR", False, clock_now(), TODAY, "now")
    payouts.note_payout("stripe", fact, parts)
    bank_matching.confirm_payout(manager, line, bank_queries.expected_payouts()[0].public_id)


def _sell(billing_lieu) -> None:
    """A drawer, two deposits of which one was given back, a sale, and one that was undone."""
    host = billing_lieu.cast.host.actor()
    opening = drawer.open_drawer(host, 5000)
    key = article_services.add_article(
        billing_lieu.manager, "Caution clé", "deposit", cents=2000, vat_rate_bp=0, account="165"
    )
    for nonce in (1, 2, 3):
        order = selling.Order(None, {"h": 1, f"a:{key.public_id}": 1}, "cash")
        sold = selling.sell(host, order, shown_cents=2900, nonce=nonce)
        if nonce == 2:
            selling.cancel(host, sold.public_id, "Erreur")
    selling.give_back(host, door_queries.deposits_held()[0].public_id, "cash")
    drawer.close_drawer(host, opening.public_id, 5000 + 2 * 2900 - 2000)


@contextmanager
def as_the_database_s_owner(lived: Lived) -> Iterator[Connection]:
    """A connection on which anything may be written; what is read within sees it, and nothing of it stays."""
    with lived.app.app_context():
        session = db.session()
        session.rollback()
        session.info["snapshot"] = True
        try:
            yield session.connection()
        finally:
            session.info.pop("snapshot")
            session.rollback()
            db.session.remove()


def sentences() -> set[str]:
    db.session.expire_all()
    return {sentence for check, found in checks.run() if check.promise in (1, 3, 6) for sentence in found}


def test_the_audit_finds_nothing_before_anything_is_altered(lived, clock):
    with as_the_database_s_owner(lived):
        assert sentences() == set() and list(against.missing(lived.kept)) == []


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_while_the_guards_stand(lived, clock, name):
    case = CASES[name]
    refused = None
    with as_the_database_s_owner(lived) as connection:
        try:
            for statement in case.sql:
                connection.execute(text(statement.format(**lived.names)))
        except IntegrityError as error:
            refused = guards.refused_by(error)
    assert refused == case.refused


@pytest.mark.parametrize("name", CASES)
def test_it_is_found_when_the_guards_were_dropped_and_put_back(lived, clock, name):
    case = CASES[name]
    with as_the_database_s_owner(lived) as connection:
        guards.remove(connection)
        changed = [connection.execute(text(statement.format(**lived.names))).rowcount for statement in case.sql]
        assert changed[-1] > 0, "the case does something"
        guards.install(connection)
        found = sentences()
        kept = list(against.missing(lived.kept))
        if case.found is None:
            assert found == set(), "the chain that is left holds"
            assert any(sentence.startswith(str(case.kept)) and "is missing" in sentence for sentence in kept), kept
        else:
            named = f"{case.found} " if case.found[-1].isalpha() else case.found
            assert any(sentence.startswith(named) for sentence in found), found


def test_the_first_missing_entry_is_named(lived, clock):
    """The first entry that was cut off, however many were."""
    with as_the_database_s_owner(lived) as connection:
        guards.remove(connection)
        for statement in cut("money"):
            connection.execute(text(statement.format(**lived.names)))
        (sentence,) = against.missing(lived.kept)
        first = int(str(lived.names["money_seq"])) + 1
        assert sentence.startswith(f"money entry {first} is missing")


def test_the_document_lists_the_same_cases():
    rows = [
        [cell.strip().strip("`") for cell in line.strip("| \n").split("|")]
        for line in (ROOT / "docs/billing.md").read_text().partition("## What is noticed")[2].splitlines()
        if line.startswith("| ") and not line.startswith("| what")
    ]
    listed = {name: (refused, found) for name, refused, found in rows}
    assert len(listed) == len(rows) >= 30
    assert listed == {
        name: (case.refused or "-", "audit --against" if case.found is None else "audit")
        for name, case in CASES.items()
    }
