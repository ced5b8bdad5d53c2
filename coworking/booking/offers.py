"""The price and payer of a booking, computed before it is made, for the sheet that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from coworking.accounts import booking_proxies
from coworking.accounts import queries as accounts
from coworking.booking.models import Booking
from coworking.booking.paying_first import must_be_paid, to_pay_of
from coworking.booking.placing import Request, RequestedItem, choose, units_of, uses_of
from coworking.booking.queries import open_halves
from coworking.booking.rules import REGRET, Half, cancel_free_until, check_window, deadline_of
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.policy import Actor
from coworking.core.timespan import Span
from coworking.membership import coverage
from coworking.membership.agreement_rules import AgreementExhausted, Limit, NoAgreement
from coworking.membership.entitlement import Decision, Payer, personal_cents
from coworking.membership.entitlement_queries import Remaining, remaining
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, Resource
from coworking.spaces.rules import check_half_open


@dataclass(frozen=True, slots=True)
class PayerTerms:
    """What one payer's choice comes to. ``cents``: what the person owes, in ``basis``; ``by_plan``: half-days of their plan,
    ``plan_minutes`` of a room; ``left``: what it holds afterwards. ``employer``: who else pays, and for how many half-days.
    ``by_pack``: half-days of a pack, ``pack_minutes`` of a room; ``pack_left`` units until ``pack_until`` are there then.
    ``group``: whose reduced price it is, instead of ``full_cents``. ``employer_part``: what the employer pays where the
    person pays the rest of it, in cents, else 0; ``room_by_employer``: it pays a room. ``trial``: it holds their first
    half-day, to try, instead of ``full_cents``. ``day_saving``: by how many cents the day rate makes it cheaper.
    ``beyond``: which limit of its agreement is reached for (part of) it. ``pay_now``: what of ``cents``, with its VAT, must
    be paid before it counts."""

    payer: Payer
    cents: int
    basis: str
    employer: str | None
    by_employer: int
    by_plan: int
    left: int | None
    beyond: Limit | None
    free: bool
    pay_now: int = 0
    by_pack: int = 0
    pack_minutes: int = 0
    pack_left: int | None = None
    pack_until: date | None = None
    group: str | None = None
    full_cents: int = 0
    employer_part: int = 0
    room_by_employer: bool = False
    trial: bool = False
    plan_minutes: int = 0
    day_saving: int = 0

    @property
    def taken(self) -> int:
        """What it takes of one's plan and packs, in one number that a page sends back (`entitlement.check_agreed`)."""
        return self.by_plan + self.plan_minutes + self.by_pack + self.pack_minutes


@dataclass(frozen=True, slots=True)
class Offer:
    """A resource for a time and what it would cost. ``others``: other payers one may choose.

    ``exhausted`` says, when it is so, that the employer refuses to pay more this month. ``free_until``: until when it can
    be cancelled for nothing, the time for regrets included; ``late``: only within that time for regrets, which ends
    where the use starts (``starts_soon``: before it is over); ``begun``: it has started, and cannot be cancelled at all.
    """

    resource: Resource
    day: date
    terms: PayerTerms
    others: tuple[PayerTerms, ...]
    exhausted: AgreementExhausted | None
    free_until: datetime
    late: bool
    begun: bool
    starts_soon: bool

    @property
    def asks(self) -> bool:
        """Whether it must be said first: it costs money, or what it takes cannot be cancelled."""
        return self.terms.cents > 0 or (self.late and not self.terms.free)


def is_late(day: date, halves: frozenset[Half]) -> bool:
    """Whether those half-days can no longer be cancelled free of charge."""
    lieu = spaces.lieu()
    known = open_halves(day)
    return any(
        now() >= deadline_of(known[half].span.start, free_cancel_minute=lieu.free_cancel_minute, zone=lieu.tz)
        for half in halves
        if half in known
    )


def desk_offer(
    actor: Actor,
    day: date,
    halves: frozenset[Half],
    *,
    person: str | None = None,
    resource: str | None = None,
    payer: Payer | None = None,
) -> Offer:
    """What a desk on ``day`` would come to for the actor, or for the ``person`` they book for; raises what booking it would
    raise."""
    known = open_halves(day)
    wanted = [known[half] for half in known if half in halves]
    if len(wanted) < len(halves):
        check_half_open(spaces.day(day), None)
    span = Span(wanted[0].span.start, wanted[-1].span.end)
    return offer(actor, Request(span, (RequestedItem(resource=resource, kind=DESK),), person=person, payer=payer))


def offer(actor: Actor, request: Request) -> Offer:
    """What ``request`` of one thing would come to for its person; raises what booking it would raise."""
    instant, lieu = now(), spaces.lieu()
    if request.person is not None:
        person, _row = booking_proxies.person_for(actor, request.person)
    else:
        person = accounts.person_by_id(actor.person_id)
    day = check_window(request.span, at=instant, horizon_days=lieu.horizon_days, zone=lieu.tz)
    ((resource, use, halves),) = choose(request, person, lieu, day, instant, find=claims.candidates)
    uses = uses_of(units_of(resource, use, halves, day))
    exhausted: AgreementExhausted | None = None
    decide = coverage.decisions_by_payer(person.id, uses)
    try:
        decided = decide(request.payer)
        chosen = terms_of(request.payer, decided)
    except AgreementExhausted as refusal:
        exhausted = refusal
        decided = decide("me")
        chosen = terms_of("me", decided)
    if chosen.cents and must_be_paid(person.id, lieu, decided):
        chosen = replace(chosen, pay_now=to_pay_of(decided))
    others: list[PayerTerms] = []
    payers: tuple[Payer, ...] = ("me", "employer")
    for payer in payers:
        if payer == chosen.payer or (payer == "employer" and exhausted is not None):
            continue
        try:
            others.append(terms_of(payer, decide(payer)))
        except (NoAgreement, AgreementExhausted):
            continue
    deadline = deadline_of(use.start, free_cancel_minute=lieu.free_cancel_minute, zone=lieu.tz)
    return Offer(
        resource=resource,
        day=day,
        terms=chosen,
        others=tuple(others),
        exhausted=exhausted,
        free_until=cancel_free_until(use.start, instant, free_cancel_minute=lieu.free_cancel_minute, zone=lieu.tz),
        late=instant >= deadline,
        begun=use.start <= instant,
        starts_soon=instant < use.start < instant + REGRET,
    )


