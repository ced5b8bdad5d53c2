"""The credit of a payer: money of theirs that no invoice has used yet. All amounts are integer cents."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from coworking.billing.models import ONE_PAYER
from coworking.billing.payer_credit_rules import GIVEN_BY, KINDS
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import ACCOUNTANT, CONTACT, MANAGER, SELF
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id


@sealed(MONEY)
class PayerCredit(Model):
    """One movement of a payer's credit on local date ``day``. Append-only; the database lets no sum fall below zero.

    ``kind``: ``received`` (what a bank transfer brought beyond the invoices it paid), ``used`` (``payment_id`` paid an
    invoice with it), ``given`` (back to the payer, by ``method``), ``undone`` (takes the movement ``reverses_id`` back).
    ``reason``: why it was given back, or where it came from.
    """

    __tablename__ = "payer_credit"
    __table_args__ = (
        CheckConstraint(ONE_PAYER, name="one_payer"),
        CheckConstraint(f"kind IN ({', '.join(map(repr, KINDS))})", name="kind"),
        CheckConstraint("cents <> 0", name="cents"),
        CheckConstraint("kind = 'undone' OR (cents > 0) = (kind = 'received')", name="sign"),
        CheckConstraint("(kind = 'used') = (payment_id IS NOT NULL)", name="used"),
        CheckConstraint("(kind = 'given') = (method IS NOT NULL)", name="given"),
        CheckConstraint(f"method IN ({', '.join(map(repr, GIVEN_BY))})", name="method"),
        CheckConstraint("(kind = 'undone') = (reverses_id IS NOT NULL)", name="undone"),
        Index("ix_payer_credit_payer_person_id", "payer_person_id", "id"),
        Index("ix_payer_credit_payer_organisation_id", "payer_organisation_id", "id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    cents: Mapped[int]
    day: Mapped[date]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), unique=True)
    method: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, CONTACT, ACCOUNTANT, MANAGER)})
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("payer_credit.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
