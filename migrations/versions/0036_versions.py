"""versions that the database raises itself: of the lieu, and of days by what is claimed on them

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lieu_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_lieu_version_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lieu_version")),
    )
    first = sa.text("INSERT INTO lieu_version (id, version) SELECT id, :version FROM lieu")
    op.get_bind().execute(first, {"version": str(uuid4())})


def downgrade() -> None:
    # The triggers that write it name the table: they go with it, and come back where it does.
    if op.get_bind().dialect.name == "postgresql":
        for table in ("lieu", "zone", "resource", "lieu_day", "open_span", "person", "tariff", "tariff_price"):
            op.execute(f"DROP TRIGGER IF EXISTS {table}_raises_lieu ON {table}")
            op.execute(f"DROP FUNCTION IF EXISTS {table}_raises_lieu()")
    op.drop_table("lieu_version")
