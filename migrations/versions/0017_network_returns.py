"""what is improbable in a return, returns set aside, lieux awaited from the first month they sent

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("received_return", sa.Column("doubts", sa.Text(), nullable=True))
    op.create_table(
        "return_set_aside",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("received_return_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_return_set_aside_created_by_id_person")
        ),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=op.f("fk_return_set_aside_ended_by_id_person")),
        sa.ForeignKeyConstraint(
            ["received_return_id"],
            ["received_return.id"],
            name=op.f("fk_return_set_aside_received_return_id_received_return"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_set_aside")),
    )
    op.create_index(
        "uq_return_set_aside_standing",
        "return_set_aside",
        ["received_return_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    # Until now a lieu was awaited from the month in which it joined, though it had sent earlier ones.
    op.execute(
        "UPDATE network_lieu SET expected_from ="
        " (SELECT min(month) FROM received_return WHERE network_lieu_id = network_lieu.id)"
        " WHERE expected_from >"
        " (SELECT min(month) FROM received_return WHERE network_lieu_id = network_lieu.id)"
    )


def downgrade() -> None:
    op.drop_index("uq_return_set_aside_standing", table_name="return_set_aside")
    op.drop_table("return_set_aside")
    op.drop_column("received_return", "doubts")
