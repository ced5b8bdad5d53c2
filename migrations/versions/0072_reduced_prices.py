"""groups of people who pay less, what they get, who belongs to them, and whose reduced price a quote is

Revision ID: 0072
Revises: 0068
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0072"
down_revision = "0068"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> list[sa.Column[object]]:
    return [sa.Column("id", NUMBER, nullable=False)]


def _keys(table: str, **foreign: str) -> list[sa.Constraint]:
    """The primary key of ``table``, and its foreign keys: column → table."""
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))
            for column, other in foreign.items()
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "price_group",
        *_id(),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("archived_at", UTCDateTime(), nullable=True),
        sa.UniqueConstraint("public_id", name=op.f("uq_price_group_public_id")),
        *_keys("price_group"),
    )
    op.create_table(
        "group_tariff",
        *_id(),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("group_id", NUMBER, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.UniqueConstraint("public_id", name=op.f("uq_group_tariff_public_id")),
        sa.UniqueConstraint("group_id", "valid_from", name=op.f("uq_group_tariff_group_id_valid_from")),
        *_keys("group_tariff", group_id="price_group"),
    )
    op.create_table(
        "group_price",
        *_id(),
        sa.Column("tariff_id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("of_id", NUMBER, nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=True),
        sa.Column("cents", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('desk', 'room', 'office', 'adhesion', 'plan', 'pack')", name=op.f("ck_group_price_kind")
        ),
        sa.CheckConstraint("(percent_bp IS NULL) <> (cents IS NULL)", name=op.f("ck_group_price_one_reduction")),
        sa.CheckConstraint("percent_bp BETWEEN 1 AND 10000", name=op.f("ck_group_price_percent")),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_group_price_cents")),
        sa.CheckConstraint("of_id = 0 OR kind IN ('plan', 'pack')", name=op.f("ck_group_price_of_id")),
        sa.CheckConstraint(
            "cents IS NULL OR of_id > 0 OR kind NOT IN ('plan', 'pack')", name=op.f("ck_group_price_price_of_one")
        ),
        sa.UniqueConstraint("tariff_id", "kind", "of_id", name=op.f("uq_group_price_tariff_id_kind_of_id")),
        *_keys("group_price", tariff_id="group_tariff"),
    )
    op.create_table(
        "price_group_member",
        *_id(),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("group_id", NUMBER, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("seen_by_id", NUMBER, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_price_group_member_dates")),
        sa.CheckConstraint("ended_on < valid_until", name=op.f("ck_price_group_member_ended")),
        sa.UniqueConstraint("public_id", name=op.f("uq_price_group_member_public_id")),
        *_keys(
            "price_group_member", person_id="person", group_id="price_group", seen_by_id="person", ended_by_id="person"
        ),
    )
    op.create_index("ix_price_group_member_person_id", "price_group_member", ["person_id", "valid_until"])
    with op.batch_alter_table("quote") as batch:
        batch.add_column(sa.Column("price_group_id", NUMBER, nullable=True))
        batch.create_foreign_key(
            batch.f("fk_quote_price_group_id_price_group"), "price_group", ["price_group_id"], ["id"]
        )
        batch.create_check_constraint(
            batch.f("ck_quote_reduced"),
            "price_group_id IS NULL OR (cover IN ('tariff', 'free') AND payer_person_id IS NOT NULL)",
        )


def downgrade() -> None:
    # The former version keeps the price that was agreed; only the reason goes.
    with op.batch_alter_table("quote") as batch:
        batch.drop_constraint(batch.f("ck_quote_reduced"), type_="check")
        batch.drop_constraint(batch.f("fk_quote_price_group_id_price_group"), type_="foreignkey")
        batch.drop_column("price_group_id")
    op.drop_table("price_group_member")
    op.drop_table("group_price")
    op.drop_table("group_tariff")
    op.drop_table("price_group")
