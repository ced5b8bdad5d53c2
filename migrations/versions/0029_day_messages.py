"""messages to those who come on a day

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "day_message",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=False),
        sa.Column("sender_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["person.id"], name=op.f("fk_day_message_sender_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_message")),
        sa.UniqueConstraint("public_id", name=op.f("uq_day_message_public_id")),
    )
    op.create_index("ix_day_message_day", "day_message", ["day"])


def downgrade() -> None:
    op.drop_table("day_message")
