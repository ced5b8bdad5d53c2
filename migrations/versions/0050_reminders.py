"""reminders: what the lieu chose, what was sent, what is paused

Revision ID: 0050
Revises: 0052
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0050"
down_revision = "0052"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ONE_PAYER = "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)"
ONE_SUBJECT = (
    "(CASE WHEN invoice_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN payer_person_id IS NULL THEN 0 ELSE 1 END) "
    "+ (CASE WHEN payer_organisation_id IS NULL THEN 0 ELSE 1 END) = 1"
)


def _references(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))
        for column, other in columns
    ]


def upgrade() -> None:
    op.create_table(
        "reminder_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("is_on_since", sa.Date(), nullable=True),
        sa.Column("gap_days", sa.Integer(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("ecb_rates", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_reminder_settings_single")),
        sa.CheckConstraint("gap_days BETWEEN 1 AND 60", name=op.f("ck_reminder_settings_gap_days")),
        sa.CheckConstraint("NOT is_on OR is_on_since IS NOT NULL", name=op.f("ck_reminder_settings_since")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_settings")),
    )
    op.create_table(
        "reminder",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("payer_person_id", NUMBER, nullable=True),
        sa.Column("payer_organisation_id", NUMBER, nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(ONE_PAYER, name=op.f("ck_reminder_one_payer")),
        sa.CheckConstraint("step BETWEEN 1 AND 3", name=op.f("ck_reminder_step")),
        sa.CheckConstraint("way IN ('email', 'post')", name=op.f("ck_reminder_way")),
        sa.CheckConstraint("(way = 'email') = (email IS NOT NULL)", name=op.f("ck_reminder_email")),
        sa.CheckConstraint("locale IN ('fr', 'en')", name=op.f("ck_reminder_locale")),
        *_references(
            "reminder",
            ("payer_person_id", "person"),
            ("payer_organisation_id", "organisation"),
            ("created_by_id", "person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reminder_public_id")),
        sa.UniqueConstraint("payer_person_id", "sent_on", name=op.f("uq_reminder_payer_person_id_sent_on")),
        sa.UniqueConstraint("payer_organisation_id", "sent_on", name=op.f("uq_reminder_payer_organisation_id_sent_on")),
    )
    op.create_index("ix_reminder_sent_on", "reminder", ["sent_on", "id"])
    op.create_table(
        "reminder_line",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("reminder_id", NUMBER, nullable=False),
        sa.Column("invoice_id", NUMBER, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("owed_cents", sa.Integer(), nullable=False),
        sa.Column("indemnity_cents", sa.Integer(), nullable=False),
        sa.Column("penalty_cents", sa.Integer(), nullable=True),
        sa.CheckConstraint("step BETWEEN 1 AND 3", name=op.f("ck_reminder_line_step")),
        sa.CheckConstraint("owed_cents > 0", name=op.f("ck_reminder_line_owed")),
        sa.CheckConstraint(
            "indemnity_cents >= 0 AND (penalty_cents IS NULL OR penalty_cents >= 0)",
            name=op.f("ck_reminder_line_costs"),
        ),
        *_references("reminder_line", ("reminder_id", "reminder"), ("invoice_id", "invoice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_line")),
        sa.UniqueConstraint("invoice_id", "step", name=op.f("uq_reminder_line_invoice_id_step")),
        sa.UniqueConstraint("reminder_id", "invoice_id", name=op.f("uq_reminder_line_reminder_id_invoice_id")),
    )
    op.create_table(
        "reminder_outcome",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("reminder_id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("kind IN ('withheld', 'posted')", name=op.f("ck_reminder_outcome_kind")),
        *_references("reminder_outcome", ("reminder_id", "reminder"), ("created_by_id", "person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_outcome")),
        sa.UniqueConstraint("reminder_id", name=op.f("uq_reminder_outcome_reminder_id")),
    )
    op.create_table(
        "reminder_pause",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("invoice_id", NUMBER, nullable=True),
        sa.Column("payer_person_id", NUMBER, nullable=True),
        sa.Column("payer_organisation_id", NUMBER, nullable=True),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(ONE_SUBJECT, name=op.f("ck_reminder_pause_one_subject")),
        sa.CheckConstraint(
            "step IS NULL OR (step BETWEEN 1 AND 3 AND invoice_id IS NOT NULL)", name=op.f("ck_reminder_pause_step")
        ),
        *_references(
            "reminder_pause",
            ("invoice_id", "invoice"),
            ("payer_person_id", "person"),
            ("payer_organisation_id", "organisation"),
            ("created_by_id", "person"),
            ("ended_by_id", "person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_pause")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reminder_pause_public_id")),
    )
    for column in ("invoice_id", "payer_person_id", "payer_organisation_id"):
        op.create_index(f"ix_reminder_pause_{column}", "reminder_pause", [column])


def downgrade() -> None:
    for table in ("reminder_pause", "reminder_outcome", "reminder_line", "reminder", "reminder_settings"):
        op.drop_table(table)
