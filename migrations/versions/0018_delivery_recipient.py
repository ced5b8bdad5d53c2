"""to whom a revision was sent

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("recipient", sa.String(), nullable=True))
    link = sa.table("head_link", *(sa.column(name) for name in ("way", "head_id", "email", "enrolled_at")))
    delivery = sa.table(
        "delivery", *(sa.column(name) for name in ("month", "revision", "recipient", "state", "sent_at", "ack"))
    )
    head = op.get_bind().execute(sa.select(link)).first()
    for row in op.get_bind().execute(sa.select(delivery)).all():
        recipient = None
        if row.ack is not None:  # the head that signed the receipt
            claims = row.ack.split(".")[1]
            recipient = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"]
        elif head is not None and (row.sent_at is None or row.sent_at >= head.enrolled_at):
            recipient = head.head_id if head.way == "software" else f"mailto:{head.email}"
        op.execute(
            sa.update(delivery)
            .where(delivery.c.month == row.month, delivery.c.revision == row.revision)
            .values(recipient=recipient)
        )


def downgrade() -> None:
    op.drop_column("delivery", "recipient")
