"""Bookings that must be paid before they count: held, then confirmed by the payment or let go.

A held booking takes its place as any other does, and frees it when its time to pay is over. It is in no figure: whatever
counts bookings counts confirmed ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking import queries
from coworking.booking.access import lock_person
from coworking.booking.cancelling import cancel_in_unit, restore_in_unit
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, check_still_there
from coworking.booking.rules import AlreadyOver, ChooseHowToPay, PayFirstThemselves, is_paid_first
from coworking.claims import services as claims
from coworking.claims.models import Claim
from coworking.core import sales as registry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.formats import day_long
from coworking.core.i18n import in_language
from coworking.core.money import Cents
from coworking.core.months import month_of
from coworking.core.policy import SYSTEM, Actor
from coworking.core.sales import Sold
from coworking.core.units import locked, require_unit
from coworking.membership import coverage
from coworking.membership import queries as memberships
from coworking.membership.entitlement import Decision, parts_of, personal_cents
from coworking.pricing import sales
from coworking.pricing.models import Quote
from coworking.pricing.reduced_words import with_rate
from coworking.pricing.rules import PricedLine, SaleLine, payable_cents
from coworking.spaces.models import DESK, Lieu

KIND = "booking"


def is_asked(actor: Actor, request: Request, person: Person, lieu: Lieu, decided: Sequence[Decision]) -> bool:
    """Whether what was ``decided`` must be paid by ``person`` before it counts. No statement where the lieu asks nobody.

    Raises `ChooseHowToPay` where staff have yet to say, `PayFirstThemselves` for who books for them: nobody pays for
    somebody else from here.
    """
    if actor.person_id not in (None, person.id) and not actor.is_staff:
        if must_be_paid(person.id, lieu, decided):
            raise PayFirstThemselves(name=person.first_name)
        return False
    if request.ask_how and must_be_paid(person.id, lieu, decided):
        raise ChooseHowToPay(amount=Cents(to_pay_of(decided)))
    by_rule = request.pay_first is not False and (
        request.pay_first or (actor.person_id == person.id and request.source in ("web", "api"))
    )
    return by_rule and must_be_paid(person.id, lieu, decided)


def must_be_paid(person_id: int, lieu: Lieu, decided: Sequence[Decision]) -> bool:
    """Whether the lieu's rules ask ``person_id`` to pay first what was ``decided``, and it can be paid at once here."""
    rules = {
        lieu.pay_first_desks if one.use.kind == DESK else lieu.pay_first_rooms
        for one in parts_of(decided)
        if one.organisation_id is None and one.amount_cents
    }
    if not is_paid_first(rules, has_plan=False):
        return False
    months = {month_of(one.use.day) for one in decided}
    has_plan = "everyone" not in rules and memberships.has_plan(person_id, months)
    return is_paid_first(rules, has_plan=has_plan) and registry.can_be_paid(personal_cents(decided))


def to_pay_of(decided: Sequence[Decision]) -> int:
    """What the person must pay at once for what was ``decided``, with its VAT."""
    return payable_cents(
        [
            PricedLine(one.amount_cents, one.vat_rate_bp, one.basis)
            for one in parts_of(decided)
            if one.organisation_id is None
        ]
    )


def hold(actor: Actor, booking: Booking) -> None:
    """Let a booking that is about to be stored count only once it is paid.

    Who books for themselves has a quarter of an hour; who is asked by staff has longer, but no longer than it begins.
    """
    lasts = sales.TIME_TO_PAY
    if actor.person_id != booking.person_id:
        lasts = max(lasts, min(sales.TIME_WHEN_ASKED, booking.starts_at - now()))
    booking.status, booking.held_until, booking.untold_since = "held", now() + lasts, None


def sell(actor: Actor, booking: Booking) -> None:
    """Ask the person of a held ``booking``, which is stored, to pay what its quotes say."""
    with in_language(booking.person.locale):
        lines = [
            SaleLine(
                label=_label(unit, quote),
                cents=quote.amount_cents,
                vat_rate_bp=quote.vat_rate_bp,
                basis="ht" if quote.basis == "ht" else "ttc",
            )
            for unit in booking.units
            for quote in unit.quotes
            if quote.payer_person_id is not None and quote.amount_cents
        ]
    assert booking.held_until is not None, "it is held"
    sale = sales.sell(actor, KIND, booking.id, booking.person_id, lines, until=booking.held_until)
    booking.sale_id = sale.id
    db.session.flush()


def _label(unit: BookingUnit, quote: Quote) -> str:
    label = f"{unit.resource.name}, {day_long(unit.day)}, {queries.worded({unit.half}, unit.span)}"
    return with_rate(label, quote.price_group.name if quote.price_group is not None else None)


class _Bookings:
    """What payment and expiry mean for a booking."""

    def lock(self, sold: Sold) -> None:
        """Its person, then itself, then its places."""
        require_unit()
        lock_person(sold.payer_person_id)
        booking = db.session.scalars(locked(select(Booking).where(Booking.id == sold.subject_id))).one()
        claims.lock_resources({unit.resource_id for unit in booking.units})

    def on_paid(self, sold: Sold) -> int | None:
        booking = db.session.get_one(Booking, sold.subject_id)
        if booking.is_held or booking.cancelled_because == "unpaid":
            try:
                with db.session.begin_nested():
                    _keep(booking)
            except DomainError:
                return None
            restore_in_unit(booking)
            return booking.id
        return None

    def on_expired(self, sold: Sold) -> None:
        booking = db.session.get_one(Booking, sold.subject_id)
        if booking.is_held:
            cancel_in_unit(SYSTEM, booking, "unpaid")


registry.register(KIND, _Bookings())


def _keep(booking: Booking) -> None:
    """Take the places of ``booking`` for good at the price it was sold for; raises why that can no longer be."""
    every = db.session.scalars(
        select(Claim)
        .where(Claim.holder_kind == "booking", Claim.holder_id == booking.id)
        .execution_options(populate_existing=True)
    ).all()
    gone = [claim for claim in every if not claim.live]
    if booking.is_cancelled or gone:
        if booking.ends_at <= now() or not booking.person.is_active:
            raise AlreadyOver()
        resources = claims.lock_resources({unit.resource_id for unit in booking.units})
        check_still_there(booking, resources, booking.units)
    for claim in every:
        claim.expires_at = None
    claims.take_again(gone)
    if booking.is_cancelled and (quotes := queries.quotes_of(booking.id)):
        units = sorted(booking.units, key=lambda unit: (unit.starts_at, unit.id))  # as the quotes stand
        for unit, quote in zip(units, coverage.restore(quotes), strict=True):
            unit.quote = quote
    db.session.flush()
