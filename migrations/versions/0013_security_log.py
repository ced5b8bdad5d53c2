"""the security log; people whom staff added may book before they confirm their address

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "security_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("occurred_at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_event")),
    )
    op.create_index(op.f("ix_security_event_occurred_at"), "security_event", ["occurred_at"], unique=False)
    op.add_column("person", sa.Column("vouched", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE person SET vouched = true WHERE id IN (SELECT person_id FROM audit_entry WHERE action = 'person.created')"
    )


def downgrade() -> None:
    with op.batch_alter_table("person") as batch:
        batch.drop_column("vouched")
    op.drop_index(op.f("ix_security_event_occurred_at"), table_name="security_event")
    op.drop_table("security_event")
