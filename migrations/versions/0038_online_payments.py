"""payments through a gateway: what was asked for, its parts by invoice, its history, what was given back

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "state IN ('opening', 'open', 'pending', 'paid', 'failed', 'expired')"


def upgrade() -> None:
    op.create_table(
        "online_payment",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("payer_person_id", NUMBER, nullable=True),
        sa.Column("payer_organisation_id", NUMBER, nullable=True),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("means", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("checkout_id", sa.String(), nullable=True),
        sa.Column("checkout_url", sa.String(), nullable=True),
        sa.Column("foreign_id", sa.String(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name=op.f("ck_online_payment_one_payer")
        ),
        sa.CheckConstraint("cents > 0", name=op.f("ck_online_payment_cents")),
        sa.CheckConstraint(STATES, name=op.f("ck_online_payment_state")),
        sa.CheckConstraint("means IN ('card', 'debit')", name=op.f("ck_online_payment_means")),
        sa.CheckConstraint(
            "state IN ('opening', 'failed') OR checkout_id IS NOT NULL", name=op.f("ck_online_payment_opened")
        ),
        sa.ForeignKeyConstraint(
            ["payer_person_id"], ["person.id"], name=op.f("fk_online_payment_payer_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_online_payment_payer_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_online_payment_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_payment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_online_payment_public_id")),
        sa.UniqueConstraint("gateway", "checkout_id", name=op.f("uq_online_payment_gateway_checkout_id")),
        sa.UniqueConstraint("gateway", "foreign_id", name=op.f("uq_online_payment_gateway_foreign_id")),
    )
    op.create_index("ix_online_payment_payer_person_id", "online_payment", ["payer_person_id", "id"])
    op.create_index("ix_online_payment_payer_organisation_id", "online_payment", ["payer_organisation_id", "id"])
    op.create_index("ix_online_payment_state", "online_payment", ["state", "id"])
    op.create_table(
        "online_payment_part",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("online_payment_id", NUMBER, nullable=False),
        sa.Column("invoice_id", NUMBER, nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_online_payment_part_cents")),
        sa.ForeignKeyConstraint(
            ["online_payment_id"],
            ["online_payment.id"],
            name=op.f("fk_online_payment_part_online_payment_id_online_payment"),
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_online_payment_part_invoice_id_invoice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_payment_part")),
        sa.UniqueConstraint(
            "online_payment_id", "invoice_id", name=op.f("uq_online_payment_part_online_payment_id_invoice_id")
        ),
    )
    op.create_index("ix_online_payment_part_invoice_id", "online_payment_part", ["invoice_id"])
    op.create_table(
        "online_payment_step",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("online_payment_id", NUMBER, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("noted_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_online_payment_step_state")),
        sa.ForeignKeyConstraint(
            ["online_payment_id"],
            ["online_payment.id"],
            name=op.f("fk_online_payment_step_online_payment_id_online_payment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_payment_step")),
        sa.UniqueConstraint("online_payment_id", "state", name=op.f("uq_online_payment_step_online_payment_id_state")),
    )
    op.create_table(
        "online_refund",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("online_payment_id", NUMBER, nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("cents > 0", name=op.f("ck_online_refund_cents")),
        sa.CheckConstraint("method IN ('gateway', 'transfer', 'cash')", name=op.f("ck_online_refund_method")),
        sa.ForeignKeyConstraint(
            ["online_payment_id"], ["online_payment.id"], name=op.f("fk_online_refund_online_payment_id_online_payment")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_online_refund_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_refund")),
    )
    op.create_index("ix_online_refund_online_payment_id", "online_refund", ["online_payment_id"])
    with op.batch_alter_table("payment") as batch:
        batch.add_column(sa.Column("online_payment_id", NUMBER, nullable=True))
        batch.create_foreign_key(
            batch.f("fk_payment_online_payment_id_online_payment"), "online_payment", ["online_payment_id"], ["id"]
        )
        batch.create_unique_constraint(
            batch.f("uq_payment_online_payment_id_invoice_id"), ["online_payment_id", "invoice_id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("payment") as batch:
        batch.drop_constraint(batch.f("uq_payment_online_payment_id_invoice_id"), type_="unique")
        batch.drop_constraint(batch.f("fk_payment_online_payment_id_online_payment"), type_="foreignkey")
        batch.drop_column("online_payment_id")
    op.drop_table("online_refund")
    op.drop_table("online_payment_step")
    op.drop_table("online_payment_part")
    op.drop_table("online_payment")
