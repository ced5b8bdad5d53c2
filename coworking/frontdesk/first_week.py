"""A new member's first week: what to do, what one needs at the door, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coworking.accounts.models import Person
from coworking.core.policy import Actor
from coworking.membership import trials
from coworking.membership.entitlement_queries import Remaining
from coworking.membership.trial_rules import TrialTerms
from coworking.pricing.queries import prices_on
from coworking.pricing.rules import Prices
from coworking.spaces.models import DESK, Lieu

LASTS = timedelta(days=7)
CLOSED = "first_week_closed"
"""The cookie of a browser in which the card was closed; it lasts as long as the card would."""


@dataclass(frozen=True, slots=True)
class FirstWeek:
    """What the card says. ``trial``: their first half-day, while they may have it; ``is_covered``: something else than
    money pays for what they book first; ``by_e_mail``: the way in and the Wi-Fi are told about a booking by e-mail."""

    first_name: str
    prices: Prices
    trial: TrialTerms | None
    is_covered: bool
    by_e_mail: bool

    @property
    def desk_cents(self) -> int:
        """What everyone pays for half a day at a desk."""
        return self.prices.by_kind.get(DESK, 0)

    @property
    def day_cents(self) -> int | None:
        """What everyone pays for a whole day at a desk, where that is less than twice the half-day."""
        return self.prices.day_by_kind.get(DESK)


def first_week(
    actor: Actor, person: Person, lieu: Lieu, left: Sequence[Remaining], today: date, instant: datetime
) -> FirstWeek | None:
    """The card for ``person``, for seven days from when they came; None afterwards and for the team. ``left``: what their
    plan, packs and employer hold (no statement but for a lieu that offers a half-day to try)."""
    if actor.is_staff or instant >= person.created_at + LASTS:
        return None
    return FirstWeek(
        first_name=person.first_name,
        prices=prices_on(today),
        trial=trials.trial_of(person.id),
        is_covered=any(one.left != 0 for one in left),
        by_e_mail=bool(person.email and (lieu.arrival_door or lieu.arrival_wifi)),
    )
