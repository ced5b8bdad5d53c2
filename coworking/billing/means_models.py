"""Means of payment that payers saved to be charged later, and what they were told before a debit."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.billing.models import ONE_PAYER
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import ACCOUNTANT, CONTACT, MANAGER, SELF
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id

_SHOWN = (SELF, CONTACT, ACCOUNTANT, MANAGER)
_ACTIVE = text("state = 'active'")


@sealed(MONEY)
class SavedMeans(Model):
    """A card or an account from which a payer lets the lieu collect what is due, and their consent to it.

    ``state``: ``asked`` while the payer is on the gateway's page, ``active``, then ``ended`` for good; a payer has at most
    one that is active. ``public_id`` is the key that the gateway got. ``agreed_to``: the words they agreed to,
    ``notice_days``: how long before a debit they are told. ``customer_id``, ``means_id``, ``mandate_id``, ``checkout_id``:
    the gateway's names; ``mandate`` is the reference on the payer's bank statement. ``forgotten_at``: the gateway cannot
    charge it any more either.
    """

    __tablename__ = "saved_means"
    __table_args__ = (
        CheckConstraint(ONE_PAYER, name="one_payer"),
        CheckConstraint("state IN ('asked', 'active', 'ended')", name="state"),
        CheckConstraint("kind IN ('card', 'debit')", name="kind"),
        CheckConstraint(
            "state <> 'active' OR (kind IS NOT NULL AND customer_id IS NOT NULL AND means_id IS NOT NULL)", name="saved"
        ),
        CheckConstraint("end_reason IN ('withdrawn', 'replaced', 'removed_there', 'not_finished')", name="end_reason"),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("notice_days BETWEEN 2 AND 14", name="notice_days"),
        UniqueConstraint("gateway", "checkout_id"),
        Index(
            "uq_saved_means_active_person",
            "payer_person_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        Index(
            "uq_saved_means_active_organisation",
            "payer_organisation_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        Index("ix_saved_means_payer_person_id", "payer_person_id", "id"),
        Index("ix_saved_means_payer_organisation_id", "payer_organisation_id", "id"),
        Index("ix_saved_means_means_id", "means_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    gateway: Mapped[str]
    is_live: Mapped[bool]
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[str] = mapped_column(default="asked")
    kind: Mapped[str | None]
    brand: Mapped[str | None] = mapped_column(info={"seen_by": _SHOWN})
    last4: Mapped[str | None] = mapped_column(info={"seen_by": _SHOWN})
    expires_on: Mapped[date | None]
    mandate: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, CONTACT)})
    customer_id: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    means_id: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    mandate_id: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    checkout_id: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    checkout_url: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    locale: Mapped[str]
    notice_days: Mapped[int]
    agreed_to: Mapped[str] = mapped_column(Text, info={"seen_by": (SELF, CONTACT)})
    agreed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    agreed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    end_reason: Mapped[str | None]
    forgotten_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    payer_person: Mapped[Person | None] = relationship(foreign_keys=[payer_person_id])
    payer_organisation: Mapped[Organisation | None] = relationship()
    agreed_by: Mapped[Person] = relationship(foreign_keys=[agreed_by_id])


@sealed(MONEY)
class DebitNotice(Model):
    """That a payer was told of a debit: how much will be taken from which account for which invoice, and when.

    Append-only. ``attempt`` counts from 1 for each invoice and account. A day that passed without the debit is announced
    anew.
    """

    __tablename__ = "debit_notice"
    __table_args__ = (
        UniqueConstraint("saved_means_id", "invoice_id", "attempt", "debited_on"),
        CheckConstraint("cents > 0", name="cents"),
        CheckConstraint("attempt > 0", name="attempt"),
        Index("ix_debit_notice_invoice_id", "invoice_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    saved_means_id: Mapped[int] = mapped_column(ForeignKey("saved_means.id"))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    attempt: Mapped[int]
    cents: Mapped[int]
    debited_on: Mapped[date]
    announced_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
