"""« Comme la semaine dernière »: half-days of several days at once, each a booking of its own.

What costs nothing and can be cancelled is booked at once. What costs money, or can hardly be cancelled, is said first,
all of it on one sheet with one sum, and booked when the person agrees to that sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.offers import Offer, desk_offer, is_late
from coworking.booking.rules import HALVES, AlreadyBooked, Half, InPast
from coworking.core.errors import DomainError
from coworking.core.policy import Actor
from coworking.membership.agreement_rules import AgreementExhausted
from coworking.membership.entitlement import PriceChanged


@dataclass(frozen=True, slots=True)
class Asked:
    """Half-days of one day that the person must agree to first, and what they would come to."""

    halves: frozenset[Half]
    offer: Offer


@dataclass(slots=True)
class Repeated:
    """What was ``made``, what is ``asked`` first, and what could not be and why."""

    made: list[Booking] = field(default_factory=list[Booking])
    asked: list[Asked] = field(default_factory=list[Asked])
    troubles: list[tuple[date, DomainError]] = field(default_factory=list[tuple[date, DomainError]])

    @property
    def booked(self) -> int:
        """How many half-days were booked."""
        return sum(len(booking.units) for booking in self.made)

    @property
    def halves_asked(self) -> int:
        return sum(len(asked.halves) for asked in self.asked)

    @property
    def cents(self) -> int:
        """What all that is asked would cost the person."""
        return sum(asked.offer.terms.cents for asked in self.asked)


def repeat(actor: Actor, wanted: Mapping[date, frozenset[Half]], *, agreed_cents: int | None = None) -> Repeated:
    """Book the half-days ``wanted``; what must be said first only when it comes to ``agreed_cents``."""
    done = Repeated()
    asked: dict[date, frozenset[Half]] = {}
    for day, halves in wanted.items():
        if left := _book_free(actor, day, halves, done):
            asked[day] = left
    for day, halves in asked.items():
        _ask(actor, day, halves, done)
    if done.asked and agreed_cents == done.cents:
        waiting, done.asked = done.asked, []
        for each in waiting:
            _book_agreed(actor, each, done)
    return done


def _book_free(actor: Actor, day: date, halves: frozenset[Half], done: Repeated) -> frozenset[Half]:
    """Book ``halves`` of ``day``, one desk for both, else one for each; return those that must be said first."""
    try:
        if is_late(day, halves):
            return halves
        made = services.book_half_days(actor, day, halves, agreed_cents=0)
    except (AlreadyBooked, InPast):
        return frozenset()  # nothing to do for that day
    except DomainError as error:
        if len(halves) > 1:  # perhaps the plan holds one of them, or no desk is free for both
            singly = (_book_free(actor, day, frozenset[Half]({half}), done) for half in HALVES if half in halves)
            return frozenset[Half]().union(*singly)
        if isinstance(error, (PriceChanged, AgreementExhausted)):
            return halves
        _trouble(done, day, error)
    else:
        done.made.append(made)
    return frozenset()


def _ask(actor: Actor, day: date, halves: frozenset[Half], done: Repeated) -> None:
    try:
        offer = desk_offer(actor, day, halves)
    except (AlreadyBooked, InPast):
        return
    except DomainError as error:
        if len(halves) > 1:
            for half in HALVES:
                if half in halves:
                    _ask(actor, day, frozenset[Half]({half}), done)
        else:
            _trouble(done, day, error)
        return
    asked = Asked(halves, offer)
    if offer.asks or offer.exhausted is not None:
        done.asked.append(asked)
    else:
        _book_agreed(actor, asked, done)


def _book_agreed(actor: Actor, asked: Asked, done: Repeated) -> None:
    terms = asked.offer.terms
    try:
        made = services.book_half_days(
            actor, asked.offer.day, asked.halves, payer=terms.payer, agreed_cents=terms.cents
        )
    except DomainError as error:
        _trouble(done, asked.offer.day, error)
    else:
        done.made.append(made)


def _trouble(done: Repeated, day: date, error: DomainError) -> None:
    """Once for a day, when both its halves say the same."""
    if not any(known == day and str(told) == str(error) for known, told in done.troubles):
        done.troubles.append((day, error))
