"""files that are imported, and what became of their lines

Revision ID: 0063
Revises: 0066
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import BigInt, UTCDateTime

revision = "0063"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_file",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("columns", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("replaces", sa.Boolean(), nullable=False),
        sa.Column("doubts", sa.String(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("invited", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", BigInt, nullable=True),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("invited_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "subject IN ('people', 'organisations', 'subscriptions', 'bookings')", name=op.f("ck_import_file_subject")
        ),
        sa.CheckConstraint("state IN ('uploaded', 'running', 'stopped', 'done')", name=op.f("ck_import_file_state")),
        sa.CheckConstraint("doubts IN ('skip', 'same', 'new')", name=op.f("ck_import_file_doubts")),
        sa.CheckConstraint("done BETWEEN 0 AND lines", name=op.f("ck_import_file_done")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_import_file_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_file")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_file_public_id")),
        sa.UniqueConstraint("subject", "sha256", name=op.f("uq_import_file_subject_sha256")),
    )
    op.create_index("ix_import_file_created_at", "import_file", ["created_at"])
    op.create_table(
        "import_line",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("file_id", BigInt, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("person_id", BigInt, nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("params", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('added', 'changed', 'same', 'left_out')", name=op.f("ck_import_line_outcome")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["import_file.id"], name=op.f("fk_import_line_file_id_import_file")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_import_line_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_line")),
        sa.UniqueConstraint("file_id", "line", name=op.f("uq_import_line_file_id_line")),
    )
    op.create_index("ix_import_line_person_id", "import_line", ["person_id"])


def downgrade() -> None:
    op.drop_table("import_line")
    op.drop_table("import_file")
