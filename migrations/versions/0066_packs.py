"""packs of prepaid half-days and room hours, and what is held of them

Revision ID: 0066
Revises: 0062
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0066"
down_revision = "0062"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNIT = "unit IN ('half_day', 'hour')"
BASIS = "basis IN ('ttc', 'ht')"
RATE = "vat_rate_bp BETWEEN 0 AND 10000"
ONE_OF_TWO = "(subscription_id IS NULL) <> (agreement_id IS NULL)"
ONE_OF_THREE = (
    "(subscription_id IS NOT NULL AND agreement_id IS NULL AND pack_id IS NULL) "
    "OR (subscription_id IS NULL AND agreement_id IS NOT NULL AND pack_id IS NULL) "
    "OR (subscription_id IS NULL AND agreement_id IS NULL AND pack_id IS NOT NULL)"
)
SOURCES = "'adhesion', 'line', 'waiver', 'rebill', 'sale', 'discount')"


def _terms() -> list[sa.Column[object]]:
    return [
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
    ]


def _checks(table: str) -> list[sa.Constraint]:
    named = (("unit", UNIT), ("units", "units > 0"), ("cents", "cents >= 0"), ("basis", BASIS), ("vat_rate", RATE))
    return [
        *(sa.CheckConstraint(said, name=op.f(f"ck_{table}_{name}")) for name, said in named),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]


def upgrade() -> None:
    op.create_table(
        "pack_offer",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        *_terms(),
        sa.Column("valid_months", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("valid_months BETWEEN 1 AND 60", name=op.f("ck_pack_offer_valid_months")),
        *_checks("pack_offer"),
    )
    op.create_table(
        "pack",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("offer_id", NUMBER, nullable=False),
        *_terms(),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_pack_dates")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pack_person_id_person")),
        sa.ForeignKeyConstraint(["offer_id"], ["pack_offer.id"], name=op.f("fk_pack_offer_id_pack_offer")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_pack_created_by_id_person")),
        *_checks("pack"),
    )
    op.create_index("ix_pack_person_id_valid_until", "pack", ["person_id", "valid_until"])
    op.create_index("ix_pack_valid_until", "pack", ["valid_until"])
    with op.batch_alter_table("quote") as batch:
        batch.add_column(sa.Column("pack_id", NUMBER, nullable=True))
        batch.create_foreign_key(batch.f("fk_quote_pack_id_pack"), "pack", ["pack_id"], ["id"])
        for name in ("cover", "covered"):
            batch.drop_constraint(batch.f(f"ck_quote_{name}"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_quote_cover"), "cover IN ('tariff', 'subscription', 'pack', 'agreement', 'free')"
        )
        batch.create_check_constraint(
            batch.f("ck_quote_covered"), "cover NOT IN ('subscription', 'pack', 'free') OR amount_cents = 0"
        )
        batch.create_check_constraint(batch.f("ck_quote_pack"), "(cover = 'pack') = (pack_id IS NOT NULL)")
    with op.batch_alter_table("ledger_entry") as batch:
        batch.add_column(sa.Column("pack_id", NUMBER, nullable=True))
        batch.add_column(sa.Column("units", sa.Integer(), nullable=True))
        batch.create_foreign_key(batch.f("fk_ledger_entry_pack_id_pack"), "pack", ["pack_id"], ["id"])
        batch.drop_constraint(batch.f("ck_ledger_entry_one_allowance"), type_="check")
        batch.create_check_constraint(batch.f("ck_ledger_entry_one_allowance"), ONE_OF_THREE)
        batch.create_check_constraint(
            batch.f("ck_ledger_entry_units"), "(units IS NULL) = (pack_id IS NULL) AND units > 0"
        )
        batch.create_index("ix_ledger_entry_pack_id", ["pack_id"])
    _replace("sale", "subject_kind", "subject_kind IN ('booking', 'adhesion', 'subscription', 'pack')")
    _replace("charge", "source", f"source IN ('quote', 'subscription', 'pack', {SOURCES}")
    _replace("charge", "family", "family IN ('desk', 'room', 'subscription', 'pack', 'adhesion', 'other')")


def downgrade() -> None:
    # The former version knows no packs. What was booked on one stays free of charge; what was charged stays charged.
    if op.get_context().dialect.name == "postgresql":  # the guards name columns that go, and refuse what follows
        for table, guard in (
            ("ledger_entry", "pack_within"),
            ("ledger_entry", "ledger_entry_append_only"),
            ("quote", "quote_frozen"),
            ("sale", "sale_frozen"),
            ("charge", "charge_frozen"),
        ):
            op.execute(f"DROP TRIGGER IF EXISTS {guard} ON {table}")
        op.execute("DROP FUNCTION IF EXISTS pack_within()")
    op.execute("DELETE FROM ledger_entry WHERE pack_id IS NOT NULL")
    op.execute("DELETE FROM sale WHERE subject_kind = 'pack' AND state <> 'paid'")
    op.execute("UPDATE sale SET subject_kind = 'subscription' WHERE subject_kind = 'pack'")
    op.execute("UPDATE charge SET source = 'line', family = 'other' WHERE source = 'pack'")
    _replace("charge", "family", "family IN ('desk', 'room', 'subscription', 'adhesion', 'other')")
    _replace("charge", "source", f"source IN ('quote', 'subscription', {SOURCES}")
    _replace("sale", "subject_kind", "subject_kind IN ('booking', 'adhesion', 'subscription')")
    with op.batch_alter_table("ledger_entry") as batch:
        batch.drop_index("ix_ledger_entry_pack_id")
        batch.drop_constraint(batch.f("ck_ledger_entry_units"), type_="check")
        batch.drop_constraint(batch.f("ck_ledger_entry_one_allowance"), type_="check")
        batch.create_check_constraint(batch.f("ck_ledger_entry_one_allowance"), ONE_OF_TWO)
        batch.drop_constraint(batch.f("fk_ledger_entry_pack_id_pack"), type_="foreignkey")
        batch.drop_column("units")
        batch.drop_column("pack_id")
    with op.batch_alter_table("quote") as batch:
        for name in ("pack", "cover", "covered"):
            batch.drop_constraint(batch.f(f"ck_quote_{name}"), type_="check")
        batch.drop_constraint(batch.f("fk_quote_pack_id_pack"), type_="foreignkey")
        batch.drop_column("pack_id")
    op.execute("UPDATE quote SET cover = 'free' WHERE cover = 'pack'")
    with op.batch_alter_table("quote") as batch:
        batch.create_check_constraint(
            batch.f("ck_quote_cover"), "cover IN ('tariff', 'subscription', 'agreement', 'free')"
        )
        batch.create_check_constraint(
            batch.f("ck_quote_covered"), "cover NOT IN ('subscription', 'free') OR amount_cents = 0"
        )
    op.drop_table("pack")
    op.drop_table("pack_offer")


def _replace(table: str, name: str, said: str) -> None:
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(batch.f(f"ck_{table}_{name}"), type_="check")
        batch.create_check_constraint(batch.f(f"ck_{table}_{name}"), said)
