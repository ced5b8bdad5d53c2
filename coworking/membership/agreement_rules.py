"""What an organisation agreed to pay for its people. Plain decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from coworking.core.errors import N_, DomainError
from coworking.membership.allowance_rules import PlannedUse, within

Beyond = Literal["refuse", "person"]
BEYOND: tuple[Beyond, ...] = ("refuse", "person")


class AgreementExhausted(DomainError):
    """The employer's half-days of the month are used up and its agreement ends there."""

    code = "agreement_exhausted"
    status = 422
    message = N_(
        "%(name)s pays for %(limit)s half-days a month and they are all taken. You can pay for this one yourself."
    )
    field = "payer"


class NoAgreement(DomainError):
    """Asked for the employer to pay where no agreement applies."""

    code = "no_agreement"
    status = 422
    message = N_("No employer pays for this. You can pay for it yourself.")
    field = "payer"


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """An agreement and the dates of one person's membership of its organisation."""

    id: int
    organisation_id: int
    name: str
    valid_from: date
    valid_until: date | None
    weekdays: int | None
    halfdays_per_month: int | None
    beyond: Beyond
    halfday_cents: int | None
    member_from: date
    member_until: date | None

    def applies(self, use: PlannedUse) -> bool:
        """Whether it pays for desks that day: agreed, a member, on an agreed weekday. The allowance is another matter."""
        return (
            use.half is not None
            and within(use.day, self.valid_from, self.valid_until)
            and within(use.day, self.member_from, self.member_until)
            and (self.weekdays is None or bool(self.weekdays >> use.day.weekday() & 1))
        )
