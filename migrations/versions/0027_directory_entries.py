"""phone, notes, region and type of a directory's entries, and what was edited by hand

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("network_lieu") as batch:
        batch.add_column(sa.Column("phone", sa.String(), nullable=True))
        batch.add_column(sa.Column("notes", sa.Text(), nullable=True))
        batch.add_column(sa.Column("region", sa.String(), nullable=True))
        batch.add_column(sa.Column("kind", sa.String(), nullable=True))
        batch.add_column(sa.Column("edited", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("network_lieu") as batch:
        batch.alter_column("edited", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("network_lieu") as batch:
        for name in ("edited", "kind", "region", "notes", "phone"):
            batch.drop_column(name)
