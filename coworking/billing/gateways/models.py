"""The keys of payment providers that a manager typed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.types import BigId, UTCDateTime


class GatewayKeys(Model):
    """The keys of one gateway, and what they opened when they were last tried.

    ``secrets``: JSON of the keys by name, encrypted (`core.secret_box`). ``label`` and ``is_live`` are None until a manager
    has tried these keys; ``looked_at`` is when.
    """

    __tablename__ = "gateway_account"
    __table_args__ = (CheckConstraint("gateway IN ('stripe', 'helloasso')", name="gateway"),)

    id: Mapped[BigId]
    gateway: Mapped[str] = mapped_column(unique=True)
    secrets: Mapped[str] = mapped_column(Text, info={"seen_by": ()})
    label: Mapped[str | None]
    is_live: Mapped[bool | None]
    looked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
