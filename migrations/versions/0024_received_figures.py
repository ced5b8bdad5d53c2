"""figures of received returns in columns beside the document

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

FIGURES = (
    "open_days",
    "desks_in_service",
    "desk_offered_halfdays",
    "desk_booked_halfdays",
    "desk_attended_halfdays",
    "desk_known_halfdays",
    "desk_absent_halfdays",
    "room_offered_minutes",
    "room_booked_minutes",
    "room_attended_minutes",
    "distinct_people",
    "workshop_participants",
)
BATCH = 200


def upgrade() -> None:
    op.add_column("received_return", sa.Column("lieu_uuid", sa.String(), nullable=True))
    op.add_column("received_return", sa.Column("chain_heads", sa.Text(), nullable=True))
    for name in FIGURES:
        op.add_column("received_return", sa.Column(name, sa.BigInteger(), nullable=True))
    _fill()
    op.create_index(
        "ix_received_return_booked",
        "received_return",
        ["month", "network_lieu_id", "revision", "desk_booked_halfdays", "desk_offered_halfdays"],
    )
    op.drop_index("ix_received_return_month", table_name="received_return")


def downgrade() -> None:
    op.create_index("ix_received_return_month", "received_return", ["month"])
    op.drop_index("ix_received_return_booked", table_name="received_return")
    for name in (*reversed(FIGURES), "chain_heads", "lieu_uuid"):
        op.drop_column("received_return", name)


def _fill() -> None:
    """Copy what each document says. One that cannot be read keeps empty columns, and the audit names it."""
    connection = op.get_bind()
    stays_as_it_came = connection.dialect.name == "postgresql"  # on SQLite the guards have stepped aside already
    if stays_as_it_came:
        op.execute("ALTER TABLE received_return DISABLE TRIGGER USER")
    told = ", ".join(f"{name} = :{name}" for name in ("lieu_uuid", "chain_heads", *FIGURES))
    write = sa.text(f"UPDATE received_return SET {told} WHERE id = :id")
    read = sa.text("SELECT id, document FROM received_return WHERE id > :last ORDER BY id LIMIT :most")
    last = 0
    while rows := connection.execute(read, {"last": last, "most": BATCH}).all():
        last = rows[-1].id
        connection.execute(write, [{"id": row.id, **_columns(row.document)} for row in rows])
    if stays_as_it_came:
        op.execute("ALTER TABLE received_return ENABLE TRIGGER USER")


def _columns(document: str) -> dict[str, Any]:
    said = json.loads(document)
    figures, heads = said.get("figures", {}), said.get("chain_heads")
    return {
        "lieu_uuid": said.get("lieu_id"),
        "chain_heads": None if heads is None else json.dumps(heads, sort_keys=True),
        **{name: figures.get(name) for name in FIGURES},
    }
