"""Everything that somebody with the database's password might do to money, and what refuses or finds it.

The lieu is made once per engine. Each case runs in a transaction of its own that is rolled back: first with the guards in
place, then with the guards dropped and put back, and `flask audit` has to name what was done. `docs/billing.md` holds the
same list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Person
from coworking.billing import charges, manual_charges, paying, services
from coworking.billing.models import Charge, InvoicePdf
from coworking.core import against, audit, chain, checks, guards, trail
from coworking.core.clock import frozen_at
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.sql import inserted
from coworking.core.units import write_unit
from coworking.membership import services as membership
from coworking.presence import attestation
from coworking.presence.models import AttestationPdf, Presence
from coworking.statistics import services as statistics
from tests import factories
from tests.billing.conftest import NOVEMBER, OCTOBER, TODAY, october_house
from tests.conftest import ENGINES, TUESDAY_AT_10_36, make_app

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Case:
    """``sql``: statements one by one. ``refused``: the guard that stops them. ``found``: how audit's sentence begins, as the
    row or the entry it is about; None: audit alone cannot see it, only what was kept elsewhere."""

    sql: tuple[str, ...]
    refused: str | None
    found: str | None
    kept: str | None = None


def one(sql: str, refused: str | None, found: str) -> Case:
    return Case((sql,), refused, found)


IBAN_BEFORE = "FR7610107001011234567890129"
PAID, NEWEST = "(SELECT min(id) FROM payment)", "(SELECT max(id) FROM payment)"
FIRST, LAST = "(SELECT min(id) FROM invoice)", "(SELECT max(id) FROM invoice)"
PENDING = "invoice_id IS NULL AND source = 'quote'"
COPIED = (
    "payer_person_id, payer_organisation_id, person_id, family, month, due_month, day, label, quantity, unit, unit_cents,"
    " basis, vat_rate_bp, created_at"
)
EVERYTHING_OF_THE_LAST = (
    f"DELETE FROM payment WHERE invoice_id = {LAST}",
    f"DELETE FROM invoice_paper WHERE invoice_id = {LAST}",
    f"UPDATE charge SET invoice_id = NULL WHERE invoice_id = {LAST}",
    f"DELETE FROM invoice WHERE id = {LAST}",
    "UPDATE invoice_counter SET last = last - 1 WHERE series IN ('chain', 'F2026')",
)


def cut(name: str) -> tuple[str, ...]:
    """Take the end of a chain away and put its head back."""
    beyond = f"chain = '{name}' AND seq > {{{name}_seq}}"
    return (
        f"DELETE FROM seal WHERE entry_id IN (SELECT id FROM chain_entry WHERE {beyond})",
        f"DELETE FROM chain_entry WHERE {beyond}",
        f"UPDATE chain_head SET seq = {{{name}_seq}}, digest = '{{{name}_digest}}' WHERE chain = '{name}'",
    )


PAYMENT, INVOICE, QUOTE, AUDIT = "payment_append_only", "invoice_append_only", "quote_frozen", "audit_entry_append_only"

CASES: dict[str, Case] = {
    "a payment is deleted": one(
        "DELETE FROM payment WHERE id = (SELECT max(id) FROM payment WHERE reverses_id IS NULL)", PAYMENT, "payment"
    ),
    "a payment is lowered": one(f"UPDATE payment SET cents = cents - 1 WHERE id = {PAID}", PAYMENT, "payment"),
    "a payment is dated otherwise": one(
        f"UPDATE payment SET received_on = '2026-01-01' WHERE id = {PAID}", PAYMENT, "payment"
    ),
    "a payment's means is changed": one(f"UPDATE payment SET method = 'cheque' WHERE id = {PAID}", PAYMENT, "payment"),
    "a payment's reference is changed": one(
        f"UPDATE payment SET reference = 'other' WHERE id = {PAID}", PAYMENT, "payment"
    ),
    "a payment is moved to another invoice": one(
        f"UPDATE payment SET invoice_id = {LAST} WHERE id = {PAID}", PAYMENT, "payment"
    ),
    "a payment is invented": one(
        "INSERT INTO payment (public_id, invoice_id, cents, received_on, method, created_at)"
        f" VALUES ('invented', {FIRST}, 1, '2026-11-24', 'cash', {{instant}})",
        None,
        "payment",
    ),
    "a payment is deleted, and an entry of another chain says so": Case(
        (
            "INSERT INTO chain_entry (chain, seq, prev, payload, sha256, key_id, signature, signed_at)"
            " VALUES ('other', 999999, '', '', '', '', '', {instant})",
            f"INSERT INTO seal (entry_id, subject, first_id, last_id, act, digest)"
            f" SELECT max(id), 'payment', {NEWEST}, {NEWEST}, 'removed', '' FROM chain_entry",
            f"DELETE FROM payment WHERE id = {NEWEST}",
        ),
        PAYMENT,
        "payment",
    ),
    "the reversal of a payment is deleted": one(
        "DELETE FROM payment WHERE reverses_id IS NOT NULL", PAYMENT, "payment"
    ),
    "an invoice's due date is changed": one(
        f"UPDATE invoice SET due_on = '2027-12-31' WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "an invoice's payer is changed": one(
        "UPDATE invoice SET payer_person_id = (SELECT min(id) FROM person) WHERE payer_person_id IS NOT NULL",
        INVOICE,
        "invoice",
    ),
    "an invoice's instant of issue is changed": one(
        f"UPDATE invoice SET issued_at = {{instant}} WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "who issued an invoice is changed": one(
        f"UPDATE invoice SET issued_by_id = (SELECT min(id) FROM person) WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "an invoice's amounts are changed": one(
        "UPDATE invoice SET net_cents = net_cents - 1, gross_cents = gross_cents - 1, payable_cents = payable_cents - 1"
        f" WHERE id = {FIRST}",
        INVOICE,
        "invoice",
    ),
    "an invoice's content is rewritten": one(
        f"UPDATE invoice SET payload = replace(payload, 'Pont', 'Lac') WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "an invoice's signature is replaced": one(
        f"UPDATE invoice SET signature = '00' WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "the last invoice is deleted with all that is its own, counters put back": Case(
        EVERYTHING_OF_THE_LAST, PAYMENT, "invoice"
    ),
    "the same, and the end of the money chain is cut off": Case(
        (*EVERYTHING_OF_THE_LAST, *cut("money")), PAYMENT, None, kept="money entry"
    ),
    "a PDF is exchanged together with its digest": one(
        "UPDATE invoice_paper SET content = {bytes}, sha256 = 'ab'", "invoice_paper_append_only", "invoice_paper"
    ),
    "a PDF is deleted": one("DELETE FROM invoice_paper", "invoice_paper_append_only", "invoice_paper"),
    "pending charges are deleted": one(f"DELETE FROM charge WHERE {PENDING}", None, "charge"),
    "pending charges are halved": one(
        f"UPDATE charge SET amount_cents = amount_cents / 2, unit_cents = unit_cents / 2 WHERE {PENDING}",
        None,
        "charge",
    ),
    "a pending charge's label is changed": one(f"UPDATE charge SET label = 'Café' WHERE {PENDING}", None, "charge"),
    "a pending charge gets another payer": one(
        f"UPDATE charge SET payer_person_id = (SELECT min(id) FROM person) WHERE {PENDING}", None, "charge"
    ),
    "a charge is invented": one(
        f"INSERT INTO charge (public_id, source, source_id, amount_cents, {COPIED})"
        f" SELECT 'invented', 'line', 99, 100, {COPIED} FROM charge WHERE {PENDING} LIMIT 1",
        None,
        "charge",
    ),
    "a waiver is invented": one(
        f"INSERT INTO charge (public_id, source, source_id, amount_cents, {COPIED})"
        f" SELECT 'invented', 'waiver', id, -amount_cents, {COPIED} FROM charge WHERE {PENDING}"
        " ORDER BY id DESC LIMIT 1",
        None,
        "charge",
    ),
    "a waiver is deleted": one("DELETE FROM charge WHERE source = 'waiver'", None, "charge"),
    "an invoiced charge's label is changed": one(
        "UPDATE charge SET label = 'Café' WHERE invoice_id IS NOT NULL", "charge_frozen", "charge"
    ),
    "an invoiced charge is taken off its invoice": one(
        f"UPDATE charge SET invoice_id = NULL WHERE invoice_id = {FIRST}", "charge_frozen", "charge"
    ),
    "the amount of an invoiced quote is changed": one(
        "UPDATE quote SET amount_cents = amount_cents - 1 WHERE id = (SELECT min(source_id) FROM charge"
        " WHERE source = 'quote' AND invoice_id IS NOT NULL)",
        QUOTE,
        "quote",
    ),
    "a quote gets another payer": one(
        "UPDATE quote SET payer_person_id = (SELECT min(id) FROM person) WHERE payer_person_id IS NOT NULL",
        QUOTE,
        "quote",
    ),
    "a quote is deleted": one("DELETE FROM quote WHERE id = (SELECT max(id) FROM quote)", QUOTE, "quote"),
    "an audit entry is deleted": one(
        "DELETE FROM audit_entry WHERE id = (SELECT min(id) FROM audit_entry)", AUDIT, "audit_entry"
    ),
    "an audit entry is rewritten": one(
        "UPDATE audit_entry SET actor_id = 1 WHERE id = (SELECT max(id) FROM audit_entry)", AUDIT, "audit_entry"
    ),
    "the last audit entries are deleted": one("DELETE FROM audit_entry WHERE id > {audit_id}", AUDIT, "audit_entry"),
    "the same, and the end of the trail is cut off": Case(
        ("DELETE FROM audit_entry WHERE id > {audit_id}", *cut("trail")), AUDIT, None, kept="trail entry"
    ),
    "the IBAN is changed": one("UPDATE billing_settings SET iban = 'FR00'", None, "billing_settings"),
    "the IBAN of before is put back, and its seal behind the newer one": Case(
        (
            f"UPDATE billing_settings SET iban = '{IBAN_BEFORE}'",
            "UPDATE seal SET id = (SELECT max(id) FROM seal) + 1"
            " WHERE id = (SELECT id FROM seal WHERE subject = 'billing_settings' ORDER BY id DESC LIMIT 1 OFFSET 1)",
        ),
        "seal_append_only",
        "billing_settings",
    ),
    "the reason for no VAT is changed": one("UPDATE billing_settings SET exemption = 'x'", None, "billing_settings"),
    "the price of adhesions is changed": one(
        "UPDATE membership_settings SET adhesion_cents = 1", None, "membership_settings"
    ),
    "an adhesion's price is changed": one("UPDATE adhesion SET cents = 1", None, "adhesion"),
    "an adhesion is deleted": one("DELETE FROM adhesion", None, "adhesion"),
    "a subscription's price is changed": one("UPDATE subscription SET monthly_cents = 1", None, "subscription"),
    "a subscription is ended earlier": one("UPDATE subscription SET last_month = '2026-10-01'", None, "subscription"),
    "a plan's price is changed": one("UPDATE plan SET monthly_cents = 1", None, "plan"),
    "an employer's agreed price is changed": one("UPDATE agreement SET halfday_cents = 1", None, "agreement"),
    "a tariff's VAT rate is changed": one("UPDATE tariff SET vat_rate_bp = 550", None, "tariff"),
    "a price of a tariff is changed": one(
        "UPDATE tariff_price SET cents = 1 WHERE kind = 'desk'", None, "tariff_price"
    ),
    "a tariff is deleted with its prices": Case(("DELETE FROM tariff_price", "DELETE FROM tariff"), None, "tariff"),
    "a closed month's figures are rewritten": one(
        "UPDATE monthly_return SET figures = '{{}}'", "monthly_return_append_only", "monthly_return"
    ),
    "an attestation's days are rewritten": one(
        "UPDATE attestation SET payload = replace(payload, 'Pont', 'Lac')", "attestation_append_only", "attestation"
    ),
    "an attestation's PDF is exchanged together with its digest": one(
        "UPDATE attestation_paper SET content = {bytes}, sha256 = 'ab'",
        "attestation_paper_append_only",
        "attestation_paper",
    ),
    "an attestation is deleted with its PDF": Case(
        ("DELETE FROM attestation_paper", "DELETE FROM attestation"), "attestation_paper_append_only", "attestation"
    ),
    "a chain entry is rewritten": one(
        "UPDATE chain_entry SET payload = replace(payload, 'money', 'honey') WHERE chain = 'money' AND seq = 3",
        "chain_entry_append_only",
        "money entry 3",
    ),
    "a chain entry is deleted with its seals": Case(
        (
            "DELETE FROM seal WHERE entry_id = (SELECT id FROM chain_entry WHERE chain = 'money' AND seq = 3)",
            "DELETE FROM chain_entry WHERE chain = 'money' AND seq = 3",
        ),
        "seal_append_only",
        "money entry 4",
    ),
    "a seal is rewritten to fit an altered row": one(
        "UPDATE seal SET digest = 'ab' WHERE id = (SELECT min(id) FROM seal)", "seal_append_only", "money entry 1"
    ),
    "the head of a chain is put back": one(
        "UPDATE chain_head SET seq = seq - 1 WHERE chain = 'money'", None, "money entry"
    ),
}


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
    house = october_house()
    manager, person = house.manager, house.cast.member
    factories.make_tariff()
    factories.make_subscription(person)
    services.update_settings(manager, iban=IBAN_BEFORE)
    services.update_settings(manager, iban="FR7630006000011234567890189")
    membership.set_adhesion_price(manager, 1000, vat="out_of_scope")
    membership.record_adhesion(manager, house.cast.stranger.public_id, valid_from=NOVEMBER, cents=1000)
    first = services.run(manager, OCTOBER).issued[0]
    paying.record_payment(manager, first.public_id, 100, TODAY, "cash")
    wrong = paying.record_payment(manager, first.public_id, 50, TODAY, "card")
    paying.correct_payment(manager, first.public_id, wrong.public_id)
    paying.record_payment(manager, first.public_id, 70, TODAY, "transfer")
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
        house.use(house.cast.stranger, date(2026, 11, day))
    charges.gather(NOVEMBER)
    public = db.session.scalars(
        select(Charge.public_id).where(Charge.source == "quote", Charge.invoice_id.is_(None)).order_by(Charge.id)
    ).first()
    assert public is not None
    manual_charges.waive(manager, public, "Geste")
    late = db.session.get_one(Person, house.cast.lead.id)
    house.use(late, date(2026, 10, 21))
    charges.gather(OCTOBER)
    trail.seal()
    before = chain.heads()
    audit_id = db.session.scalar(select(db.func.max(audit.AuditEntry.id)))
    (last,) = services.run(manager, OCTOBER).issued
    paying.record_payment(manager, last.public_id, 100, TODAY, "cash")
    trail.seal()
    return {"audit_id": audit_id} | {
        f"{name}_{what}": value for name, head in before.items() for what, value in head.items()
    }


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


def test_before_anything_is_done_all_is_well(lived, clock):
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


def test_what_is_missing_is_named_first(lived, clock):
    """The first entry that was cut off, however many were."""
    with as_the_database_s_owner(lived) as connection:
        guards.remove(connection)
        for statement in cut("money"):
            connection.execute(text(statement.format(**lived.names)))
        (sentence,) = against.missing(lived.kept)
        first = int(str(lived.names["money_seq"])) + 1
        assert sentence.startswith(f"money entry {first} is missing")


def test_the_document_lists_the_same():
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
