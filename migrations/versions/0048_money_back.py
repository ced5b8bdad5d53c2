"""refunds through a gateway, what its own site refunds, and disputes

Revision ID: 0048
Revises: 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0048"
down_revision = "0043"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":  # rows of this table may change from now on
        op.execute("DROP TRIGGER IF EXISTS online_refund_append_only ON online_refund")
        op.execute("DROP TRIGGER IF EXISTS online_refund_append_only_truncate ON online_refund")
        op.execute("DROP FUNCTION IF EXISTS online_refund_append_only()")
    with op.batch_alter_table("online_refund") as batch:
        batch.add_column(sa.Column("public_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("state", sa.String(), nullable=True))
        batch.add_column(sa.Column("reason", sa.String(), nullable=True))
        batch.add_column(sa.Column("foreign_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("changed_at", UTCDateTime(), nullable=True))
        batch.drop_constraint(batch.f("ck_online_refund_method"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_online_refund_method"), "method IN ('gateway', 'transfer', 'cheque', 'cash')"
        )
        batch.create_check_constraint(batch.f("ck_online_refund_state"), "state IN ('asked', 'done', 'failed')")
        batch.create_unique_constraint(batch.f("uq_online_refund_public_id"), ["public_id"])
        batch.create_unique_constraint(
            batch.f("uq_online_refund_online_payment_id_foreign_id"), ["online_payment_id", "foreign_id"]
        )
    op.create_table(
        "online_dispute",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("online_payment_id", NUMBER, nullable=False),
        sa.Column("foreign_id", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("respond_by", UTCDateTime(), nullable=True),
        sa.Column("noted_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_online_dispute_cents")),
        sa.CheckConstraint("state IN ('open', 'won', 'lost')", name=op.f("ck_online_dispute_state")),
        sa.ForeignKeyConstraint(
            ["online_payment_id"],
            ["online_payment.id"],
            name=op.f("fk_online_dispute_online_payment_id_online_payment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_dispute")),
        sa.UniqueConstraint(
            "online_payment_id", "foreign_id", name=op.f("uq_online_dispute_online_payment_id_foreign_id")
        ),
    )
    op.create_index("ix_online_dispute_online_payment_id", "online_dispute", ["online_payment_id"])
    op.create_index("ix_online_dispute_state", "online_dispute", ["state", "id"])
    with op.batch_alter_table("payment") as batch:
        batch.add_column(sa.Column("online_entry", sa.Integer(), nullable=True))
        batch.drop_constraint(batch.f("ck_payment_reverses"), type_="check")
        batch.drop_constraint(batch.f("uq_payment_online_payment_id_invoice_id"), type_="unique")
        batch.create_unique_constraint(
            batch.f("uq_payment_online_payment_id_invoice_id_online_entry"),
            ["online_payment_id", "invoice_id", "online_entry"],
        )


def downgrade() -> None:
    with op.batch_alter_table("payment") as batch:
        batch.drop_constraint(batch.f("uq_payment_online_payment_id_invoice_id_online_entry"), type_="unique")
        batch.create_unique_constraint(
            batch.f("uq_payment_online_payment_id_invoice_id"), ["online_payment_id", "invoice_id"]
        )
        batch.create_check_constraint(batch.f("ck_payment_reverses"), "(cents < 0) = (reverses_id IS NOT NULL)")
        batch.drop_column("online_entry")
    op.drop_table("online_dispute")
    with op.batch_alter_table("online_refund") as batch:
        batch.drop_constraint(batch.f("uq_online_refund_online_payment_id_foreign_id"), type_="unique")
        batch.drop_constraint(batch.f("uq_online_refund_public_id"), type_="unique")
        batch.drop_constraint(batch.f("ck_online_refund_state"), type_="check")
        batch.drop_constraint(batch.f("ck_online_refund_method"), type_="check")
        batch.create_check_constraint(batch.f("ck_online_refund_method"), "method IN ('gateway', 'transfer', 'cash')")
        for name in ("changed_at", "foreign_id", "reason", "state", "public_id"):
            batch.drop_column(name)
