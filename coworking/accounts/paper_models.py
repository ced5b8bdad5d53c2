"""Messages that are handed over on paper."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Person
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import HOST, MANAGER
from coworking.core.types import BigId, UTCDateTime, public_id


class PaperMessage(Model):
    """What an e-mail would have told ``person``, who has no address: written once, then handed over by ``handed_by``.

    ``about`` says which part of the lieu's life it is about; what is about money is for managers alone. ``invoice``: the
    public id of the invoice that goes with it. ``job``: the work that wrote it, which may run twice.
    """

    __tablename__ = "paper_message"
    __table_args__ = (
        CheckConstraint("about IN ('booking', 'membership', 'billing', 'account')", name="about"),
        CheckConstraint("(handed_at IS NULL) = (handed_by_id IS NULL)", name="handed"),
        Index("ix_paper_message_waiting", "handed_at", "person_id"),
        Index("ix_paper_message_person_id", "person_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    job: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    about: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str] = mapped_column(info={"seen_by": (HOST, MANAGER)})
    text: Mapped[str] = mapped_column(info={"seen_by": (HOST, MANAGER)})
    invoice: Mapped[str | None]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    handed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    handed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    handed_by: Mapped[Person | None] = relationship(foreign_keys=[handed_by_id])
