"""the fourteen days to withdraw from what was bought at a distance

Revision ID: 0092
Revises: 0093
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0092"
down_revision = "0093"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("subscription") as batch:
        batch.add_column(sa.Column("at_distance", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("ends_on", sa.Date(), nullable=True))
        batch.create_check_constraint(
            batch.f("ck_subscription_ends_on"), "ends_on IS NULL OR (last_month IS NOT NULL AND ends_on >= last_month)"
        )
    with op.batch_alter_table("pack") as batch:
        batch.add_column(sa.Column("at_distance", sa.Boolean(), nullable=True))
    op.create_table(
        "withdrawal",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("subscription_id", NUMBER, nullable=True),
        sa.Column("pack_id", NUMBER, nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("kept_cents", sa.Integer(), nullable=False),
        sa.Column("returned_cents", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "(subscription_id IS NULL) <> (pack_id IS NULL)", name=op.f("ck_withdrawal_one_contract")
        ),
        sa.CheckConstraint("kept_cents >= 0 AND returned_cents >= 0", name=op.f("ck_withdrawal_cents")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_withdrawal_subscription_id_subscription")
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["pack.id"], name=op.f("fk_withdrawal_pack_id_pack")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_withdrawal_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_withdrawal_public_id")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_withdrawal_subscription_id")),
        sa.UniqueConstraint("pack_id", name=op.f("uq_withdrawal_pack_id")),
    )


def downgrade() -> None:
    # The former version knows nothing of it: a plan that was withdrawn from gives what it gave until the end of its month.
    op.drop_table("withdrawal")
    with op.batch_alter_table("pack") as batch:
        batch.drop_column("at_distance")
    with op.batch_alter_table("subscription") as batch:
        batch.drop_constraint(batch.f("ck_subscription_ends_on"), type_="check")
        batch.drop_column("ends_on")
        batch.drop_column("at_distance")
