"""sales: what must be paid before it counts

Revision ID: 0044
Revises: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0044"
down_revision = "0041"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CAUSES = "cancelled_because IN ('asked', 'mistake', 'closed', 'retired', 'left'{more})"
_WHO = "{column} IN ('nobody', 'no_plan', 'everyone')"


def upgrade() -> None:
    op.create_table(
        "sale",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", _BIG, nullable=False),
        sa.Column("payer_person_id", _BIG, nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("made_id", _BIG, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", _BIG, nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "subject_kind IN ('booking', 'adhesion', 'subscription')", name=op.f("ck_sale_subject_kind")
        ),
        sa.CheckConstraint("state IN ('open', 'paid', 'expired', 'refunded')", name=op.f("ck_sale_state")),
        sa.CheckConstraint("cents > 0", name=op.f("ck_sale_cents")),
        sa.CheckConstraint("created_at < expires_at", name=op.f("ck_sale_order")),
        sa.CheckConstraint("state <> 'paid' OR made_id IS NOT NULL", name=op.f("ck_sale_made")),
        sa.ForeignKeyConstraint(["payer_person_id"], ["person.id"], name=op.f("fk_sale_payer_person_id_person")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_sale_created_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sale_public_id")),
    )
    op.create_index("ix_sale_subject", "sale", ["subject_kind", "subject_id"])
    op.create_index("ix_sale_made", "sale", ["subject_kind", "made_id"])
    op.create_index("ix_sale_payer_person_id", "sale", ["payer_person_id"])
    with op.batch_alter_table("booking") as batch:
        batch.add_column(sa.Column("held_until", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("sale_id", _BIG, nullable=True))
        batch.create_foreign_key(batch.f("fk_booking_sale_id_sale"), "sale", ["sale_id"], ["id"])
        batch.drop_constraint(batch.f("ck_booking_status"), type_="check")
        batch.create_check_constraint(batch.f("ck_booking_status"), "status IN ('held', 'confirmed', 'cancelled')")
        batch.create_check_constraint(batch.f("ck_booking_held"), "(status = 'held') = (held_until IS NOT NULL)")
        batch.drop_constraint(batch.f("ck_booking_cancelled_because"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_booking_cancelled_because"), _CAUSES.format(more=", 'unpaid'")
        )
    with op.batch_alter_table("online_payment") as batch:
        batch.add_column(sa.Column("sale_id", _BIG, nullable=True))
        batch.create_foreign_key(batch.f("fk_online_payment_sale_id_sale"), "sale", ["sale_id"], ["id"])
        batch.create_index("ix_online_payment_sale_id", ["sale_id"])
    with op.batch_alter_table("lieu") as batch:
        for column in ("pay_first_desks", "pay_first_rooms"):
            batch.add_column(sa.Column(column, sa.String(), nullable=False, server_default="nobody"))
            batch.create_check_constraint(batch.f(f"ck_lieu_{column}"), _WHO.format(column=column))
        batch.add_column(sa.Column("pay_first_membership", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("lieu") as batch:
        for column in ("pay_first_desks", "pay_first_rooms", "pay_first_membership"):
            batch.alter_column(column, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("lieu") as batch:
        batch.drop_column("pay_first_membership")
        for column in ("pay_first_rooms", "pay_first_desks"):
            batch.drop_constraint(batch.f(f"ck_lieu_{column}"), type_="check")
            batch.drop_column(column)
    with op.batch_alter_table("online_payment") as batch:
        batch.drop_index("ix_online_payment_sale_id")
        batch.drop_constraint(batch.f("fk_online_payment_sale_id_sale"), type_="foreignkey")
        batch.drop_column("sale_id")
    # What is not paid yet is let go: the former version knows no bookings that do not count.
    op.execute(
        "UPDATE claim SET live = false, released_at = created_at WHERE live AND holder_kind = 'booking' "
        "AND holder_id IN (SELECT id FROM booking WHERE status = 'held')"
    )
    op.execute(
        "UPDATE quote SET state = 'released', released_at = created_at WHERE state = 'live' AND id IN (SELECT quote_id "
        "FROM booking_unit JOIN booking ON booking.id = booking_unit.booking_id WHERE booking.status = 'held')"
    )
    op.execute(
        "UPDATE booking SET status = 'cancelled', cancelled_at = created_at, held_until = NULL WHERE status = 'held'"
    )
    op.execute("UPDATE booking SET cancelled_because = NULL WHERE cancelled_because = 'unpaid'")
    with op.batch_alter_table("booking") as batch:
        batch.drop_constraint(batch.f("ck_booking_cancelled_because"), type_="check")
        batch.create_check_constraint(batch.f("ck_booking_cancelled_because"), _CAUSES.format(more=""))
        batch.drop_constraint(batch.f("ck_booking_held"), type_="check")
        batch.drop_constraint(batch.f("ck_booking_status"), type_="check")
        batch.create_check_constraint(batch.f("ck_booking_status"), "status IN ('confirmed', 'cancelled')")
        batch.drop_constraint(batch.f("fk_booking_sale_id_sale"), type_="foreignkey")
        batch.drop_column("sale_id")
        batch.drop_column("held_until")
    op.drop_table("sale")
