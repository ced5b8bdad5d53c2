"""cards and accounts that payers saved, what they were told before a debit, payments that are collected from them

Revision ID: 0046
Revises: 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0046"
down_revision = "0044"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTIVE = sa.text("state = 'active'")
TEXTS = ("kind", "brand", "last4", "mandate", "customer_id", "means_id", "mandate_id", "checkout_id", "checkout_url")


def upgrade() -> None:
    op.create_table(
        "saved_means",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("payer_person_id", NUMBER, nullable=True),
        sa.Column("payer_organisation_id", NUMBER, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in TEXTS),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("notice_days", sa.Integer(), nullable=False),
        sa.Column("agreed_to", sa.Text(), nullable=False),
        sa.Column("agreed_at", UTCDateTime(), nullable=False),
        sa.Column("agreed_by_id", NUMBER, nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by_id", NUMBER, nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("forgotten_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name=op.f("ck_saved_means_one_payer")
        ),
        sa.CheckConstraint("state IN ('asked', 'active', 'ended')", name=op.f("ck_saved_means_state")),
        sa.CheckConstraint("kind IN ('card', 'debit')", name=op.f("ck_saved_means_kind")),
        sa.CheckConstraint(
            "state <> 'active' OR (kind IS NOT NULL AND customer_id IS NOT NULL AND means_id IS NOT NULL)",
            name=op.f("ck_saved_means_saved"),
        ),
        sa.CheckConstraint(
            "end_reason IN ('withdrawn', 'replaced', 'removed_there', 'not_finished')",
            name=op.f("ck_saved_means_end_reason"),
        ),
        sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_saved_means_ended")),
        sa.CheckConstraint("notice_days BETWEEN 2 AND 14", name=op.f("ck_saved_means_notice_days")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_saved_means_{column}_{table}"))
            for column, table in (
                ("payer_person_id", "person"),
                ("payer_organisation_id", "organisation"),
                ("agreed_by_id", "person"),
                ("ended_by_id", "person"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_means")),
        sa.UniqueConstraint("public_id", name=op.f("uq_saved_means_public_id")),
        sa.UniqueConstraint("gateway", "checkout_id", name=op.f("uq_saved_means_gateway_checkout_id")),
    )
    for payer in ("person", "organisation"):
        op.create_index(
            f"uq_saved_means_active_{payer}",
            "saved_means",
            [f"payer_{payer}_id"],
            unique=True,
            sqlite_where=ACTIVE,
            postgresql_where=ACTIVE,
        )
        op.create_index(f"ix_saved_means_payer_{payer}_id", "saved_means", [f"payer_{payer}_id", "id"])
    op.create_index("ix_saved_means_means_id", "saved_means", ["means_id"])
    op.create_table(
        "debit_notice",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("saved_means_id", NUMBER, nullable=False),
        sa.Column("invoice_id", NUMBER, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("debited_on", sa.Date(), nullable=False),
        sa.Column("announced_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_debit_notice_cents")),
        sa.CheckConstraint("attempt > 0", name=op.f("ck_debit_notice_attempt")),
        sa.ForeignKeyConstraint(
            ["saved_means_id"], ["saved_means.id"], name=op.f("fk_debit_notice_saved_means_id_saved_means")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_debit_notice_invoice_id_invoice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debit_notice")),
        sa.UniqueConstraint("public_id", name=op.f("uq_debit_notice_public_id")),
        sa.UniqueConstraint(
            "saved_means_id",
            "invoice_id",
            "attempt",
            "debited_on",
            name=op.f("uq_debit_notice_saved_means_id_invoice_id_attempt_debited_on"),
        ),
    )
    op.create_index("ix_debit_notice_invoice_id", "debit_notice", ["invoice_id"])
    with op.batch_alter_table("online_payment") as batch:
        batch.add_column(sa.Column("saved_means_id", NUMBER, nullable=True))
        batch.create_foreign_key(
            batch.f("fk_online_payment_saved_means_id_saved_means"), "saved_means", ["saved_means_id"], ["id"]
        )
        batch.create_index("ix_online_payment_saved_means_id", ["saved_means_id"])
    with op.batch_alter_table("billing_settings") as batch:
        batch.add_column(sa.Column("debit_notice_days", sa.Integer(), nullable=True))
        batch.create_check_constraint(
            batch.f("ck_billing_settings_debit_notice_days"), "debit_notice_days BETWEEN 2 AND 14"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite's triggers stand aside by themselves
        op.execute("DROP TRIGGER IF EXISTS collection_agreed ON online_payment")
        op.execute("DROP FUNCTION IF EXISTS collection_agreed()")
    with op.batch_alter_table("billing_settings") as batch:
        batch.drop_constraint(batch.f("ck_billing_settings_debit_notice_days"), type_="check")
        batch.drop_column("debit_notice_days")
    with op.batch_alter_table("online_payment") as batch:
        batch.drop_index("ix_online_payment_saved_means_id")
        batch.drop_constraint(batch.f("fk_online_payment_saved_means_id_saved_means"), type_="foreignkey")
        batch.drop_column("saved_means_id")
    op.drop_table("debit_notice")
    op.drop_table("saved_means")
