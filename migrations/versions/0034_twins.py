"""entries of the directory that are one place, or were found to be two

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    def to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))

    with op.batch_alter_table("network_lieu") as batch:
        batch.add_column(sa.Column("merged_into_id", number, nullable=True))
        batch.create_foreign_key(
            op.f("fk_network_lieu_merged_into_id_network_lieu"), "network_lieu", ["merged_into_id"], ["id"]
        )
        batch.create_index(op.f("ix_network_lieu_merged_into_id"), ["merged_into_id"])
    op.create_table(
        "lieu_merge",
        sa.Column("id", number, nullable=False),
        sa.Column("kept_id", number, nullable=False),
        sa.Column("gone_id", number, nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", number, nullable=True),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.Column("undone_by_id", number, nullable=True),
        to("lieu_merge", "kept_id", "network_lieu"),
        to("lieu_merge", "gone_id", "network_lieu"),
        to("lieu_merge", "created_by_id", "person"),
        to("lieu_merge", "undone_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lieu_merge")),
    )
    op.create_index(op.f("ix_lieu_merge_kept_id"), "lieu_merge", ["kept_id"])
    op.create_table(
        "two_places",
        sa.Column("id", number, nullable=False),
        sa.Column("first_id", number, nullable=False),
        sa.Column("second_id", number, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", number, nullable=True),
        to("two_places", "first_id", "network_lieu"),
        to("two_places", "second_id", "network_lieu"),
        to("two_places", "created_by_id", "person"),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_two_places_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_two_places")),
        sa.UniqueConstraint("first_id", "second_id", name=op.f("uq_two_places_first_id_second_id")),
    )


def downgrade() -> None:
    op.drop_table("two_places")
    op.drop_table("lieu_merge")
    with op.batch_alter_table("network_lieu") as batch:
        batch.drop_index(op.f("ix_network_lieu_merged_into_id"))
        batch.drop_constraint(op.f("fk_network_lieu_merged_into_id_network_lieu"), type_="foreignkey")
        batch.drop_column("merged_into_id")
