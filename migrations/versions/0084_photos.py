"""photos of the public page, and where the lieu stands on a map

Revision ID: 0084
Revises: 0081
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0084"
down_revision = "0081"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SPOT = {
    "latitude": "latitude_e6 BETWEEN -90000000 AND 90000000",
    "longitude": "longitude_e6 BETWEEN -180000000 AND 180000000",
    "spot": "(latitude_e6 IS NULL) = (longitude_e6 IS NULL)",
}


def upgrade() -> None:
    op.create_table(
        "lieu_photo",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("alt", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("slot BETWEEN 1 AND 6", name=op.f("ck_lieu_photo_slot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lieu_photo")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lieu_photo_public_id")),
        sa.UniqueConstraint("slot", name=op.f("uq_lieu_photo_slot")),
    )
    op.create_table(
        "lieu_photo_file",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("photo_id", NUMBER, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_lieu_photo_file_size")),
        sa.ForeignKeyConstraint(["photo_id"], ["lieu_photo.id"], name=op.f("fk_lieu_photo_file_photo_id_lieu_photo")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lieu_photo_file")),
        sa.UniqueConstraint("photo_id", "width", name=op.f("uq_lieu_photo_file_photo_id_width")),
    )
    with op.batch_alter_table("lieu") as batch:
        batch.add_column(sa.Column("latitude_e6", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("longitude_e6", sa.Integer(), nullable=True))
        for name, said in SPOT.items():
            batch.create_check_constraint(batch.f(f"ck_lieu_{name}"), said)


def downgrade() -> None:
    # The former version shows no photos: they go, and the manager has the files they came from.
    with op.batch_alter_table("lieu") as batch:
        for name in SPOT:
            batch.drop_constraint(batch.f(f"ck_lieu_{name}"), type_="check")
        batch.drop_column("longitude_e6")
        batch.drop_column("latitude_e6")
    op.drop_table("lieu_photo_file")
    op.drop_table("lieu_photo")
