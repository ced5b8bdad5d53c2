"""billing: charges, issued documents and their chain, payments, papers

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vat_number", sa.String(), nullable=True),
        sa.Column("legal_mention", sa.String(), nullable=True),
        sa.Column("iban", sa.String(), nullable=True),
        sa.Column("bic", sa.String(), nullable=True),
        sa.Column("exemption", sa.String(), nullable=True),
        sa.Column("penalty", sa.String(), nullable=True),
        sa.Column("vat_on_debits", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_billing_settings_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_settings")),
    )
    op.create_table(
        "invoice_counter",
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint("last >= 0", name=op.f("ck_invoice_counter_last")),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_invoice_counter")),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("corrects_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("payer_person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("payer_organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("net_cents", sa.Integer(), nullable=False),
        sa.Column("vat_cents", sa.Integer(), nullable=False),
        sa.Column("gross_cents", sa.Integer(), nullable=False),
        sa.Column("rounding_cents", sa.Integer(), nullable=False),
        sa.Column("payable_cents", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("prev", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("issued_at", UTCDateTime(), nullable=False),
        sa.Column("issued_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("(kind = 'credit_note') = (corrects_id IS NOT NULL)", name=op.f("ck_invoice_corrects")),
        sa.CheckConstraint("(payable_cents > 0) = (kind = 'invoice')", name=op.f("ck_invoice_sign")),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_invoice_kind")),
        sa.CheckConstraint(
            "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name=op.f("ck_invoice_one_payer")
        ),
        sa.CheckConstraint("gross_cents = net_cents + vat_cents", name=op.f("ck_invoice_gross")),
        sa.CheckConstraint("issued_on <= due_on", name=op.f("ck_invoice_due")),
        sa.CheckConstraint("payable_cents = gross_cents + rounding_cents", name=op.f("ck_invoice_payable")),
        sa.CheckConstraint("seq > 0", name=op.f("ck_invoice_seq")),
        sa.ForeignKeyConstraint(["corrects_id"], ["invoice.id"], name=op.f("fk_invoice_corrects_id_invoice")),
        sa.ForeignKeyConstraint(["issued_by_id"], ["person.id"], name=op.f("fk_invoice_issued_by_id_person")),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"], ["organisation.id"], name=op.f("fk_invoice_payer_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["payer_person_id"], ["person.id"], name=op.f("fk_invoice_payer_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_invoice_corrects_id")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_number")),
        sa.UniqueConstraint("prev", name=op.f("uq_invoice_prev")),
        sa.UniqueConstraint("public_id", name=op.f("uq_invoice_public_id")),
        sa.UniqueConstraint("seq", name=op.f("uq_invoice_seq")),
    )
    op.create_index("ix_invoice_month", "invoice", ["month"], unique=False)
    op.create_index("ix_invoice_payer_organisation_id", "invoice", ["payer_organisation_id", "id"], unique=False)
    op.create_index("ix_invoice_payer_person_id", "invoice", ["payer_person_id", "id"], unique=False)
    op.create_table(
        "charge",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("payer_person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("payer_organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("due_month", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("unit_cents", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("(amount_cents < 0) = (source = 'waiver')", name=op.f("ck_charge_sign")),
        sa.CheckConstraint("basis IN ('ttc', 'ht')", name=op.f("ck_charge_basis")),
        sa.CheckConstraint(
            "family IN ('desk', 'room', 'subscription', 'adhesion', 'other')", name=op.f("ck_charge_family")
        ),
        sa.CheckConstraint(
            "source IN ('quote', 'subscription', 'adhesion', 'line', 'waiver', 'rebill')", name=op.f("ck_charge_source")
        ),
        sa.CheckConstraint("unit IN ('half_day', 'hour', 'month', 'year', 'piece')", name=op.f("ck_charge_unit")),
        sa.CheckConstraint(
            "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name=op.f("ck_charge_one_payer")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_charge_quantity")),
        sa.CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_charge_vat_rate")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_charge_created_by_id_person")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_charge_invoice_id_invoice")),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"], ["organisation.id"], name=op.f("fk_charge_payer_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["payer_person_id"], ["person.id"], name=op.f("fk_charge_payer_person_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_charge_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge")),
        sa.UniqueConstraint("public_id", name=op.f("uq_charge_public_id")),
        sa.UniqueConstraint("source", "source_id", "month", name=op.f("uq_charge_source_source_id_month")),
    )
    op.create_index("ix_charge_invoice_id", "charge", ["invoice_id", "due_month"], unique=False)
    op.create_index("ix_charge_payer_organisation_id", "charge", ["payer_organisation_id", "invoice_id"], unique=False)
    op.create_index("ix_charge_payer_person_id", "charge", ["payer_person_id", "invoice_id"], unique=False)
    op.create_table(
        "invoice_paper",
        sa.Column(
            "invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("rendered_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_paper_invoice_id_invoice")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoice_paper")),
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("method IN ('transfer', 'card', 'cheque', 'cash', 'debit')", name=op.f("ck_payment_method")),
        sa.CheckConstraint("(cents < 0) = (reverses_id IS NOT NULL)", name=op.f("ck_payment_reverses")),
        sa.CheckConstraint("cents <> 0", name=op.f("ck_payment_cents")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_payment_created_by_id_person")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_payment_invoice_id_invoice")),
        sa.ForeignKeyConstraint(["reverses_id"], ["payment.id"], name=op.f("fk_payment_reverses_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payment_public_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_payment_reverses_id")),
    )
    op.create_index("ix_payment_invoice_id", "payment", ["invoice_id"], unique=False)
    op.create_index("ix_payment_received_on", "payment", ["received_on"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_payment_received_on", table_name="payment")
    op.drop_index("ix_payment_invoice_id", table_name="payment")
    op.drop_table("payment")
    op.drop_table("invoice_paper")
    op.drop_index("ix_charge_payer_person_id", table_name="charge")
    op.drop_index("ix_charge_payer_organisation_id", table_name="charge")
    op.drop_index("ix_charge_invoice_id", table_name="charge")
    op.drop_table("charge")
    op.drop_index("ix_invoice_payer_person_id", table_name="invoice")
    op.drop_index("ix_invoice_payer_organisation_id", table_name="invoice")
    op.drop_index("ix_invoice_month", table_name="invoice")
    op.drop_table("invoice")
    op.drop_table("invoice_counter")
    op.drop_table("billing_settings")
