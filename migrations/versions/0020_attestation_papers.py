"""the PDFs of attestations, kept as they were first drawn

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attestation_paper",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attestation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("rendered_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attestation_id"], ["attestation.id"], name=op.f("fk_attestation_paper_attestation_id_attestation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestation_paper")),
        sa.UniqueConstraint("attestation_id", "locale", name=op.f("uq_attestation_paper_attestation_id_locale")),
    )


def downgrade() -> None:
    op.drop_table("attestation_paper")
