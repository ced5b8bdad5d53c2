"""A first half-day to try the lieu: who may have it, and what it costs. Plain decisions."""

from __future__ import annotations

from dataclasses import dataclass

from coworking.core.errors import N_, DomainError


class TrialTaken(DomainError):
    """Somebody with the same address booked theirs at the same moment."""

    code = "trial_taken"
    status = 409
    message = N_("The half-day to try has been had with this address already. Look at the price first.")


@dataclass(frozen=True, slots=True)
class TrialTerms:
    """A half-day that somebody may still have at ``cents``, in the basis of the day's tariff, instead of its price."""

    cents: int
