"""messages that are handed over on paper

Revision ID: 0081
Revises: 0083
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0081"
down_revision = "0083"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "paper_message",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("invoice", sa.String(), nullable=True),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("handed_at", UTCDateTime(), nullable=True),
        sa.Column("handed_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "about IN ('booking', 'membership', 'billing', 'account')", name=op.f("ck_paper_message_about")
        ),
        sa.CheckConstraint(
            "(handed_at IS NULL) = (handed_by_id IS NULL)", name=op.f("ck_paper_message_handed")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_paper_message_person_id_person")),
        sa.ForeignKeyConstraint(["handed_by_id"], ["person.id"], name=op.f("fk_paper_message_handed_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_message")),
        sa.UniqueConstraint("public_id", name=op.f("uq_paper_message_public_id")),
        sa.UniqueConstraint("job", name=op.f("uq_paper_message_job")),
    )
    op.create_index("ix_paper_message_waiting", "paper_message", ["handed_at", "person_id"])
    op.create_index("ix_paper_message_person_id", "paper_message", ["person_id"])


def downgrade() -> None:
    op.drop_table("paper_message")
