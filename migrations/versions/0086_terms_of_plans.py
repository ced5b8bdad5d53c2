"""room hours, roll-over, minimum term, trial, part of a month and reduced prices of plans

Revision ID: 0086
Revises: 0084
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0084"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROLLOVER = {
    "room_minutes": "room_minutes > 0",
    "rollover": "rollover_halfdays > 0 AND rollover_minutes > 0",
}
OFFERED = ROLLOVER | {
    "min_months": "min_months BETWEEN 2 AND 12",
    "trial": "trial_cents >= 0",
    "taken_by": "taken_by IN ('adherents', 'group', 'team')",
    "group": "(taken_by IS NOT NULL AND taken_by = 'group') = (group_id IS NOT NULL)",
}
HELD = ROLLOVER | {
    "bound_until": "bound_until >= first_month",
    "begins_on": "begins_on IS NULL OR (begins_on > first_month AND from_day IS NULL)",
    "first": "first_cents >= 0 AND first_halfdays > 0 AND first_room_minutes > 0",
    "first_part": "begins_on IS NOT NULL OR (first_halfdays IS NULL AND first_room_minutes IS NULL)",
    "reduced": "reduced_cents >= 0 AND reduced_cents < monthly_cents",
    "reduced_whole": "(reduced_cents IS NULL) = (price_group_id IS NULL)",
}
OF_PACKS = "(units IS NULL) = (pack_id IS NULL) AND units > 0"
OF_PLANS_TOO = "(units IS NOT NULL OR pack_id IS NULL) AND (units IS NULL OR agreement_id IS NULL) AND units > 0"


def upgrade() -> None:
    with op.batch_alter_table("plan") as batch:
        for name in ("room_minutes", "rollover_halfdays", "rollover_minutes", "min_months", "trial_cents"):
            batch.add_column(sa.Column(name, sa.Integer(), nullable=True))
        batch.add_column(sa.Column("is_prorata", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("taken_by", sa.String(), nullable=True))
        batch.add_column(sa.Column("group_id", NUMBER, nullable=True))
        batch.create_foreign_key(batch.f("fk_plan_group_id_price_group"), "price_group", ["group_id"], ["id"])
        for name, said in OFFERED.items():
            batch.create_check_constraint(batch.f(f"ck_plan_{name}"), said)
    with op.batch_alter_table("subscription") as batch:
        for name in ("room_minutes", "rollover_halfdays", "rollover_minutes"):
            batch.add_column(sa.Column(name, sa.Integer(), nullable=True))
        batch.add_column(sa.Column("bound_until", sa.Date(), nullable=True))
        for name in ("first_cents", "first_halfdays", "first_room_minutes"):
            batch.add_column(sa.Column(name, sa.Integer(), nullable=True))
        batch.add_column(sa.Column("begins_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("has_trial", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("reduced_cents", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("price_group_id", NUMBER, nullable=True))
        batch.create_foreign_key(
            batch.f("fk_subscription_price_group_id_price_group"), "price_group", ["price_group_id"], ["id"]
        )
        for name, said in HELD.items():
            batch.create_check_constraint(batch.f(f"ck_subscription_{name}"), said)
    with op.batch_alter_table("ledger_entry") as batch:
        batch.drop_constraint(batch.f("ck_ledger_entry_units"), type_="check")
        batch.create_check_constraint(batch.f("ck_ledger_entry_units"), OF_PLANS_TOO)


def downgrade() -> None:
    # The former version knows half-days of plans only. A room that a plan held stays free of charge; whoever has a plan
    # keeps its full monthly price.
    if op.get_context().dialect.name == "postgresql":  # the guards name columns that go, and refuse what follows
        for table, guard in (("ledger_entry", "ledger_entry_append_only"), ("quote", "quote_frozen")):
            op.execute(f"DROP TRIGGER IF EXISTS {guard} ON {table}")
    op.execute("DELETE FROM ledger_entry WHERE subscription_id IS NOT NULL AND units IS NOT NULL")
    op.execute(
        "UPDATE quote SET cover = 'free', subscription_id = NULL WHERE cover = 'subscription' AND unit = 'hour'"
    )
    with op.batch_alter_table("ledger_entry") as batch:
        batch.drop_constraint(batch.f("ck_ledger_entry_units"), type_="check")
        batch.create_check_constraint(batch.f("ck_ledger_entry_units"), OF_PACKS)
    with op.batch_alter_table("subscription") as batch:
        for name in HELD:
            batch.drop_constraint(batch.f(f"ck_subscription_{name}"), type_="check")
        batch.drop_constraint(batch.f("fk_subscription_price_group_id_price_group"), type_="foreignkey")
        for name in (
            "price_group_id",
            "reduced_cents",
            "has_trial",
            "begins_on",
            "first_room_minutes",
            "first_halfdays",
            "first_cents",
            "bound_until",
            "rollover_minutes",
            "rollover_halfdays",
            "room_minutes",
        ):
            batch.drop_column(name)
    with op.batch_alter_table("plan") as batch:
        for name in OFFERED:
            batch.drop_constraint(batch.f(f"ck_plan_{name}"), type_="check")
        batch.drop_constraint(batch.f("fk_plan_group_id_price_group"), type_="foreignkey")
        for name in (
            "group_id",
            "taken_by",
            "is_prorata",
            "trial_cents",
            "min_months",
            "rollover_minutes",
            "rollover_halfdays",
            "room_minutes",
        ):
            batch.drop_column(name)
