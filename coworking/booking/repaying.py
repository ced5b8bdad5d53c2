"""Another payer for what is booked: the person instead of their employer, or the employer instead of the person."""

from __future__ import annotations

from dataclasses import dataclass

from coworking.booking import day_rates
from coworking.booking.access import own_booking, record_change, sees_price
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.moving import Agreed, check_movable, moves_late
from coworking.booking.offers import PayerTerms, terms_of
from coworking.booking.paying_first import must_be_paid
from coworking.booking.placing import uses_of
from coworking.booking.queries import quotes_of
from coworking.booking.rules import CheaperLatePayer, PaidAhead, PaidFirstHere
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.units import write_unit
from coworking.membership import coverage
from coworking.membership.entitlement import Decision, Owed, Payer, check_agreed, owed
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PayerOffer:
    """What ``booking`` comes to now and with the other payer; ``dearer``: other half-days that lose the day rate."""

    before: PayerTerms
    after: PayerTerms
    dearer: tuple[BookingUnit, ...] = ()


def offer(actor: Actor, booking: Booking, now_terms: PayerTerms) -> PayerOffer:
    """What the other payer would make of ``booking``; raises what choosing them would raise."""
    quotes = [unit.quote for unit in booking.units if unit.quote is not None]
    payer: Payer = "me" if coverage.payer_of(quotes) == "employer" else "employer"
    decide = coverage.decisions_of(booking.person_id, payer, {0: uses_of(booking.units)}, leaving=quotes)
    decided = decide(0)
    _check(actor, booking, decided, coverage.owed_by(quotes))
    others = day_rates.dearer_units(booking.person_id, quotes, decided)
    return PayerOffer(now_terms, terms_of(payer, decided), tuple(others))


def change_payer(actor: Actor, public_id: str, payer: Payer, agreed: Agreed) -> Booking:
    """Let ``payer`` pay for a booking that has not begun, at the prices of today; its place stays the same.

    For its person and managers. What it took of the first payer's allowance is there again. Raises `PriceChanged` where it
    does not come to what was ``agreed``, `NoAgreement`, `AgreementExhausted`, `CheaperLatePayer`, `PaidAhead`,
    `PaidFirstHere`.
    """
    with write_unit() as unit:
        booking = own_booking(actor, public_id)
        if not sees_price(actor, booking):
            raise NotFound()
        unit.result = booking.public_id
        quotes = quotes_of(booking.id)
        check_movable(actor, booking, now())
        if quotes and coverage.payer_of(quotes) == payer:
            return booking
        was = coverage.owed_by(quotes)
        coverage.release(quotes)
        db.session.flush()
        decided = coverage.decisions(booking.person_id, payer, uses_of(booking.units))
        _check(actor, booking, decided, was)
        check_agreed(decided, agreed.cents, agreed.taken)
        others = day_rates.dearer_units(booking.person_id, quotes, decided)
        for part, quote in zip(booking.units, coverage.write(booking.person_id, decided), strict=True):
            part.quote = quote
        day_rates.price_alone(others)
        record_change(actor, "booking.payer_changed", booking, payer=payer)
    return booking


def _check(actor: Actor, booking: Booking, decided: list[Decision], was: Owed) -> None:
    check_movable(actor, booking, now())
    if booking.sale_id is not None:
        raise PaidAhead()
    if moves_late(actor, booking) and owed(decided).is_less_than(was):
        raise CheaperLatePayer()
    if actor.person_id == booking.person_id and must_be_paid(booking.person_id, spaces.lieu(), decided):
        raise PaidFirstHere()
