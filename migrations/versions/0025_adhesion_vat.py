"""how an adhesion is taxed

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("membership_settings") as batch_op:
        batch_op.add_column(sa.Column("adhesion_vat", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("adhesion_vat_rate_bp", sa.Integer(), nullable=True))
        batch_op.create_check_constraint(
            op.f("ck_membership_settings_adhesion_vat"), "adhesion_vat IN ('out_of_scope', 'exempt', 'taxable')"
        )
        batch_op.create_check_constraint(
            op.f("ck_membership_settings_adhesion_vat_rate"), "adhesion_vat_rate_bp BETWEEN 0 AND 10000"
        )
    with op.batch_alter_table("adhesion") as batch_op:
        batch_op.add_column(sa.Column("vat_rate_bp", sa.Integer(), nullable=True))
        batch_op.create_check_constraint(op.f("ck_adhesion_vat_rate"), "vat_rate_bp BETWEEN 0 AND 10000")


def downgrade() -> None:
    with op.batch_alter_table("adhesion") as batch_op:
        batch_op.drop_constraint(op.f("ck_adhesion_vat_rate"), type_="check")
        batch_op.drop_column("vat_rate_bp")
    with op.batch_alter_table("membership_settings") as batch_op:
        batch_op.drop_constraint(op.f("ck_membership_settings_adhesion_vat_rate"), type_="check")
        batch_op.drop_constraint(op.f("ck_membership_settings_adhesion_vat"), type_="check")
        batch_op.drop_column("adhesion_vat_rate_bp")
        batch_op.drop_column("adhesion_vat")
