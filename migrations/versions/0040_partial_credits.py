"""several credit notes may take back one invoice, each a part of its lines

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("invoice") as batch:
        batch.drop_constraint(batch.f("uq_invoice_corrects_id"), type_="unique")
        batch.create_index("ix_invoice_corrects_id", ["corrects_id"])


def downgrade() -> None:
    with op.batch_alter_table("invoice") as batch:
        batch.drop_index("ix_invoice_corrects_id")
        batch.create_unique_constraint(batch.f("uq_invoice_corrects_id"), ["corrects_id"])
