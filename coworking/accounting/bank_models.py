"""Bank statements, their lines, and what each line was for. All amounts are integer cents."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.billing.payout_models import OnlinePayout
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import ACCOUNTANT, MANAGER
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id

_BOOKS = {"seen_by": (ACCOUNTANT, MANAGER)}


@sealed(MONEY)
class BankStatement(Model):
    """A statement that was read: the digest of its file, its account, and how many lines came of it. Append-only.

    ``added``: lines that were new; ``known``: those an earlier statement had; ``pending``: those the bank had not booked.
    ``layout`` and ``columns``: how a CSV looked, and which column was what, to be proposed next time.
    """

    __tablename__ = "bank_statement"
    __table_args__ = (
        CheckConstraint("format IN ('camt', 'csv')", name="format"),
        Index("ix_bank_statement_layout", "layout", "id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    sha256: Mapped[str] = mapped_column(unique=True)
    format: Mapped[str]
    account: Mapped[str]
    added: Mapped[int]
    known: Mapped[int]
    pending: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    layout: Mapped[str | None]
    columns: Mapped[str | None]
    read_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    read_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


@sealed(MONEY)
class BankLine(Model):
    """One booked movement of the lieu's ``account``; above zero: money that came. Append-only.

    ``key`` knows it again in an overlapping statement (`statement_rules.keyed`). ``name`` and ``iban``: the other side's.
    """

    __tablename__ = "bank_line"
    __table_args__ = (
        UniqueConstraint("account", "key"),
        CheckConstraint("cents <> 0", name="cents"),
        Index("ix_bank_line_booked_on", "booked_on", "id"),
        Index("ix_bank_line_iban", "iban"),
        Index("ix_bank_line_statement_id", "statement_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"))
    account: Mapped[str]
    key: Mapped[str]
    booked_on: Mapped[date]
    cents: Mapped[int]
    text: Mapped[str] = mapped_column(info=_BOOKS)
    reference: Mapped[str | None] = mapped_column(info=_BOOKS)
    end_to_end: Mapped[str | None] = mapped_column(info=_BOOKS)
    servicer_ref: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    name: Mapped[str | None] = mapped_column(info=_BOOKS)
    iban: Mapped[str | None] = mapped_column(info=_BOOKS)
    is_reversal: Mapped[bool]

    @property
    def words(self) -> str:
        """Everything in it that may name an invoice."""
        return " ".join(part for part in (self.text, self.reference, self.end_to_end) if part)


@sealed(MONEY)
class BankMatch(Model):
    """What part of a line is for, as a person said. Append-only; the database lets no line be used up twice.

    ``kind``: ``payment`` (of an invoice), ``credit`` (of a payer), ``payout`` (of a payment provider; ``payout_id``: which,
    where the provider tells), ``other`` (nothing that was owed, with its ``reason``), ``undone`` (takes the match
    ``reverses_id`` of the last two kinds back). A payment or a credit that was taken back no longer counts, wherever that
    was done.
    """

    __tablename__ = "bank_match"
    __table_args__ = (
        CheckConstraint("kind IN ('payment', 'credit', 'payout', 'other', 'undone')", name="kind"),
        CheckConstraint("(cents < 0) = (kind = 'undone') AND cents <> 0", name="sign"),
        CheckConstraint("(kind = 'payment') = (payment_id IS NOT NULL)", name="payment"),
        CheckConstraint("(kind = 'credit') = (credit_id IS NOT NULL)", name="credit"),
        CheckConstraint("payout_id IS NULL OR kind = 'payout'", name="payout"),
        CheckConstraint("(kind = 'other') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("(kind = 'undone') = (reverses_id IS NOT NULL)", name="undone"),
        Index("ix_bank_match_line_id", "line_id"),
        Index("ix_bank_match_payout_id", "payout_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    line_id: Mapped[int] = mapped_column(ForeignKey("bank_line.id"))
    kind: Mapped[str]
    cents: Mapped[int]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), unique=True)
    credit_id: Mapped[int | None] = mapped_column(ForeignKey("payer_credit.id"), unique=True)
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("online_payout.id"))
    reason: Mapped[str | None] = mapped_column(info=_BOOKS)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("bank_match.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    line: Mapped[BankLine] = relationship()
    payout: Mapped[OnlinePayout | None] = relationship()


class BankUpload(Model):
    """A CSV file whose columns are still to be chosen. Deleted once it was read, or by the next one a day later."""

    __tablename__ = "bank_upload"

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    content: Mapped[bytes] = mapped_column(LargeBinary, info={"seen_by": (MANAGER,)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
