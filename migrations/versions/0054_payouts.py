"""what payment providers pay out, and what it consists of

Revision ID: 0054
Revises: 0050
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0054"
down_revision = "0050"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "online_payout",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("foreign_id", sa.String(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("parts_read_at", UTCDateTime(), nullable=True),
        sa.Column("unexplained_cents", sa.Integer(), nullable=True),
        sa.Column("noted_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("cents <> 0", name=op.f("ck_online_payout_cents")),
        sa.CheckConstraint("state IN ('under_way', 'paid', 'failed')", name=op.f("ck_online_payout_state")),
        sa.CheckConstraint(
            "(parts_read_at IS NULL) = (unexplained_cents IS NULL)", name=op.f("ck_online_payout_explained")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_payout")),
        sa.UniqueConstraint("public_id", name=op.f("uq_online_payout_public_id")),
        sa.UniqueConstraint("gateway", "foreign_id", name=op.f("uq_online_payout_gateway_foreign_id")),
    )
    op.create_index("ix_online_payout_arrives_on", "online_payout", ["arrives_on", "id"])
    op.create_table(
        "online_payout_part",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("payout_id", NUMBER, nullable=False),
        sa.Column("foreign_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("fee_cents", sa.Integer(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("online_payment_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "kind IN ('payment', 'refund', 'dispute', 'fee', 'returned', 'other')",
            name=op.f("ck_online_payout_part_kind"),
        ),
        sa.CheckConstraint(
            "online_payment_id IS NULL OR kind IN ('payment', 'refund', 'dispute')",
            name=op.f("ck_online_payout_part_payment"),
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["online_payout.id"], name=op.f("fk_online_payout_part_payout_id_online_payout")
        ),
        sa.ForeignKeyConstraint(
            ["online_payment_id"],
            ["online_payment.id"],
            name=op.f("fk_online_payout_part_online_payment_id_online_payment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_payout_part")),
        sa.UniqueConstraint("foreign_id", name=op.f("uq_online_payout_part_foreign_id")),
    )
    op.create_index("ix_online_payout_part_payout_id", "online_payout_part", ["payout_id"])
    op.create_index("ix_online_payout_part_moved_on", "online_payout_part", ["moved_on"])
    op.create_index("ix_online_payout_part_online_payment_id", "online_payout_part", ["online_payment_id"])
    with op.batch_alter_table("bank_match") as batch:
        batch.add_column(sa.Column("payout_id", NUMBER, nullable=True))
        batch.create_foreign_key(
            batch.f("fk_bank_match_payout_id_online_payout"), "online_payout", ["payout_id"], ["id"]
        )
        batch.create_check_constraint(batch.f("ck_bank_match_payout"), "payout_id IS NULL OR kind = 'payout'")
        batch.create_index("ix_bank_match_payout_id", ["payout_id"])


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":  # the guard names a column that goes
        op.execute("DROP TRIGGER IF EXISTS bank_match_payout_once ON bank_match")
        op.execute("DROP FUNCTION IF EXISTS bank_match_payout_once()")
    with op.batch_alter_table("bank_match") as batch:
        batch.drop_index("ix_bank_match_payout_id")
        batch.drop_constraint(batch.f("ck_bank_match_payout"), type_="check")
        batch.drop_constraint(batch.f("fk_bank_match_payout_id_online_payout"), type_="foreignkey")
        batch.drop_column("payout_id")
    op.drop_table("online_payout_part")
    op.drop_table("online_payout")
