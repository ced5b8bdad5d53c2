"""status and commune of people, for the figures; accounts that were erased

Revision ID: 0069
Revises: 0067
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0069"
down_revision = "0067"
branch_labels = None
depends_on = None

STATUSES = "status IN ('employee', 'self_employed', 'jobseeker', 'student', 'association', 'other')"
ERASED = (
    "erased_at IS NULL OR (deactivated_at IS NOT NULL AND email IS NULL AND phone IS NULL AND password_hash IS NULL "
    "AND address IS NULL AND postcode IS NULL AND city IS NULL AND commune IS NULL AND staff_note IS NULL)"
)


def upgrade() -> None:
    with op.batch_alter_table("person") as batch:
        batch.add_column(sa.Column("status", sa.String(), nullable=True))
        batch.add_column(sa.Column("commune", sa.String(), nullable=True))
        batch.add_column(sa.Column("erased_at", UTCDateTime(), nullable=True))
        batch.create_check_constraint(batch.f("ck_person_status"), STATUSES)
        batch.create_check_constraint(batch.f("ck_person_erased"), ERASED)


def downgrade() -> None:
    with op.batch_alter_table("person") as batch:
        for name in ("erased", "status"):
            batch.drop_constraint(batch.f(f"ck_person_{name}"), type_="check")
        for name in ("erased_at", "commune", "status"):
            batch.drop_column(name)
