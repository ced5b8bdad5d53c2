"""bank statements, their lines, what each line is for, and files whose columns are still to be chosen

Revision ID: 0049
Revises: 0048
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "bank_statement",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("layout", sa.String(), nullable=True),
        sa.Column("columns", sa.String(), nullable=True),
        sa.Column("read_at", UTCDateTime(), nullable=False),
        sa.Column("read_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("format IN ('camt', 'csv')", name=op.f("ck_bank_statement_format")),
        sa.ForeignKeyConstraint(["read_by_id"], ["person.id"], name=op.f("fk_bank_statement_read_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_statement_public_id")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_statement_sha256")),
    )
    op.create_index("ix_bank_statement_layout", "bank_statement", ["layout", "id"])
    op.create_table(
        "bank_line",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("statement_id", NUMBER, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("end_to_end", sa.String(), nullable=True),
        sa.Column("servicer_ref", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("iban", sa.String(), nullable=True),
        sa.Column("is_reversal", sa.Boolean(), nullable=False),
        sa.CheckConstraint("cents <> 0", name=op.f("ck_bank_line_cents")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["bank_statement.id"], name=op.f("fk_bank_line_statement_id_bank_statement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_line_public_id")),
        sa.UniqueConstraint("account", "key", name=op.f("uq_bank_line_account_key")),
    )
    op.create_index("ix_bank_line_booked_on", "bank_line", ["booked_on", "id"])
    op.create_index("ix_bank_line_iban", "bank_line", ["iban"])
    op.create_index("ix_bank_line_statement_id", "bank_line", ["statement_id"])
    op.create_table(
        "bank_match",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("line_id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("payment_id", NUMBER, nullable=True),
        sa.Column("credit_id", NUMBER, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("reverses_id", NUMBER, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "kind IN ('payment', 'credit', 'payout', 'other', 'undone')", name=op.f("ck_bank_match_kind")
        ),
        sa.CheckConstraint("(cents < 0) = (kind = 'undone') AND cents <> 0", name=op.f("ck_bank_match_sign")),
        sa.CheckConstraint("(kind = 'payment') = (payment_id IS NOT NULL)", name=op.f("ck_bank_match_payment")),
        sa.CheckConstraint("(kind = 'credit') = (credit_id IS NOT NULL)", name=op.f("ck_bank_match_credit")),
        sa.CheckConstraint("(kind = 'other') = (reason IS NOT NULL)", name=op.f("ck_bank_match_reason")),
        sa.CheckConstraint("(kind = 'undone') = (reverses_id IS NOT NULL)", name=op.f("ck_bank_match_undone")),
        sa.ForeignKeyConstraint(["line_id"], ["bank_line.id"], name=op.f("fk_bank_match_line_id_bank_line")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_bank_match_payment_id_payment")),
        sa.ForeignKeyConstraint(["credit_id"], ["payer_credit.id"], name=op.f("fk_bank_match_credit_id_payer_credit")),
        sa.ForeignKeyConstraint(["reverses_id"], ["bank_match.id"], name=op.f("fk_bank_match_reverses_id_bank_match")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_bank_match_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_match")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_match_public_id")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_bank_match_payment_id")),
        sa.UniqueConstraint("credit_id", name=op.f("uq_bank_match_credit_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_bank_match_reverses_id")),
    )
    op.create_index("ix_bank_match_line_id", "bank_match", ["line_id"])
    op.create_table(
        "bank_upload",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_bank_upload_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_upload")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_upload_public_id")),
    )


def downgrade() -> None:
    op.drop_table("bank_upload")
    op.drop_table("bank_match")
    op.drop_table("bank_line")
    op.drop_table("bank_statement")
