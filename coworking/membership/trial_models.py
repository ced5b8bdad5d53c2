"""Who has had their first half-day to try."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.types import BigId, UTCDateTime


class Trial(Model):
    """``person`` has a half-day to try, booked or used: one for each of them, and one for each mailbox.

    ``address``: what all spellings of the mailbox have in common (`core.folding.address_key`); None once its person was
    erased. The row goes with its quote's release, so that who cancels in time may still try.
    """

    __tablename__ = "trial"

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    address: Mapped[str | None] = mapped_column(unique=True, info={"seen_by": ()})
    quote_id: Mapped[int] = mapped_column(ForeignKey("quote.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
