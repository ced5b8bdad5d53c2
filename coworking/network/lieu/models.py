"""At a lieu: the head it sends to (`HeadLink`), and the state of each revision sent there (`Delivery`)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import ACCOUNTANT, LEAD, MANAGER
from coworking.core.types import UTCDateTime


class HeadLink(Model):
    """The network head this lieu sends its returns to (a single row, id 1).

    ``way`` ``software``: signed, to ``url``; ``head_id`` and ``public_key`` (base64url of 32 raw bytes) are the head's,
    with which it acknowledges. ``mail``: an e-mail to ``email``. ``ended_at``: nothing is sent any more.
    """

    __tablename__ = "head_link"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint(
            "(way = 'software' AND url IS NOT NULL AND head_id IS NOT NULL AND public_key IS NOT NULL)"
            " OR (way = 'mail' AND email IS NOT NULL)",
            name="way",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    url: Mapped[str | None]
    head_id: Mapped[str | None]
    name: Mapped[str]
    public_key: Mapped[str | None]
    way: Mapped[str]
    email: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    enrolled_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def recipient(self) -> str:
        """What a `Delivery` names the head by: its id, or its address where it has none."""
        return self.head_id or f"mailto:{self.email}"


class Delivery(Model):
    """The state of one revision sent to the head.

    ``state``: ``waiting`` (not there yet; ``last_error`` says why after the first attempt), ``acknowledged`` (``ack`` is
    the head's signed answer), ``mailed``, ``failed`` (the head refuses it: a person must look) or ``replaced`` (a later
    revision goes instead). ``sent_at``: when it arrived, or the e-mail was sent. All of it is about ``recipient``
    (`HeadLink.recipient`): what one head received, another has not.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'acknowledged', 'failed', 'mailed', 'replaced')", name="state"),
        CheckConstraint("state <> 'acknowledged' OR (ack IS NOT NULL AND acknowledged_at IS NOT NULL)", name="ack"),
    )

    month: Mapped[date] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recipient: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    digest: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(info={"seen_by": (ACCOUNTANT, MANAGER, LEAD)})
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ack: Mapped[str | None] = mapped_column(Text)
