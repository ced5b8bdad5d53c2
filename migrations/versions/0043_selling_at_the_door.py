"""selling at the door: articles, sales, receipts, deposits, and the drawer

Revision ID: 0043
Revises: 0046
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0043"
down_revision = "0046"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCES = "source IN ('quote', 'subscription', 'adhesion', 'line', 'waiver', 'rebill'"


def upgrade() -> None:
    op.create_table(
        "article",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("archived_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('goods', 'service', 'deposit')", name=op.f("ck_article_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("public_id", name=op.f("uq_article_public_id")),
    )
    op.create_table(
        "article_price",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("article_id", NUMBER, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_article_price_cents")),
        sa.CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_article_price_vat_rate")),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_price_article_id_article")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_price")),
        sa.UniqueConstraint("article_id", "valid_from", name=op.f("uq_article_price_article_id_valid_from")),
    )
    op.create_table(
        "drawer_count",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("counted_cents", sa.Integer(), nullable=False),
        sa.Column("expected_cents", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("kind IN ('opened', 'closed')", name=op.f("ck_drawer_count_kind")),
        sa.CheckConstraint("seq > 0 AND (kind = 'opened') = (seq % 2 = 1)", name=op.f("ck_drawer_count_turn")),
        sa.CheckConstraint("counted_cents >= 0", name=op.f("ck_drawer_count_counted")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_drawer_count_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawer_count")),
        sa.UniqueConstraint("public_id", name=op.f("uq_drawer_count_public_id")),
        sa.UniqueConstraint("seq", name=op.f("uq_drawer_count_seq")),
    )
    op.create_index("ix_drawer_count_counted_on", "drawer_count", ["counted_on"])

    op.create_table(
        "receipt",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("corrects_id", NUMBER, nullable=True),
        sa.Column("sold_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("net_cents", sa.Integer(), nullable=False),
        sa.Column("vat_cents", sa.Integer(), nullable=False),
        sa.Column("deposit_cents", sa.Integer(), nullable=False),
        sa.Column("payable_cents", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("prev", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("issued_at", UTCDateTime(), nullable=False),
        sa.Column("issued_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("(kind = 'counter_sale') = (corrects_id IS NOT NULL)", name=op.f("ck_receipt_corrects")),
        sa.CheckConstraint("(payable_cents > 0) = (kind = 'sale')", name=op.f("ck_receipt_sign")),
        sa.CheckConstraint("kind IN ('sale', 'counter_sale')", name=op.f("ck_receipt_kind")),
        sa.CheckConstraint("method IN ('cash', 'card', 'cheque', 'transfer')", name=op.f("ck_receipt_method")),
        sa.CheckConstraint("seq > 0", name=op.f("ck_receipt_seq")),
        sa.ForeignKeyConstraint(["corrects_id"], ["receipt.id"], name=op.f("fk_receipt_corrects_id_receipt")),
        sa.ForeignKeyConstraint(["issued_by_id"], ["person.id"], name=op.f("fk_receipt_issued_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_receipt_corrects_id")),
        sa.UniqueConstraint("number", name=op.f("uq_receipt_number")),
        sa.UniqueConstraint("prev", name=op.f("uq_receipt_prev")),
        sa.UniqueConstraint("public_id", name=op.f("uq_receipt_public_id")),
        sa.UniqueConstraint("seq", name=op.f("uq_receipt_seq")),
    )
    op.create_index("ix_receipt_sold_on", "receipt", ["sold_on"])

    op.create_table(
        "deposit",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("receipt_id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_deposit_cents")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_deposit_person_id_person")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_deposit_receipt_id_receipt")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposit")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deposit_public_id")),
    )
    op.create_index("ix_deposit_person_id", "deposit", ["person_id"])
    op.create_index("ix_deposit_receipt_id", "deposit", ["receipt_id"])

    op.create_table(
        "door_sale",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("nonce", NUMBER, nullable=False),
        sa.Column("sold_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("person_id", NUMBER, nullable=True),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("vat_cents", sa.Integer(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("invoice_id", NUMBER, nullable=True),
        sa.Column("receipt_id", NUMBER, nullable=True),
        sa.Column("cancels_id", NUMBER, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "method <> 'invoice' OR (person_id IS NOT NULL AND receipt_id IS NULL)", name=op.f("ck_door_sale_later")
        ),
        sa.CheckConstraint(
            "method IN ('cash', 'card', 'cheque', 'transfer', 'invoice')", name=op.f("ck_door_sale_method")
        ),
        sa.CheckConstraint("(cents < 0) = (cancels_id IS NOT NULL)", name=op.f("ck_door_sale_sign")),
        sa.CheckConstraint("cancels_id IS NULL OR reason IS NOT NULL", name=op.f("ck_door_sale_reason")),
        sa.CheckConstraint("person_id IS NOT NULL OR receipt_id IS NOT NULL", name=op.f("ck_door_sale_receipt")),
        sa.ForeignKeyConstraint(["cancels_id"], ["door_sale.id"], name=op.f("fk_door_sale_cancels_id_door_sale")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_door_sale_created_by_id_person")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_door_sale_invoice_id_invoice")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_door_sale_person_id_person")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_door_sale_receipt_id_receipt")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_sale")),
        sa.UniqueConstraint("cancels_id", name=op.f("uq_door_sale_cancels_id")),
        sa.UniqueConstraint("nonce", name=op.f("uq_door_sale_nonce")),
        sa.UniqueConstraint("public_id", name=op.f("uq_door_sale_public_id")),
    )
    op.create_index("ix_door_sale_invoice_id", "door_sale", ["invoice_id"])
    op.create_index("ix_door_sale_person_id", "door_sale", ["person_id"])
    op.create_index("ix_door_sale_receipt_id", "door_sale", ["receipt_id"])
    op.create_index("ix_door_sale_sold_on", "door_sale", ["sold_on"])

    op.create_table(
        "receipt_paper",
        sa.Column("receipt_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("rendered_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_receipt_paper_receipt_id_receipt")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_receipt_paper")),
    )
    op.create_table(
        "deposit_return",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("deposit_id", NUMBER, nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("receipt_id", NUMBER, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("method IN ('cash', 'card', 'cheque', 'transfer')", name=op.f("ck_deposit_return_method")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_deposit_return_created_by_id_person")),
        sa.ForeignKeyConstraint(["deposit_id"], ["deposit.id"], name=op.f("fk_deposit_return_deposit_id_deposit")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_deposit_return_receipt_id_receipt")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposit_return")),
        sa.UniqueConstraint("deposit_id", name=op.f("uq_deposit_return_deposit_id")),
    )
    op.create_index("ix_deposit_return_receipt_id", "deposit_return", ["receipt_id"])

    op.create_table(
        "cash_movement",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("balance_cents", sa.Integer(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("receipt_id", NUMBER, nullable=True),
        sa.Column("payment_id", NUMBER, nullable=True),
        sa.Column("deposit_return_id", NUMBER, nullable=True),
        sa.Column("payer_credit_id", NUMBER, nullable=True),
        sa.Column("online_refund_id", NUMBER, nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "(kind = 'deposit_return') = (deposit_return_id IS NOT NULL)", name=op.f("ck_cash_movement_deposit_return")
        ),
        sa.CheckConstraint("(kind = 'payment') = (payment_id IS NOT NULL)", name=op.f("ck_cash_movement_payment")),
        sa.CheckConstraint("(kind = 'receipt') = (receipt_id IS NOT NULL)", name=op.f("ck_cash_movement_receipt")),
        sa.CheckConstraint(
            "kind IN ('receipt', 'payment', 'deposit_return', 'payer_credit', 'online_refund',"
            " 'float', 'bank', 'difference')",
            name=op.f("ck_cash_movement_kind"),
        ),
        sa.CheckConstraint("cents <> 0", name=op.f("ck_cash_movement_cents")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_cash_movement_created_by_id_person")),
        sa.ForeignKeyConstraint(
            ["deposit_return_id"], ["deposit_return.id"], name=op.f("fk_cash_movement_deposit_return_id_deposit_return")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_cash_movement_payment_id_payment")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_cash_movement_receipt_id_receipt")),
        sa.CheckConstraint(
            "(kind = 'payer_credit') = (payer_credit_id IS NOT NULL)", name=op.f("ck_cash_movement_payer_credit")
        ),
        sa.CheckConstraint(
            "(kind = 'online_refund') = (online_refund_id IS NOT NULL)", name=op.f("ck_cash_movement_online_refund")
        ),
        sa.ForeignKeyConstraint(
            ["payer_credit_id"], ["payer_credit.id"], name=op.f("fk_cash_movement_payer_credit_id_payer_credit")
        ),
        sa.ForeignKeyConstraint(
            ["online_refund_id"], ["online_refund.id"], name=op.f("fk_cash_movement_online_refund_id_online_refund")
        ),
        sa.UniqueConstraint("payer_credit_id", name=op.f("uq_cash_movement_payer_credit_id")),
        sa.UniqueConstraint("online_refund_id", name=op.f("uq_cash_movement_online_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_movement")),
        sa.UniqueConstraint("deposit_return_id", name=op.f("uq_cash_movement_deposit_return_id")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_cash_movement_payment_id")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_cash_movement_receipt_id")),
        sa.UniqueConstraint("seq", name=op.f("uq_cash_movement_seq")),
    )
    op.create_index("ix_cash_movement_moved_on", "cash_movement", ["moved_on"])
    with op.batch_alter_table("charge") as batch_op:
        batch_op.add_column(sa.Column("account", sa.String(), nullable=True))
        batch_op.drop_constraint(op.f("ck_charge_source"), type_="check")
        batch_op.create_check_constraint(op.f("ck_charge_source"), f"{SOURCES}, 'sale')")


def downgrade() -> None:
    op.execute("UPDATE charge SET source = 'line' WHERE source = 'sale'")
    with op.batch_alter_table("charge") as batch_op:
        batch_op.drop_constraint(op.f("ck_charge_source"), type_="check")
        batch_op.create_check_constraint(op.f("ck_charge_source"), f"{SOURCES})")
        batch_op.drop_column("account")
    op.drop_table("cash_movement")
    op.drop_table("deposit_return")
    op.drop_table("receipt_paper")
    op.drop_table("door_sale")
    op.drop_table("deposit")
    op.drop_table("receipt")
    op.drop_table("drawer_count")
    op.drop_table("article_price")
    op.drop_table("article")
