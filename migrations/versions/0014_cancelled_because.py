"""why a booking was cancelled

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("booking") as batch_op:
        batch_op.add_column(sa.Column("cancelled_because", sa.String(), nullable=True))
        batch_op.create_check_constraint(
            op.f("ck_booking_cancelled_because"),
            "cancelled_because IN ('asked', 'mistake', 'closed', 'retired', 'left')",
        )
        batch_op.create_check_constraint(
            op.f("ck_booking_because_cancelled"), "cancelled_because IS NULL OR status = 'cancelled'"
        )
    op.execute("UPDATE booking SET cancelled_because = 'asked' WHERE cancelled_late")


def downgrade() -> None:
    with op.batch_alter_table("booking") as batch_op:
        batch_op.drop_constraint(op.f("ck_booking_because_cancelled"), type_="check")
        batch_op.drop_constraint(op.f("ck_booking_cancelled_because"), type_="check")
        batch_op.drop_column("cancelled_because")
