"""what a booking's person has been told of it

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime, public_id

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UNTOLD = sa.text("untold_since IS NOT NULL")
BEFORE = ("booking.confirmed", "booking.cancelled", "booking.displaced")

booking = sa.table(
    "booking",
    sa.column("id", sa.BigInteger),
    sa.column("public_id", sa.String),
    sa.column("person_id", sa.BigInteger),
    sa.column("starts_at", UTCDateTime()),
    sa.column("ends_at", UTCDateTime()),
    sa.column("status", sa.String),
    sa.column("cancelled_because", sa.String),
    sa.column("told", sa.JSON(none_as_null=True)),
    sa.column("untold_since", UTCDateTime()),
)
unit = sa.table(
    "booking_unit",
    sa.column("booking_id", sa.BigInteger),
    sa.column("resource_id", sa.BigInteger),
    sa.column("starts_at", UTCDateTime()),
)
resource = sa.table("resource", sa.column("id", sa.BigInteger), sa.column("name", sa.String))
person = sa.table("person", sa.column("id", sa.BigInteger), sa.column("public_id", sa.String))
outbox = sa.table(
    "outbox",
    sa.column("id", sa.BigInteger),
    sa.column("public_id", sa.String),
    sa.column("topic", sa.String),
    sa.column("key", sa.String),
    sa.column("payload", sa.JSON),
    sa.column("state", sa.String),
    sa.column("attempts", sa.Integer),
    sa.column("created_at", UTCDateTime()),
    sa.column("due_at", UTCDateTime()),
)


def upgrade() -> None:
    op.add_column("booking", sa.Column("told", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("booking", sa.Column("untold_since", UTCDateTime(), nullable=True))
    op.create_index(
        "ix_booking_untold",
        "booking",
        ["person_id", "untold_since"],
        unique=False,
        sqlite_where=UNTOLD,
        postgresql_where=UNTOLD,
    )
    _tell_what_stands(op.get_bind())


def _tell_what_stands(connection: sa.Connection) -> None:
    """Bookings of the last day and to come count as told, but for those whose e-mail waits or failed: it becomes news."""
    unsent = sa.select(outbox).where(outbox.c.topic.in_(BEFORE), outbox.c.state.in_(("waiting", "failed")))
    rows = list(connection.execute(unsent.order_by(outbox.c.id)))
    unsaid = {row.payload["booking"] for row in rows if row.topic == "booking.confirmed"}
    found = connection.execute(
        sa.select(
            booking.c.id, booking.c.public_id, booking.c.starts_at, booking.c.ends_at, resource.c.id, resource.c.name
        )
        .join(unit, unit.c.booking_id == booking.c.id)
        .join(resource, resource.c.id == unit.c.resource_id)
        .where(booking.c.ends_at > datetime.now(UTC) - timedelta(days=1))
        .order_by(booking.c.id, unit.c.starts_at, resource.c.id)
    )
    told: dict[int, dict[str, Any]] = {}
    for booking_id, public_id, starts_at, ends_at, resource_id, name in found:
        if public_id not in unsaid:
            place = told.setdefault(
                booking_id, {"places": {}, "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
            )
            place["places"][resource_id] = name
    for booking_id, place in told.items():
        names = place["places"]
        said = place | {"places": sorted(names), "what": ", ".join(names.values())}
        connection.execute(sa.update(booking).where(booking.c.id == booking_id).values(told=said))
    for row in rows:
        whose = connection.execute(
            sa.select(person.c.public_id)
            .join(booking, booking.c.person_id == person.c.id)
            .where(booking.c.public_id == row.payload["booking"])
        ).scalar_one_or_none()
        connection.execute(
            sa.update(booking).where(booking.c.public_id == row.payload["booking"]).values(untold_since=row.created_at)
        )
        connection.execute(
            sa.update(outbox).where(outbox.c.id == row.id).values(topic="booking.news", payload={"person": whose or ""})
        )


def downgrade() -> None:
    _tell_one_by_one(op.get_bind())
    op.drop_index("ix_booking_untold", table_name="booking")
    op.drop_column("booking", "untold_since")
    op.drop_column("booking", "told")


def _tell_one_by_one(connection: sa.Connection) -> None:
    """What was not told becomes one e-mail a booking again; what is no longer true of it, none."""
    untold = list(connection.execute(sa.select(booking).where(booking.c.untold_since.is_not(None))))
    for row in untold:
        payload: dict[str, Any] = {"booking": row.public_id}
        if row.status == "confirmed":
            topic = "booking.confirmed"
        elif row.told is None:
            continue
        elif row.cancelled_because in ("closed", "retired", "left"):
            topic, payload = "booking.displaced", payload | {"why": row.cancelled_because, "reason": None}
        else:
            topic = "booking.cancelled"
        connection.execute(
            sa.insert(outbox).values(
                public_id=public_id(),
                topic=topic,
                key=f"{topic.replace('.', '-')}:{row.public_id}:{int(row.untold_since.timestamp())}:again",
                payload=payload,
                state="waiting",
                attempts=0,
                created_at=row.untold_since,
                due_at=row.untold_since + timedelta(minutes=10),
            )
        )
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.topic == "booking.news", outbox.c.state.in_(("waiting", "failed")))
        .values(state="dropped")
    )
