"""a payer's credit: what came beyond what was owed, what it paid, what was given back

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
METHODS = "method IN ('transfer', 'card', 'cheque', 'cash', 'debit', 'credit')"


def upgrade() -> None:
    with op.batch_alter_table("payment") as batch:
        batch.drop_constraint(batch.f("ck_payment_method"), type_="check")
        batch.create_check_constraint(batch.f("ck_payment_method"), METHODS)
    op.create_table(
        "payer_credit",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("payer_person_id", NUMBER, nullable=True),
        sa.Column("payer_organisation_id", NUMBER, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("payment_id", NUMBER, nullable=True),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("reverses_id", NUMBER, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name=op.f("ck_payer_credit_one_payer")
        ),
        sa.CheckConstraint(
            "kind IN ('received', 'used', 'given', 'undone')", name=op.f("ck_payer_credit_kind")
        ),
        sa.CheckConstraint("cents <> 0", name=op.f("ck_payer_credit_cents")),
        sa.CheckConstraint(
            "kind = 'undone' OR (cents > 0) = (kind = 'received')", name=op.f("ck_payer_credit_sign")
        ),
        sa.CheckConstraint("(kind = 'used') = (payment_id IS NOT NULL)", name=op.f("ck_payer_credit_used")),
        sa.CheckConstraint("(kind = 'given') = (method IS NOT NULL)", name=op.f("ck_payer_credit_given")),
        sa.CheckConstraint("method IN ('transfer', 'cash', 'cheque')", name=op.f("ck_payer_credit_method")),
        sa.CheckConstraint("(kind = 'undone') = (reverses_id IS NOT NULL)", name=op.f("ck_payer_credit_undone")),
        sa.ForeignKeyConstraint(
            ["payer_person_id"], ["person.id"], name=op.f("fk_payer_credit_payer_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_payer_credit_payer_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payer_credit_payment_id_payment")),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["payer_credit.id"], name=op.f("fk_payer_credit_reverses_id_payer_credit")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_payer_credit_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payer_credit")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payer_credit_public_id")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_payer_credit_payment_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_payer_credit_reverses_id")),
    )
    op.create_index("ix_payer_credit_payer_person_id", "payer_credit", ["payer_person_id", "id"])
    op.create_index("ix_payer_credit_payer_organisation_id", "payer_credit", ["payer_organisation_id", "id"])


def downgrade() -> None:
    """Payments out of a credit stay as they are: the wider check remains, because what was paid is never rewritten."""
    op.drop_table("payer_credit")
