"""Issued documents, payments and PDFs cannot be altered, whoever speaks SQL to the database."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from coworking.billing import paying, services
from coworking.billing.models import InvoicePdf
from coworking.core import guards
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.support.billing import OCTOBER, TODAY


@pytest.fixture
def issued(billing_lieu, inside):
    """October issued; its first invoice paid a little and drawn."""
    invoice = services.run(billing_lieu.manager, OCTOBER).issued[0]
    paying.record_payment(billing_lieu.manager, invoice.public_id, 100, TODAY, "cash")
    with write_unit():
        db.session.add(InvoicePdf(invoice_id=invoice.id, sha256="0" * 64, content=b"%PDF"))
    return invoice


def refused(statement: str) -> str | None:
    with pytest.raises(IntegrityError) as refusal, db.engine.begin() as connection:
        connection.execute(text(statement))
    return guards.refused_by(refusal.value)


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE invoice SET payable_cents = 1, gross_cents = 1, net_cents = 1, vat_cents = 0", "invoice_append_only"),
        ("UPDATE invoice SET payload = '{}'", "invoice_append_only"),
        ("DELETE FROM invoice", "invoice_append_only"),
        ("UPDATE payment SET cents = 1", "payment_append_only"),
        ("DELETE FROM payment", "payment_append_only"),
        ("UPDATE invoice_paper SET sha256 = 'f'", "invoice_paper_append_only"),
        ("DELETE FROM invoice_paper", "invoice_paper_append_only"),
        ("UPDATE charge SET amount_cents = 1", "charge_frozen"),
        ("UPDATE charge SET invoice_id = NULL", "charge_frozen"),
        ("DELETE FROM charge", "charge_frozen"),
    ],
)
def test_nothing_issued_changes(issued, statement, guard):
    assert refused(statement) == guard


@pytest.mark.parametrize("column", ["number", "seq", "prev"])
def test_no_number_and_no_link_is_used_twice(issued, column):
    columns = (
        "public_id, seq, number, kind, payer_person_id, payer_organisation_id, month, issued_on, due_on, currency, "
        "net_cents, vat_cents, gross_cents, rounding_cents, payable_cents, payload, sha256, prev, key_id, signature, "
        "issued_at"
    )
    fresh = {"public_id": "'copy'", "seq": "99", "number": "'F2026-0099'", "prev": "'9'"}
    fresh.pop(column)
    values = ", ".join(fresh.get(name.strip(), name.strip()) for name in columns.split(","))
    statement = f"INSERT INTO invoice ({columns}) SELECT {values} FROM invoice WHERE id = {issued.id}"
    with pytest.raises(IntegrityError) as refusal, db.engine.begin() as connection:
        connection.execute(text(statement))
    assert column in str(refusal.value.orig) or guards.refused_by(refusal.value) == "invoice_append_only"


def test_a_charge_is_unique_per_source_and_month(billing_lieu, inside):
    from coworking.billing import charges

    charges.gather(OCTOBER)
    columns = (
        "payer_person_id, payer_organisation_id, source, source_id, family, month, due_month, label, quantity, unit, "
        "unit_cents, amount_cents, basis, vat_rate_bp, created_at"
    )
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO charge (public_id, {columns}) SELECT 'copy', {columns} FROM charge ORDER BY id LIMIT 1")
        )


@pytest.mark.parametrize("table", ["invoice", "payment", "invoice_paper", "charge"])
def test_truncating_is_refused_too(issued, engine_name, table):
    if engine_name == "postgresql":  # SQLite has no TRUNCATE
        with pytest.raises(IntegrityError), db.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {table} CASCADE"))
