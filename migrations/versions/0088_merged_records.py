"""records of people that were merged into another one, or are said to be two people

Revision ID: 0088
Revises: 0089
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0088"
down_revision = "0089"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MERGED = (
    "merged_into_person_id IS NULL OR (merged_into_person_id <> id AND deactivated_at IS NOT NULL AND email IS NULL "
    "AND password_hash IS NULL)"
)


def upgrade() -> None:
    with op.batch_alter_table("person") as batch:
        batch.add_column(sa.Column("merged_into_person_id", NUMBER, nullable=True))
        batch.create_foreign_key(batch.f("fk_person_merged_into_person_id_person"), "person", ["merged_into_person_id"], ["id"])
        batch.create_check_constraint(batch.f("ck_person_merged"), MERGED)
        batch.create_index("ix_person_merged_into_person_id", ["merged_into_person_id"])
    op.create_table(
        "two_people",
        sa.Column("first_person_id", NUMBER, nullable=False),
        sa.Column("second_person_id", NUMBER, nullable=False),
        sa.Column("said_at", UTCDateTime(), nullable=False),
        sa.Column("said_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("first_person_id < second_person_id", name=op.f("ck_two_people_order")),
        sa.ForeignKeyConstraint(["first_person_id"], ["person.id"], name=op.f("fk_two_people_first_person_id_person")),
        sa.ForeignKeyConstraint(["second_person_id"], ["person.id"], name=op.f("fk_two_people_second_person_id_person")),
        sa.ForeignKeyConstraint(["said_by_id"], ["person.id"], name=op.f("fk_two_people_said_by_id_person")),
        sa.PrimaryKeyConstraint("first_person_id", "second_person_id", name=op.f("pk_two_people")),
    )


def downgrade() -> None:
    op.drop_table("two_people")
    with op.batch_alter_table("person") as batch:
        batch.drop_index("ix_person_merged_into_person_id")
        batch.drop_constraint(batch.f("ck_person_merged"), type_="check")
        batch.drop_constraint(batch.f("fk_person_merged_into_person_id_person"), type_="foreignkey")
        batch.drop_column("merged_into_person_id")
