"""money: tariffs and quotes, plans and allowances, billing addresses

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "membership_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("adhesion_cents", sa.Integer(), nullable=True),
        sa.CheckConstraint("adhesion_cents >= 0", name=op.f("ck_membership_settings_cents")),
        sa.CheckConstraint("id = 1", name=op.f("ck_membership_settings_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_settings")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("monthly_cents", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("halfdays_per_month", sa.Integer(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("basis IN ('ttc', 'ht')", name=op.f("ck_plan_basis")),
        sa.CheckConstraint("halfdays_per_month > 0", name=op.f("ck_plan_halfdays")),
        sa.CheckConstraint("monthly_cents >= 0", name=op.f("ck_plan_cents")),
        sa.CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_plan_vat_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_public_id")),
    )
    op.create_table(
        "tariff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("basis IN ('ttc', 'ht')", name=op.f("ck_tariff_basis")),
        sa.CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_tariff_vat_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariff")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tariff_public_id")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_tariff_valid_from")),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("weekdays", sa.Integer(), nullable=True),
        sa.Column("halfdays_per_month", sa.Integer(), nullable=True),
        sa.Column("beyond", sa.String(), nullable=False),
        sa.Column("halfday_cents", sa.Integer(), nullable=True),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("beyond IN ('refuse', 'person')", name=op.f("ck_agreement_beyond")),
        sa.CheckConstraint("halfday_cents >= 0", name=op.f("ck_agreement_cents")),
        sa.CheckConstraint("halfdays_per_month > 0", name=op.f("ck_agreement_halfdays")),
        sa.CheckConstraint("valid_until IS NULL OR valid_from <= valid_until", name=op.f("ck_agreement_dates")),
        sa.CheckConstraint("weekdays BETWEEN 1 AND 127", name=op.f("ck_agreement_weekdays")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_agreement_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agreement_public_id")),
    )
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.create_index("ix_agreement_organisation_id", ["organisation_id"], unique=False)

    op.create_table(
        "adhesion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_adhesion_cents")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_adhesion_dates")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_adhesion_created_by_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_adhesion_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adhesion")),
        sa.UniqueConstraint("public_id", name=op.f("uq_adhesion_public_id")),
    )
    with op.batch_alter_table("adhesion", schema=None) as batch_op:
        batch_op.create_index("ix_adhesion_person_id_valid_until", ["person_id", "valid_until"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("last_month", sa.Date(), nullable=True),
        sa.Column("monthly_cents", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("halfdays_per_month", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("basis IN ('ttc', 'ht')", name=op.f("ck_subscription_basis")),
        sa.CheckConstraint("halfdays_per_month > 0", name=op.f("ck_subscription_halfdays")),
        sa.CheckConstraint("last_month IS NULL OR first_month <= last_month", name=op.f("ck_subscription_months")),
        sa.CheckConstraint("monthly_cents >= 0", name=op.f("ck_subscription_cents")),
        sa.CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_subscription_vat_rate")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_subscription_person_id_person")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_subscription_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscription_public_id")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index("ix_subscription_person_id", ["person_id"], unique=False)

    op.create_table(
        "tariff_price",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tariff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("resource_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'desk') = (unit = 'half_day')", name=op.f("ck_tariff_price_kind_unit")),
        sa.CheckConstraint("kind IN ('desk', 'room', 'office')", name=op.f("ck_tariff_price_kind")),
        sa.CheckConstraint("unit IN ('half_day', 'hour')", name=op.f("ck_tariff_price_unit")),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_tariff_price_cents")),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name=op.f("fk_tariff_price_resource_id_resource")),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff.id"], name=op.f("fk_tariff_price_tariff_id_tariff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariff_price")),
        sa.UniqueConstraint("tariff_id", "resource_id", name=op.f("uq_tariff_price_tariff_id_resource_id")),
    )
    with op.batch_alter_table("tariff_price", schema=None) as batch_op:
        batch_op.create_index(
            "uq_tariff_price_kind",
            ["tariff_id", "kind"],
            unique=True,
            sqlite_where=sa.text("resource_id IS NULL"),
            postgresql_where=sa.text("resource_id IS NULL"),
        )

    op.create_table(
        "quote",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("payer_person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("payer_organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cover", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("resource_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("half", sa.String(), nullable=True),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("unit_cents", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("released_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(cover = 'agreement') = (agreement_id IS NOT NULL)", name=op.f("ck_quote_agreement")),
        sa.CheckConstraint(
            "(cover = 'agreement') = (payer_organisation_id IS NOT NULL)", name=op.f("ck_quote_employer_pays")
        ),
        sa.CheckConstraint(
            "(cover = 'subscription') = (subscription_id IS NOT NULL)", name=op.f("ck_quote_subscription")
        ),
        sa.CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name=op.f("ck_quote_released")),
        sa.CheckConstraint("basis IN ('ttc', 'ht')", name=op.f("ck_quote_basis")),
        sa.CheckConstraint("cover IN ('tariff', 'subscription', 'agreement', 'free')", name=op.f("ck_quote_cover")),
        sa.CheckConstraint("cover NOT IN ('subscription', 'free') OR amount_cents = 0", name=op.f("ck_quote_covered")),
        sa.CheckConstraint("half IN ('am', 'pm')", name=op.f("ck_quote_half")),
        sa.CheckConstraint("state IN ('live', 'kept', 'released')", name=op.f("ck_quote_state")),
        sa.CheckConstraint("unit IN ('half_day', 'hour')", name=op.f("ck_quote_unit")),
        sa.CheckConstraint(
            "(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name=op.f("ck_quote_one_payer")
        ),
        sa.CheckConstraint("starts_at < ends_at AND minutes > 0", name=op.f("ck_quote_order")),
        sa.CheckConstraint("unit_cents >= 0 AND amount_cents >= 0", name=op.f("ck_quote_cents")),
        sa.CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_quote_vat_rate")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_quote_agreement_id_agreement")),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"], ["organisation.id"], name=op.f("fk_quote_payer_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["payer_person_id"], ["person.id"], name=op.f("fk_quote_payer_person_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_quote_person_id_person")),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name=op.f("fk_quote_resource_id_resource")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_quote_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
        sa.UniqueConstraint("public_id", name=op.f("uq_quote_public_id")),
    )
    with op.batch_alter_table("quote", schema=None) as batch_op:
        batch_op.create_index("ix_quote_day", ["day", "state"], unique=False)
        batch_op.create_index("ix_quote_payer_organisation_id_day", ["payer_organisation_id", "day"], unique=False)
        batch_op.create_index("ix_quote_person_id_day", ["person_id", "day"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscription_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('hold', 'consume', 'release')", name=op.f("ck_ledger_entry_kind")),
        sa.CheckConstraint(
            "(subscription_id IS NULL) <> (agreement_id IS NULL)", name=op.f("ck_ledger_entry_one_allowance")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_ledger_entry_agreement_id_agreement")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ledger_entry_person_id_person")),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name=op.f("fk_ledger_entry_quote_id_quote")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_ledger_entry_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("quote_id", "kind", name=op.f("uq_ledger_entry_quote_id_kind")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_person_id_month", ["person_id", "month"], unique=False)

    # Without a rebuild, hence inline on SQLite: a table rebuilt there would lose its CHECK constraints.
    op.add_column(
        "booking_unit",
        sa.Column(
            "quote_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("quote.id", name=op.f("fk_booking_unit_quote_id_quote")),
            nullable=True,
        ),
        inline_references=op.get_bind().dialect.name == "sqlite",
    )
    op.create_index("uq_booking_unit_quote_id", "booking_unit", ["quote_id"], unique=True)

    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("vat_number", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("email", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("address", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("postcode", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("city", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("service_code", sa.String(), nullable=True))

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("postcode", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("city", sa.String(), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("city")
        batch_op.drop_column("postcode")
        batch_op.drop_column("address")

    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_column("service_code")
        batch_op.drop_column("city")
        batch_op.drop_column("postcode")
        batch_op.drop_column("address")
        batch_op.drop_column("email")
        batch_op.drop_column("vat_number")

    op.drop_index("uq_booking_unit_quote_id", "booking_unit")
    op.drop_column("booking_unit", "quote_id")

    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_person_id_month")

    op.drop_table("ledger_entry")
    with op.batch_alter_table("quote", schema=None) as batch_op:
        batch_op.drop_index("ix_quote_person_id_day")
        batch_op.drop_index("ix_quote_payer_organisation_id_day")
        batch_op.drop_index("ix_quote_day")

    op.drop_table("quote")
    with op.batch_alter_table("tariff_price", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tariff_price_kind",
            sqlite_where=sa.text("resource_id IS NULL"),
            postgresql_where=sa.text("resource_id IS NULL"),
        )

    op.drop_table("tariff_price")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index("ix_subscription_person_id")

    op.drop_table("subscription")
    with op.batch_alter_table("adhesion", schema=None) as batch_op:
        batch_op.drop_index("ix_adhesion_person_id_valid_until")

    op.drop_table("adhesion")
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_index("ix_agreement_organisation_id")

    op.drop_table("agreement")
    op.drop_table("tariff")
    op.drop_table("plan")
    op.drop_table("membership_settings")
