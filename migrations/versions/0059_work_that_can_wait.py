"""work of the outbox that comes after all that cannot wait

Revision ID: 0059
Revises: 0054
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("can_wait", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("outbox") as batch:
        batch.alter_column("can_wait", server_default=None)
        batch.drop_index("ix_outbox_due")
        batch.create_index("ix_outbox_due", ["state", "can_wait", "due_at"])


def downgrade() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.drop_index("ix_outbox_due")
        batch.drop_column("can_wait")
        batch.create_index("ix_outbox_due", ["state", "due_at"])
