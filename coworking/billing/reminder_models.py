"""Reminders of what is owed: what the lieu chose, what was sent, what is not to be sent. Amounts are integer cents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.billing.models import ONE_PAYER, Invoice
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import ACCOUNTANT, MANAGER
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id

_BOOKS = (ACCOUNTANT, MANAGER)


@sealed(MONEY, said=True)
class ReminderSettings(Model):
    """What the lieu chose (a single row, id 1; none: it was never asked, and nothing leaves).

    ``steps``: what differs from the usual, by the step's number: ``days``, ``is_used``, ``subject_fr``, ``text_fr``,
    ``subject_en``, ``text_en``. ``ecb_rates``: rates of the European Central Bank that the lieu looked up, in basis
    points by the first day of the half-year. ``version`` counts the changes; ``is_on_since``: the local
    date on which it last said yes.
    """

    __tablename__ = "reminder_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("gap_days BETWEEN 1 AND 60", name="gap_days"),
        CheckConstraint("NOT is_on OR is_on_since IS NOT NULL", name="since"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    is_on: Mapped[bool]
    is_on_since: Mapped[date | None]
    gap_days: Mapped[int] = mapped_column(default=7)
    steps: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSON, default=dict)
    ecb_rates: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    version: Mapped[int] = mapped_column(default=1)


@sealed(MONEY)
class Reminder(Model):
    """One e-mail or letter to a payer about one or several invoices, with the words as they left. Append-only.

    ``step`` is the firmest of its lines and gave the words. A payer gets one a day at most: the database says so too.
    ``way`` ``post``: a manager printed it and sent it. ``created_by_id`` None: it left by itself.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        CheckConstraint(ONE_PAYER, name="one_payer"),
        CheckConstraint("step BETWEEN 1 AND 3", name="step"),
        CheckConstraint("way IN ('email', 'post')", name="way"),
        CheckConstraint("(way = 'email') = (email IS NOT NULL)", name="email"),
        CheckConstraint("locale IN ('fr', 'en')", name="locale"),
        UniqueConstraint("payer_person_id", "sent_on"),
        UniqueConstraint("payer_organisation_id", "sent_on"),
        Index("ix_reminder_sent_on", "sent_on", "id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    step: Mapped[int]
    way: Mapped[str]
    email: Mapped[str | None] = mapped_column(info={"seen_by": _BOOKS})
    locale: Mapped[str]
    subject: Mapped[str] = mapped_column(info={"seen_by": _BOOKS})
    text: Mapped[str] = mapped_column(Text, info={"seen_by": _BOOKS})
    sent_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    payer_person: Mapped[Person | None] = relationship(foreign_keys=[payer_person_id])
    payer_organisation: Mapped[Organisation | None] = relationship()
    lines: Mapped[list[ReminderLine]] = relationship(order_by="ReminderLine.invoice_id")
    outcome: Mapped[ReminderOutcome | None] = relationship()

    @property
    def payer(self) -> Person | Organisation:
        """Whom it reminded."""
        found = self.payer_organisation or self.payer_person
        assert found is not None, "exactly one pays"
        return found


@sealed(MONEY)
class ReminderLine(Model):
    """That a reminder took an invoice to ``step``, once. Append-only.

    ``owed_cents``: what was owed then. ``indemnity_cents`` and ``penalty_cents``: what was claimed besides; None: penalties
    were claimed without a figure.
    """

    __tablename__ = "reminder_line"
    __table_args__ = (
        UniqueConstraint("invoice_id", "step"),
        UniqueConstraint("reminder_id", "invoice_id"),
        CheckConstraint("step BETWEEN 1 AND 3", name="step"),
        CheckConstraint("owed_cents > 0", name="owed"),
        CheckConstraint("indemnity_cents >= 0 AND (penalty_cents IS NULL OR penalty_cents >= 0)", name="costs"),
    )

    id: Mapped[BigId]
    reminder_id: Mapped[int] = mapped_column(ForeignKey("reminder.id"))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    step: Mapped[int]
    owed_cents: Mapped[int]
    indemnity_cents: Mapped[int]
    penalty_cents: Mapped[int | None]

    invoice: Mapped[Invoice] = relationship()


@sealed(MONEY)
class ReminderOutcome(Model):
    """What became of a reminder that did not simply leave. Append-only.

    ``withheld``: it waited for the mail server, and something was paid, paused or disputed before it could leave.
    ``posted``: its e-mail did not get through, and a manager sent it by post.
    """

    __tablename__ = "reminder_outcome"
    __table_args__ = (CheckConstraint("kind IN ('withheld', 'posted')", name="kind"),)

    id: Mapped[BigId]
    reminder_id: Mapped[int] = mapped_column(ForeignKey("reminder.id"), unique=True)
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ReminderPause(Model):
    """No reminders of an invoice, or of a payer, and why.

    ``until``: they go on on that local date; None: once somebody ends it. ``step``: only this step of the invoice is left
    out.
    """

    __tablename__ = "reminder_pause"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN invoice_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN payer_person_id IS NULL THEN 0 ELSE 1 END) "
            "+ (CASE WHEN payer_organisation_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_subject",
        ),
        CheckConstraint("step IS NULL OR (step BETWEEN 1 AND 3 AND invoice_id IS NOT NULL)", name="step"),
        Index("ix_reminder_pause_invoice_id", "invoice_id"),
        Index("ix_reminder_pause_payer_person_id", "payer_person_id"),
        Index("ix_reminder_pause_payer_organisation_id", "payer_organisation_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"))
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    step: Mapped[int | None]
    until: Mapped[date | None]
    reason: Mapped[str | None] = mapped_column(info={"seen_by": _BOOKS})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    invoice: Mapped[Invoice | None] = relationship()
    payer_person: Mapped[Person | None] = relationship(foreign_keys=[payer_person_id])
    payer_organisation: Mapped[Organisation | None] = relationship()

    @property
    def payer(self) -> Person | Organisation:
        """Whose reminders it holds."""
        of = self if self.invoice is None else self.invoice
        found = of.payer_organisation or of.payer_person
        assert found is not None, "exactly one pays"
        return found
