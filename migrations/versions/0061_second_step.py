"""the second step of signing in: codes apps, recovery codes, whether the team must

Revision ID: 0061
Revises: 0060
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "authenticator",
        sa.Column("person_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("begun_at", UTCDateTime(), nullable=False),
        sa.Column("confirmed_at", UTCDateTime(), nullable=True),
        sa.Column("last_step", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_authenticator_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_authenticator")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_recovery_code_digest")),
    )
    op.create_index(op.f("ix_recovery_code_person_id"), "recovery_code", ["person_id"])
    op.create_table(
        "staff_access",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("second_step_from", UTCDateTime(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_staff_access_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_access")),
    )
    with op.batch_alter_table("device") as batch:
        batch.add_column(sa.Column("strong", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("device") as batch:
        batch.alter_column("strong", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("device") as batch:
        batch.drop_column("strong")
    op.drop_table("staff_access")
    op.drop_table("recovery_code")
    op.drop_table("authenticator")
