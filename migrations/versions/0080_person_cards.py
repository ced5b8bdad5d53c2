"""printed cards by which the team recognises someone

Revision ID: 0080
Revises: 0079
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "person_card",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by_id", NUMBER, nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("ended_at IS NULL OR made_at <= ended_at", name=op.f("ck_person_card_dates")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_card_person_id_person")),
        sa.ForeignKeyConstraint(["made_by_id"], ["person.id"], name=op.f("fk_person_card_made_by_id_person")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=op.f("fk_person_card_ended_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_card")),
        sa.UniqueConstraint("digest", name=op.f("uq_person_card_digest")),
    )
    op.create_index("ix_person_card_person_id", "person_card", ["person_id"])
    op.create_index(
        "uq_person_card_live", "person_card", ["person_id"], unique=True, sqlite_where=LIVE, postgresql_where=LIVE
    )


def downgrade() -> None:
    op.drop_table("person_card")