def terms_of(payer: Payer | None, decided: Sequence[Decision]) -> PayerTerms:
    """What ``decided`` comes to, as a sheet says it."""
    employers = [d for d in decided if d.organisation_id is not None]
    by_plan = [d for d in decided if d.cover == "subscription"]
    by_pack = [d for d in decided if d.cover == "pack"]
    return PayerTerms(
        payer="employer" if employers or (payer == "employer") else "me",
        cents=personal_cents(decided),
        basis=decided[0].basis,
        employer=coverage.employer_name(employers[0].organisation_id or 0) if employers else None,
        by_employer=sum(d.unit == "half_day" for d in employers),
        by_plan=sum(d.unit == "half_day" for d in by_plan),
        plan_minutes=sum(d.use.units for d in by_plan if d.unit == "hour"),
        left=by_plan[-1].left if by_plan else None,
        beyond=next((d.beyond for d in decided if d.beyond is not None), None),
        free=all(d.cover == "free" for d in decided),
        by_pack=sum(d.unit == "half_day" for d in by_pack),
        pack_minutes=sum(d.use.units for d in by_pack if d.unit == "hour"),
        pack_left=by_pack[-1].left if by_pack else None,
        pack_until=by_pack[-1].until if by_pack else None,
        group=next((d.group for d in decided if d.group is not None), None),
        full_cents=sum(d.full_cents or 0 for d in decided),
        employer_part=sum(d.amount_cents for d in employers) if any(d.rest for d in employers) else 0,
        room_by_employer=any(d.unit == "hour" for d in employers),
        trial=any(d.cover == "trial" for d in decided),
        day_saving=sum(d.alone_cents - d.amount_cents for d in decided if d.alone_cents is not None),
    )


@dataclass(frozen=True, slots=True)
class Bill:
    """What a booking that was made costs, as its sheet says it. ``cents``: what the person owes, by the reduced price of
    ``group``; ``state`` of it all; ``trial``: it holds their first half-day, to try; ``day_saving``: see `PayerTerms`,
    ``left_of``: of what it was taken, and what is left of that, where `with_left` knows it."""

    cents: int
    basis: str
    employer: str | None
    by_employer: int
    by_plan: int
    state: str
    by_pack: int = 0
    pack_minutes: int = 0
    group: str | None = None
    employer_part: int = 0
    room_by_employer: bool = False
    trial: bool = False
    plan_minutes: int = 0
    day_saving: int = 0
    left_of: Remaining | None = None

    @property
    def is_prepaid(self) -> bool:
        """Whether it takes anything of the person's plan or packs."""
        return bool(self.by_plan or self.plan_minutes or self.by_pack or self.pack_minutes)


def bill_of(booking: Booking) -> Bill | None:
    """What ``booking`` (with its units' quotes) costs; None when it is older than prices or costs nobody anything."""
    units = [unit.quote for unit in booking.units if unit.quote is not None]
    if not units or all(quote.cover == "free" for quote in units):
        return None
    quotes = [part for quote in units for part in quote.parts]
    theirs = [quote for quote in units if quote.payer_organisation is not None]
    return Bill(
        cents=sum(quote.amount_cents for quote in quotes if quote.payer_organisation_id is None),
        basis=units[0].basis,
        employer=next((quote.payer_organisation.name for quote in theirs if quote.payer_organisation), None),
        by_employer=sum(quote.unit == "half_day" for quote in theirs),
        by_plan=sum(quote.cover == "subscription" and quote.unit == "half_day" for quote in units),
        plan_minutes=sum(quote.units for quote in units if quote.cover == "subscription" and quote.unit == "hour"),
        state=units[0].state,
        by_pack=sum(quote.cover == "pack" and quote.unit == "half_day" for quote in units),
        pack_minutes=sum(quote.units for quote in units if quote.cover == "pack" and quote.unit == "hour"),
        group=next((quote.price_group.name for quote in units if quote.price_group is not None), None),
        employer_part=sum(quote.amount_cents for quote in theirs) if any(quote.rest_id for quote in theirs) else 0,
        room_by_employer=any(quote.unit == "hour" for quote in theirs),
        trial=any(quote.cover == "trial" for quote in units),
        day_saving=sum(quote.alone_cents - quote.amount_cents for quote in units if quote.alone_cents is not None),
    )


def with_left(bill: Bill, booking: Booking) -> Bill:
    """``bill`` with what is left by now of the plan or pack it takes from, where the person has but one of that kind."""
    if not bill.is_prepaid:
        return bill
    unit = "half_day" if bill.by_plan or bill.by_pack else "hour"
    held = [one for one in remaining(booking.person_id, booking.day) if not one.employer and one.unit == unit]
    packed = bool(bill.by_pack or bill.pack_minutes)
    found = [one for one in held if one.is_pack is packed]
    return replace(bill, left_of=found[0]) if len(found) == 1 else bill
