"""devices that are signed in; tokens with an end and the roles they were given with

Revision ID: 0011
Revises: 0010

Remember cookies of before end. Tokens go on for a year with the roles their owners have by now; those of closed or
unconfirmed accounts end.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from coworking.core.clock import now
from coworking.core.types import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("remembered", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("proved_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_device_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("digest", name=op.f("uq_device_digest")),
        sa.UniqueConstraint("public_id", name=op.f("uq_device_public_id")),
    )
    op.create_index("ix_device_person_id", "device", ["person_id", "ends_at"], unique=False)
    op.create_index(op.f("ix_device_ends_at"), "device", ["ends_at"], unique=False)
    with op.batch_alter_table("api_token") as batch:
        batch.add_column(sa.Column("roles", sa.String(), nullable=False, server_default="member"))
        batch.add_column(sa.Column("last_used_at", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("ends_at", UTCDateTime(), nullable=True))
    _carry_over()
    with op.batch_alter_table("api_token") as batch:
        batch.alter_column("roles", server_default=None)
        batch.alter_column("ends_at", existing_type=UTCDateTime(), nullable=False)


def _carry_over() -> None:
    token = sa.table(
        "api_token",
        sa.column("id", sa.BigInteger),
        sa.column("person_id", sa.BigInteger),
        sa.column("roles", sa.String),
        sa.column("ends_at", UTCDateTime()),
        sa.column("revoked_at", UTCDateTime()),
    )
    person = sa.table(
        "person",
        sa.column("id", sa.BigInteger),
        sa.column("email_confirmed_at", UTCDateTime()),
        sa.column("deactivated_at", UTCDateTime()),
    )
    role = sa.table("person_role", sa.column("person_id", sa.BigInteger), sa.column("role", sa.String))
    connection, instant = op.get_bind(), now()
    connection.execute(token.update().values(ends_at=instant + timedelta(days=365)))
    held: dict[int, set[str]] = {}
    for person_id, name in connection.execute(sa.select(role.c.person_id, role.c.role)):
        held.setdefault(person_id, {"member"}).add(name)
    for person_id, names in held.items():
        connection.execute(token.update().where(token.c.person_id == person_id).values(roles=" ".join(sorted(names))))
    without = sa.select(person.c.id).where(
        sa.or_(person.c.email_confirmed_at.is_(None), person.c.deactivated_at.is_not(None))
    )
    connection.execute(
        token.update().where(token.c.revoked_at.is_(None), token.c.person_id.in_(without)).values(revoked_at=instant)
    )


def downgrade() -> None:
    with op.batch_alter_table("api_token") as batch:
        batch.drop_column("ends_at")
        batch.drop_column("last_used_at")
        batch.drop_column("roles")
    op.drop_index(op.f("ix_device_ends_at"), table_name="device")
    op.drop_index("ix_device_person_id", table_name="device")
    op.drop_table("device")
