"""who publishes and hosts the site, and who answers about personal data

Revision ID: 0076
Revises: 0073
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0073"
branch_labels = None
depends_on = None

NAMES = ("director", "register_number", "host_name", "host_address", "host_phone", "data_contact", "dpo")


def upgrade() -> None:
    op.create_table(
        "legal_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in NAMES),
        sa.CheckConstraint("id = 1", name=op.f("ck_legal_settings_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_settings")),
    )


def downgrade() -> None:
    op.drop_table("legal_settings")
