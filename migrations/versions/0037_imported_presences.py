"""an index of imported presences

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    imported = sa.text("evidence = 'import'")
    op.create_index("ix_presence_imported", "presence", ["day"], sqlite_where=imported, postgresql_where=imported)


def downgrade() -> None:
    op.drop_index("ix_presence_imported", "presence")
