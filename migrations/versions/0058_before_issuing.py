"""discounts on charges, drafts that are held back, the SIRET of public bodies

Revision ID: 0058
Revises: 0049
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0058"
down_revision = "0049"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCES = "source IN ('quote', 'subscription', 'adhesion', 'line', 'waiver', 'rebill', 'sale'"


def upgrade() -> None:
    op.create_table(
        "draft_hold",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("payer_person_id", NUMBER, nullable=True),
        sa.Column("payer_organisation_id", NUMBER, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint(
            "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name=op.f("ck_draft_hold_one_payer")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_draft_hold_created_by_id_person")),
        sa.ForeignKeyConstraint(["payer_person_id"], ["person.id"], name=op.f("fk_draft_hold_payer_person_id_person")),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"], ["organisation.id"], name=op.f("fk_draft_hold_payer_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_hold")),
        sa.UniqueConstraint("payer_organisation_id", name=op.f("uq_draft_hold_payer_organisation_id")),
        sa.UniqueConstraint("payer_person_id", name=op.f("uq_draft_hold_payer_person_id")),
    )
    _replace_checks(f"{SOURCES}, 'discount')", "(amount_cents < 0) = (source IN ('waiver', 'discount'))")
    with op.batch_alter_table("organisation") as batch:
        batch.add_column(sa.Column("siret", sa.String(), nullable=True))
        batch.add_column(sa.Column("is_public", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("organisation") as batch:
        batch.alter_column("is_public", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("organisation") as batch:
        batch.drop_column("is_public")
        batch.drop_column("siret")
    # The former version knows no discounts: what is invoiced keeps its sum, what is not is charged in full again.
    op.execute("DELETE FROM charge WHERE source = 'discount' AND invoice_id IS NULL")
    op.execute("UPDATE charge SET source = 'waiver' WHERE source = 'discount'")
    _replace_checks(f"{SOURCES})", "(amount_cents < 0) = (source = 'waiver')")
    op.drop_table("draft_hold")


def _replace_checks(source: str, sign: str) -> None:
    with op.batch_alter_table("charge") as batch:
        batch.drop_constraint(op.f("ck_charge_source"), type_="check")
        batch.drop_constraint(op.f("ck_charge_sign"), type_="check")
        batch.create_check_constraint(op.f("ck_charge_source"), source)
        batch.create_check_constraint(op.f("ck_charge_sign"), sign)
