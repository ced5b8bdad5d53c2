"""first and last day of presences that are kept no longer

Revision ID: 0089
Revises: 0091
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0089"
down_revision = "0091"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "past_visits",
        sa.Column("person_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_past_visits_days")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_past_visits_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_past_visits")),
    )
    op.create_index("ix_past_visits_first_day", "past_visits", ["first_day"])


def downgrade() -> None:
    # Who comes back after years is a newcomer again: their presences are not there any more.
    op.drop_table("past_visits")
