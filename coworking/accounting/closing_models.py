"""Closings of takings: each day, month and year, signed one behind the other."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.db import Model
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, BigInt, UTCDateTime, public_id


@sealed(MONEY)
class TakingsClosing(Model):
    """What was recorded in a local day, month or year (``kind``), and all closings of its kind together.

    It covers the entries ``first_entry`` to ``last_entry`` of the money chain: each entry of a kind in exactly one. The
    ``perpetual`` totals are those of the closing before and its own; a guard refuses any other, a gap and an overlap.
    ``payload``: its whole content as RFC 8785 text (`closing_rules.closing_content`); ``seq`` counts its kind from 1, and
    ``prev`` is the digest of the link before (`core.links`). Append-only.
    """

    __tablename__ = "closing"
    __table_args__ = (
        CheckConstraint("kind IN ('day', 'month', 'year')", name="kind"),
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("first_day <= last_day AND (kind <> 'day' OR first_day = last_day)", name="days"),
        CheckConstraint("starts_at < ends_at AND ends_at <= closed_at", name="over"),
        CheckConstraint("first_entry > 0 AND last_entry >= first_entry - 1", name="entries"),
        CheckConstraint("gross_cents >= 0 AND gross_cents >= sales_cents", name="gross"),
        UniqueConstraint("kind", "seq"),
        UniqueConstraint("kind", "first_day"),
        UniqueConstraint("kind", "prev"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    kind: Mapped[str]
    seq: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    first_entry: Mapped[int] = mapped_column(BigInt)
    last_entry: Mapped[int] = mapped_column(BigInt)
    sales_cents: Mapped[int] = mapped_column(BigInt)
    gross_cents: Mapped[int] = mapped_column(BigInt)
    vat_cents: Mapped[int] = mapped_column(BigInt)
    perpetual_sales_cents: Mapped[int] = mapped_column(BigInt)
    perpetual_gross_cents: Mapped[int] = mapped_column(BigInt)
    payload: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str]
    prev: Mapped[str]
    key_id: Mapped[str]
    signature: Mapped[str]
    closed_at: Mapped[datetime] = mapped_column(UTCDateTime)
