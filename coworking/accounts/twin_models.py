"""Records that look like one person and are two."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.types import UTCDateTime


class TwoPeople(Model):
    """A manager said that these records, the lower id first, are two people: they are not proposed again."""

    __tablename__ = "two_people"
    __table_args__ = (CheckConstraint("first_person_id < second_person_id", name="order"),)

    first_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    second_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    said_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    said_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
