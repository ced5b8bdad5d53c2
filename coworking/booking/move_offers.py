"""The price of a booking after a move, computed before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.booking import day_rates
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.moving import destination, moves_late
from coworking.booking.offers import PayerTerms, bill_of, terms_of
from coworking.booking.placing import units_of, uses_of
from coworking.booking.rules import CheaperLateMove
from coworking.claims import queries as claims
from coworking.core.errors import DomainError
from coworking.core.policy import Actor
from coworking.core.timespan import Span
from coworking.membership import coverage
from coworking.membership.agreement_rules import AgreementExhausted, NoAgreement
from coworking.membership.allowance_rules import PlannedUse
from coworking.membership.entitlement import Decision, Payer, owed
from coworking.pricing.models import Quote
from coworking.spaces.models import Resource


@dataclass(frozen=True, slots=True)
class MoveOffer:
    """Where a booking would go, and what it comes to there (``after``) beside what it comes to now (``before``).

    ``same``: neither what the person owes nor what an allowance gives changes; ``uses``: what it would use. ``dearer``:
    other half-days that lose the day rate.
    """

    resource: Resource
    day: date
    span: Span
    uses: tuple[PlannedUse, ...]
    before: PayerTerms
    after: PayerTerms
    same: bool
    dearer: tuple[BookingUnit, ...] = ()

    @property
    def difference(self) -> int | None:
        """By how many cents it costs the person more, or less than nothing less; None where the two do not compare."""
        before, after = self.before, self.after
        comparable = before.basis == after.basis or not before.cents or not after.cents
        return after.cents - before.cents if comparable else None


def offer(actor: Actor, booking: Booking, span: Span, resource: str | None) -> MoveOffer:
    """What moving ``booking`` (its units and quotes loaded) would come to; raises what moving it would raise."""
    day, (target, use, halves) = destination(actor, booking, span, resource, find=claims.candidates)
    uses = uses_of(units_of(target, use, halves, day))
    quotes = _quotes(booking)
    decided, was = _decider(booking, quotes, {target.id: uses})(target.id), coverage.owed_by(quotes)
    if moves_late(actor, booking) and owed(decided).is_less_than(was):
        raise CheaperLateMove()
    others = day_rates.dearer_units(booking.person_id, quotes, decided) if day_rates.binds(actor, booking) else []
    return MoveOffer(
        resource=target,
        day=day,
        span=use,
        uses=tuple(uses),
        before=terms_now(booking),
        after=terms_of(_payer(quotes), decided),
        same=owed(decided) == was and not others,
        dearer=tuple(others),
    )


def choices(actor: Actor, booking: Booking, others: Sequence[Resource]) -> dict[int, PayerTerms | DomainError | None]:
    """What ``booking`` would come to in each of ``others``, by id, at the time it has: None where that is the same.

    A refusal stands for those where nobody would pay, or too late less. Statements do not grow with their number.
    """
    if not others:
        return {}
    quotes = _quotes(booking)
    decide = _decider(booking, quotes, {other.id: _uses_there(booking, other) for other in others})
    was, payer, late = coverage.owed_by(quotes), _payer(quotes), moves_late(actor, booking)
    found: dict[int, PayerTerms | DomainError | None] = {}
    for other in others:
        try:
            decided = decide(other.id)
        except (AgreementExhausted, NoAgreement) as refusal:
            found[other.id] = refusal
        else:
            cheaper = late and owed(decided).is_less_than(was)
            same = None if owed(decided) == was else terms_of(payer, decided)
            found[other.id] = CheaperLateMove() if cheaper else same
    return found


def _quotes(booking: Booking) -> list[Quote]:
    units = sorted(booking.units, key=lambda unit: unit.starts_at)
    return [unit.quote for unit in units if unit.quote is not None]


def _uses_there(booking: Booking, resource: Resource) -> list[PlannedUse]:
    return [PlannedUse(resource.id, resource.kind, unit.day, unit.half, unit.span) for unit in booking.units]


def _decider(
    booking: Booking, quotes: Sequence[Quote], choices: Mapping[int, Sequence[PlannedUse]]
) -> Callable[[int], list[Decision]]:
    """Decides what each of ``choices`` would cost, with what the booking holds there again; its payer stays."""
    return coverage.decisions_of(booking.person_id, _payer(quotes), choices, leaving=quotes)


def _payer(quotes: Sequence[Quote]) -> Payer | None:
    return coverage.payer_of(quotes) if quotes else None


def terms_now(booking: Booking) -> PayerTerms:
    bill = bill_of(booking)
    if bill is None:
        return PayerTerms("me", 0, "ttc", None, 0, 0, None, beyond=None, free=True)
    payer: Payer = "employer" if bill.employer else "me"
    terms = (bill.cents, bill.basis, bill.employer, bill.by_employer, bill.by_plan)
    return PayerTerms(
        payer,
        *terms,
        left=None,
        beyond=None,
        free=False,
        by_pack=bill.by_pack,
        pack_minutes=bill.pack_minutes,
        plan_minutes=bill.plan_minutes,
        group=bill.group,
        employer_part=bill.employer_part,
        room_by_employer=bill.room_by_employer,
        trial=bill.trial,
        day_saving=bill.day_saving,
    )
