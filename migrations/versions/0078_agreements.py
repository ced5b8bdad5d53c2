"""days a week, a cap, a share and rooms in agreements; the rest that a person pays of a shared unit

Revision ID: 0078
Revises: 0075
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0075"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COVERS = "cover IN ('tariff', 'subscription', 'pack', 'agreement', {share}'free')"
AGREED = {
    "days_per_week": "days_per_week BETWEEN 1 AND 6",
    "cap": "cap_cents > 0",
    "cap_of": "cap_of IN ('person', 'organisation')",
    "cap_whole": "(cap_cents IS NULL) = (cap_of IS NULL)",
    "share": "share_bp BETWEEN 1 AND 9999",
}


def upgrade() -> None:
    with op.batch_alter_table("agreement") as batch:
        batch.add_column(sa.Column("days_per_week", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("cap_cents", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("cap_of", sa.String(), nullable=True))
        batch.add_column(sa.Column("share_bp", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("pays_rooms", sa.Boolean(), nullable=True))
        for name, said in AGREED.items():
            batch.create_check_constraint(batch.f(f"ck_agreement_{name}"), said)
    with op.batch_alter_table("quote") as batch:
        batch.add_column(sa.Column("rest_id", NUMBER, nullable=True))
        batch.create_foreign_key(batch.f("fk_quote_rest_id_quote"), "quote", ["rest_id"], ["id"])
        batch.drop_constraint(batch.f("ck_quote_cover"), type_="check")
        batch.create_check_constraint(batch.f("ck_quote_cover"), COVERS.format(share="'share', "))
        batch.create_check_constraint(batch.f("ck_quote_rest"), "rest_id IS NULL OR cover = 'agreement'")
        batch.create_index("uq_quote_rest_id", ["rest_id"], unique=True)


def downgrade() -> None:
    # The former version knows one payer of a unit: what the person owed of one stays owed, as by the tariff.
    if op.get_context().dialect.name == "postgresql":  # the guards name columns that go, and refuse what follows
        for guard in ("quote_frozen", "quote_shared"):
            op.execute(f"DROP TRIGGER IF EXISTS {guard} ON quote")
        op.execute("DROP FUNCTION IF EXISTS quote_shared()")
        op.execute("DROP TRIGGER IF EXISTS agreement_raises_lieu ON agreement")
    with op.batch_alter_table("quote") as batch:
        batch.drop_index("uq_quote_rest_id")
        batch.drop_constraint(batch.f("ck_quote_rest"), type_="check")
        batch.drop_constraint(batch.f("ck_quote_cover"), type_="check")
        batch.drop_constraint(batch.f("fk_quote_rest_id_quote"), type_="foreignkey")
        batch.drop_column("rest_id")
    op.execute("UPDATE quote SET cover = 'tariff' WHERE cover = 'share'")
    with op.batch_alter_table("quote") as batch:
        batch.create_check_constraint(batch.f("ck_quote_cover"), COVERS.format(share=""))
    with op.batch_alter_table("agreement") as batch:
        for name in AGREED:
            batch.drop_constraint(batch.f(f"ck_agreement_{name}"), type_="check")
        for column in ("pays_rooms", "share_bp", "cap_of", "cap_cents", "days_per_week"):
            batch.drop_column(column)
