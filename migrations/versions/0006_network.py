"""network

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("acknowledged_at", UTCDateTime(), nullable=True),
        sa.Column("ack", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state <> 'acknowledged' OR (ack IS NOT NULL AND acknowledged_at IS NOT NULL)", name=op.f("ck_delivery_ack")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'acknowledged', 'failed', 'mailed', 'replaced')", name=op.f("ck_delivery_state")
        ),
        sa.PrimaryKeyConstraint("month", "revision", name=op.f("pk_delivery")),
    )
    op.create_table(
        "head_link",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("head_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("enrolled_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(way = 'software' AND url IS NOT NULL AND head_id IS NOT NULL AND public_key IS NOT NULL) OR (way = 'mail' AND email IS NOT NULL)",
            name=op.f("ck_head_link_way"),
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_head_link_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_head_link")),
    )
    op.create_table(
        "network_lieu",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("lieu_uuid", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("siret", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("code_insee", sa.String(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("website", sa.String(), nullable=True),
        sa.Column("contact_email", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("way", sa.String(), nullable=True),
        sa.Column("public_key", sa.String(), nullable=True),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("enrolled_at", UTCDateTime(), nullable=True),
        sa.Column("expected_from", sa.Date(), nullable=True),
        sa.Column("left_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "source IN ('directory', 'enrolled', 'simulation', 'hand')", name=op.f("ck_network_lieu_source")
        ),
        sa.CheckConstraint("way IN ('software', 'link')", name=op.f("ck_network_lieu_way")),
        sa.CheckConstraint("(public_key IS NULL) = (key_id IS NULL)", name=op.f("ck_network_lieu_key")),
        sa.CheckConstraint("public_key IS NULL OR enrolled_at IS NOT NULL", name=op.f("ck_network_lieu_enrolled")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_lieu")),
        sa.UniqueConstraint("external_id", name=op.f("uq_network_lieu_external_id")),
        sa.UniqueConstraint("key_id", name=op.f("uq_network_lieu_key_id")),
        sa.UniqueConstraint("lieu_uuid", name=op.f("uq_network_lieu_lieu_uuid")),
        sa.UniqueConstraint("public_id", name=op.f("uq_network_lieu_public_id")),
    )
    op.create_table(
        "received_return",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("network_lieu_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("status IN ('provisional', 'final', 'restatement')", name=op.f("ck_received_return_status")),
        sa.CheckConstraint("way = 'link' OR jws IS NOT NULL", name=op.f("ck_received_return_signed")),
        sa.CheckConstraint("way IN ('software', 'link')", name=op.f("ck_received_return_way")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_received_return_revision")),
        sa.ForeignKeyConstraint(
            ["network_lieu_id"], ["network_lieu.id"], name=op.f("fk_received_return_network_lieu_id_network_lieu")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_return")),
        sa.UniqueConstraint(
            "network_lieu_id", "month", "revision", name=op.f("uq_received_return_network_lieu_id_month_revision")
        ),
    )
    op.create_index("ix_received_return_month", "received_return", ["month"], unique=False)
    op.create_table(
        "enrolment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("network_lieu_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("purpose IN ('join', 'figures')", name=op.f("ck_enrolment_purpose")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_enrolment_created_by_id_person")),
        sa.ForeignKeyConstraint(
            ["network_lieu_id"], ["network_lieu.id"], name=op.f("fk_enrolment_network_lieu_id_network_lieu")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("digest", name=op.f("uq_enrolment_digest")),
    )
    op.create_index(op.f("ix_enrolment_network_lieu_id"), "enrolment", ["network_lieu_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_enrolment_network_lieu_id"), table_name="enrolment")
    op.drop_table("enrolment")
    op.drop_index("ix_received_return_month", table_name="received_return")
    op.drop_table("received_return")
    op.drop_table("network_lieu")
    op.drop_table("head_link")
    op.drop_table("delivery")
