"""problems reported on desks and rooms

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "problem_report",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("resource_id", _BIG, nullable=False),
        sa.Column("person_id", _BIG, nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("resolved_by_id", _BIG, nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (resolved_by_id IS NULL)", name=op.f("ck_problem_report_resolved")
        ),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resource.id"], name=op.f("fk_problem_report_resource_id_resource")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_problem_report_person_id_person")),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["person.id"], name=op.f("fk_problem_report_resolved_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem_report")),
        sa.UniqueConstraint("public_id", name=op.f("uq_problem_report_public_id")),
    )
    op.create_index("ix_problem_report_resource_id", "problem_report", ["resource_id"])
    waiting = sa.text("resolved_at IS NULL")
    op.create_index(
        "ix_problem_report_person_id",
        "problem_report",
        ["person_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    op.drop_table("problem_report")
