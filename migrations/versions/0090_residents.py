"""desks and offices that are assigned to residents, and their charges

Revision ID: 0090
Revises: 0088
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0090"
down_revision = "0088"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "'quote', 'subscription', 'pack', 'adhesion', 'line', 'waiver', 'rebill', 'sale', 'discount'"
SINCE = "'quote', 'subscription', 'place', 'pack', 'adhesion', 'line', 'waiver', 'rebill', 'sale', 'discount'"


def upgrade() -> None:
    op.create_table(
        "residency",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", NUMBER, nullable=True),
        sa.Column("organisation_id", NUMBER, nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("monthly_cents", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("is_prorata", sa.Boolean(), nullable=False),
        sa.Column("bound_until", sa.Date(), nullable=True),
        sa.Column("notice_months", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(person_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_residency_one_resident")),
        sa.CheckConstraint("last_day IS NULL OR first_day <= last_day", name=op.f("ck_residency_days")),
        sa.CheckConstraint("monthly_cents >= 0", name=op.f("ck_residency_cents")),
        sa.CheckConstraint("basis IN ('ttc', 'ht')", name=op.f("ck_residency_basis")),
        sa.CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_residency_vat_rate")),
        sa.CheckConstraint("bound_until IS NULL OR bound_until >= first_day", name=op.f("ck_residency_bound_until")),
        sa.CheckConstraint("notice_months BETWEEN 0 AND 12", name=op.f("ck_residency_notice_months")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_residency_person_id_person")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_residency_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_residency_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_residency")),
        sa.UniqueConstraint("public_id", name=op.f("uq_residency_public_id")),
    )
    op.create_index("ix_residency_person_id", "residency", ["person_id"])
    op.create_index("ix_residency_organisation_id", "residency", ["organisation_id"])
    op.create_table(
        "resident_place",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("residency_id", NUMBER, nullable=False),
        sa.Column("resource_id", NUMBER, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.CheckConstraint("last_day IS NULL OR first_day <= last_day", name=op.f("ck_resident_place_days")),
        sa.ForeignKeyConstraint(
            ["residency_id"], ["residency.id"], name=op.f("fk_resident_place_residency_id_residency")
        ),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name=op.f("fk_resident_place_resource_id_resource")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_place")),
    )
    op.create_index("ix_resident_place_residency_id", "resident_place", ["residency_id"])
    op.create_index("ix_resident_place_resource_id", "resident_place", ["resource_id"])
    _replace_check(SINCE)


def downgrade() -> None:
    # The former version knows no residents. What was invoiced keeps its sum; what was not is charged no more, and their
    # places can be booked again.
    if op.get_context().dialect.name == "postgresql":  # this guard refuses what follows
        op.execute("DROP TRIGGER IF EXISTS charge_frozen ON charge")
    op.execute("DELETE FROM charge WHERE source = 'place' AND invoice_id IS NULL")
    op.execute("UPDATE charge SET source = 'line', source_id = -id WHERE source = 'place'")
    op.execute("DELETE FROM claim WHERE holder_kind = 'resident'")
    _replace_check(BEFORE)
    for name in ("resource_id", "residency_id"):
        op.drop_index(f"ix_resident_place_{name}", "resident_place")
    op.drop_table("resident_place")
    for name in ("organisation_id", "person_id"):
        op.drop_index(f"ix_residency_{name}", "residency")
    op.drop_table("residency")


def _replace_check(sources: str) -> None:
    with op.batch_alter_table("charge") as batch:
        batch.drop_constraint(op.f("ck_charge_source"), type_="check")
        batch.create_check_constraint(op.f("ck_charge_source"), f"source IN ({sources})")
