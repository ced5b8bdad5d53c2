"""what a first half-day costs to try, and who has had theirs

Revision ID: 0083
Revises: 0080
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0083"
down_revision = "0080"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COVERS = "cover IN ('tariff', 'subscription', 'pack', 'agreement', 'share', {trial}'free')"


def upgrade() -> None:
    with op.batch_alter_table("membership_settings") as batch:
        batch.add_column(sa.Column("trial_cents", sa.Integer(), nullable=True))
        batch.create_check_constraint(batch.f("ck_membership_settings_trial"), "trial_cents >= 0")
    with op.batch_alter_table("quote") as batch:
        batch.drop_constraint(batch.f("ck_quote_cover"), type_="check")
        batch.create_check_constraint(batch.f("ck_quote_cover"), COVERS.format(trial="'trial', "))
        batch.create_check_constraint(batch.f("ck_quote_trial"), "cover <> 'trial' OR unit = 'half_day'")
    op.create_table(
        "trial",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("quote_id", NUMBER, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_trial_person_id_person")),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name=op.f("fk_trial_quote_id_quote")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial")),
        sa.UniqueConstraint("person_id", name=op.f("uq_trial_person_id")),
        sa.UniqueConstraint("address", name=op.f("uq_trial_address")),
        sa.UniqueConstraint("quote_id", name=op.f("uq_trial_quote_id")),
    )


def downgrade() -> None:
    # The former version knows no trial: what it cost is what a half-day costs, by the tariff.
    if op.get_context().dialect.name == "postgresql":  # the guards refuse what follows
        op.execute("DROP TRIGGER IF EXISTS quote_frozen ON quote")
        op.execute("DROP TRIGGER IF EXISTS quote_trial_once ON quote")
        op.execute("DROP FUNCTION IF EXISTS quote_trial_once()")
        op.execute("DROP TRIGGER IF EXISTS membership_settings_raises_lieu ON membership_settings")
    op.drop_table("trial")
    with op.batch_alter_table("quote") as batch:
        batch.drop_constraint(batch.f("ck_quote_trial"), type_="check")
        batch.drop_constraint(batch.f("ck_quote_cover"), type_="check")
    op.execute("UPDATE quote SET cover = 'tariff' WHERE cover = 'trial'")
    with op.batch_alter_table("quote") as batch:
        batch.create_check_constraint(batch.f("ck_quote_cover"), COVERS.format(trial=""))
    with op.batch_alter_table("membership_settings") as batch:
        batch.drop_constraint(batch.f("ck_membership_settings_trial"), type_="check")
        batch.drop_column("trial_cents")
