"""invitations to belong to an organisation, and the domain whose people may join it by themselves

Revision ID: 0068
Revises: 0071
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import BigInt, UTCDateTime

revision = "0068"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organisation_invitation",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("organisation_id", BigInt, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("as_contact", sa.Boolean(), nullable=False),
        sa.Column("invited_by_id", BigInt, nullable=True),
        sa.Column("invited_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("accepted_at", UTCDateTime(), nullable=True),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.Column("person_id", BigInt, nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_organisation_invitation_email_lower")),
        sa.CheckConstraint(
            "(accepted_at IS NULL) = (person_id IS NULL)", name=op.f("ck_organisation_invitation_accepted")
        ),
        sa.CheckConstraint(
            "accepted_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_organisation_invitation_one_end")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_invitation_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["person.id"], name=op.f("fk_organisation_invitation_invited_by_id_person")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_organisation_invitation_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_invitation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organisation_invitation_public_id")),
    )
    op.create_index(
        "uq_organisation_invitation_open",
        "organisation_invitation",
        ["organisation_id", "email"],
        unique=True,
        sqlite_where=sa.text("accepted_at IS NULL AND withdrawn_at IS NULL"),
        postgresql_where=sa.text("accepted_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_index("ix_organisation_invitation_ends_at", "organisation_invitation", ["ends_at"])
    op.add_column("organisation", sa.Column("domain", sa.String(), nullable=True))
    op.create_index("uq_organisation_domain", "organisation", ["domain"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_organisation_domain", "organisation")
    op.drop_column("organisation", "domain")
    op.drop_table("organisation_invitation")
