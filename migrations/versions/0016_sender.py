"""who e-mails come from

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_name", sa.String(), nullable=True),
        sa.Column("from_address", sa.String(), nullable=True),
        sa.Column("reply_to", sa.String(), nullable=True),
        sa.Column("tried_at", UTCDateTime(), nullable=True),
        sa.Column("tried_well", sa.Boolean(), nullable=True),
        sa.Column("tried_answer", sa.String(), nullable=True),
        sa.CheckConstraint("id = 1", name="ck_mail_settings_single"),
        sa.PrimaryKeyConstraint("id", name="pk_mail_settings"),
    )


def downgrade() -> None:
    op.drop_table("mail_settings")
