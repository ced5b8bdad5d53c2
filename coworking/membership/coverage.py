"""Write decisions as rows: quotes are made, held, released or kept in the booking's own unit.

Whoever calls holds the person's lock. It is the lock of that person's allowances too: they are counted per person, so
two bookings that draw on the same one always meet there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, literal, select
from sqlalchemy.orm import aliased

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.money import divide_half_up
from coworking.core.page_versions import Keep, lieu_version
from coworking.core.sql import insert_from, insert_now
from coworking.core.types import UTCDateTime
from coworking.core.units import locked, require_unit, write_unit
from coworking.membership import entitlement_queries, trials
from coworking.membership.allowance_rules import PlannedUse
from coworking.membership.day_rate_queries import cheaper_before, decided_halves, halves_of, have_first, paid_halves
from coworking.membership.day_rate_rules import PaidHalf, dearer, unpaired
from coworking.membership.entitlement import (
    AllowanceHeld,
    Decision,
    Entitlements,
    Owed,
    Payer,
    UndoChangesPrice,
    decide,
    owed_of,
)
from coworking.membership.models import Agreement, LedgerEntry
from coworking.pricing.group_queries import group_prices_on
from coworking.pricing.group_rules import unit_price_for
from coworking.pricing.models import Quote
from coworking.pricing.queries import prices_on
from coworking.pricing.rules import Prices, room_amount
from coworking.spaces import queries as spaces

LOOK_BACK = timedelta(days=92)
"""How far back half-days that are over are looked for: a server that slept for a season catches up."""


def decisions(person_id: int, payer: Payer | None, uses: Sequence[PlannedUse]) -> list[Decision]:
    """Who would pay what for ``uses``: a look, or inside a unit the decision (at most 3 statements and one per day).

    Raises `NoAgreement` or `AgreementExhausted`.
    """
    return decisions_of(person_id, payer, {0: uses})(0)


def decisions_of(
    person_id: int, payer: Payer | None, choices: Mapping[int, Sequence[PlannedUse]], *, leaving: Iterable[Quote] = ()
) -> Callable[[int], list[Decision]]:
    """Decides any one of several ``choices``, by its key, from what is read once for all of them.

    ``leaving``: quotes that would be released first, so that what they hold does not stand in the way.
    """
    uses = [use for chosen in choices.values() for use in chosen]
    days = {use.day for use in uses}
    released = [quote for quote in leaving if quote.state != "released"]
    found = _entitlements(person_id, uses, only="own" if payer == "me" else None, leaving=[one.id for one in released])
    found = found.without(map(_held, released))
    prices = {day: prices_on(day) for day in days}
    found = _with_paid_halves(person_id, found, prices, leaving=[one.id for one in released])
    return lambda key: decide(choices[key], payer, found, prices)


def decisions_by_payer(person_id: int, uses: Sequence[PlannedUse]) -> Callable[[Payer | None], list[Decision]]:
    """Decides ``uses`` for any payer, from what is read once."""
    found = _entitlements(person_id, uses)
    prices = {day: prices_on(day) for day in {use.day for use in uses}}
    found = _with_paid_halves(person_id, found, prices)
    return lambda payer: decide(uses, payer, found, prices)


def _entitlements(
    person_id: int, uses: Sequence[PlannedUse], *, only: Literal["own"] | None = None, leaving: Collection[int] = ()
) -> Entitlements:
    """What a person may draw on for ``uses``; ``leaving``: ids of quotes that would be released first."""
    halves = any(use.half is not None for use in uses)
    days = {use.day for use in uses}
    found = entitlement_queries.entitlements_of(person_id, days, only=only, rooms=not halves)
    trial = trials.trial_of(person_id, leaving=leaving) if halves else None
    return found if trial is None else replace(found, trial=trial)


def _with_paid_halves(
    person_id: int, found: Entitlements, prices: Mapping[date, Prices], *, leaving: Collection[int] = ()
) -> Entitlements:
    """``found`` with the half-days the person holds on days that have a day rate."""
    held = paid_halves(person_id, [day for day, one in prices.items() if one.has_day_rate], leaving=leaving)
    return replace(found, paid_halves=[one for some in held.values() for one in some]) if held else found


_kept_common = Keep[frozenset[int]](4)


def lock_common_caps(person_id: int) -> None:
    """Lock the agreements whose cap the person shares with colleagues, so that two of them do not spend the same euros.

    No statement where the lieu has no such agreement, which is kept under its version; see `docs/locking.md`.
    """
    require_unit()
    version = lieu_version()
    ids = _kept_common.get(version) if version is not None else None
    if ids is None:
        ids = frozenset(db.session.scalars(select(Agreement.id).where(Agreement.cap_of == "organisation")))
        if version is not None:
            _kept_common.put(version, ids)
    if ids:
        theirs = select(OrganisationMember.organisation_id).where(OrganisationMember.person_id == person_id)
        mine = select(Agreement).where(Agreement.id.in_(ids), Agreement.organisation_id.in_(theirs))
        db.session.scalars(locked(mine.order_by(Agreement.id))).all()


def _held(quote: Quote) -> AllowanceHeld:
    return AllowanceHeld(
        agreement_id=quote.agreement_id,
        subscription_id=quote.subscription_id,
        pack_id=quote.pack_id,
        day=quote.day,
        units=quote.units,
        cents=quote.amount_cents,
        unit="half_day" if quote.unit == "half_day" else "hour",
    )


def write(person_id: int, decided: Iterable[Decision]) -> list[Quote]:
    """Freeze what was decided as quotes, in order, and hold what they take of an allowance. Of a use of which an employer
    pays a part, the quote is the employer's; the person's is its ``rest``."""
    require_unit()
    quotes = [_frozen(person_id, decision) for decision in decided]
    _store(quotes)
    return quotes


def _frozen(person_id: int, decision: Decision) -> Quote:
    return Quote(
        person_id=person_id,
        payer_person_id=person_id if decision.organisation_id is None else None,
        payer_organisation_id=decision.organisation_id,
        cover=decision.cover,
        subscription_id=decision.subscription_id,
        agreement_id=decision.agreement_id,
        pack_id=decision.pack_id,
        price_group_id=decision.price_group_id,
        resource_id=decision.use.resource_id,
        day=decision.use.day,
        half=decision.use.half,
        starts_at=decision.use.span.start,
        ends_at=decision.use.span.end,
        unit=decision.unit,
        minutes=decision.use.span.minutes,
        unit_cents=decision.unit_cents,
        amount_cents=decision.amount_cents,
        alone_cents=decision.alone_cents,
        basis=decision.basis,
        vat_rate_bp=decision.vat_rate_bp,
        rest=None if decision.rest is None else _frozen(person_id, decision.rest),
    )


def release(quotes: Iterable[Quote]) -> None:
    """Nothing is owed for ``quotes`` any more, and what they held of an allowance is there again."""
    require_unit()
    quotes = _with_rests(quotes)
    trials.give_back(quotes)
    for quote in quotes:
        if quote.state != "released":
            quote.state, quote.released_at = "released", now()
            if quote.is_counted:
                db.session.add(_entry(quote, "release"))


def keep(quotes: Iterable[Quote]) -> None:
    """``quotes`` were cancelled too late: they stay owed, and what they hold of an allowance stays used."""
    require_unit()
    for quote in _with_rests(quotes):
        if quote.state == "live":
            quote.state = "kept"


def restore(quotes: Sequence[Quote]) -> list[Quote]:
    """New quotes on the very terms of ``quotes``, whatever prices are now, and the same half-days held.

    `UndoChangesPrice` where an allowance has gone to another booking meanwhile, or has ended.
    """
    release(quotes)
    db.session.flush()
    if not (entitlement_queries.has_room_for(quotes) and trials.may_take_again(quotes) and have_first(quotes)):
        raise UndoChangesPrice()
    again = [Quote(**_terms(quote), rest=quote.rest and Quote(**_terms(quote.rest))) for quote in quotes]
    _store(again)
    return again


def _with_rests(quotes: Iterable[Quote]) -> list[Quote]:
    """``quotes`` and their rests, freshly read (1 statement where there are any)."""
    quotes = list(quotes)
    ids = [quote.rest_id for quote in quotes if quote.rest_id is not None]
    if not ids:
        return quotes
    rests = select(Quote).where(Quote.id.in_(ids)).order_by(Quote.id).execution_options(populate_existing=True)
    return [*quotes, *db.session.scalars(rests)]


def rehouse(quote: Quote, kind: str, left: int, resource_id: int) -> Quote:
    """A new quote on the terms of ``quote`` for another resource of the same ``kind``, because its place ``left`` is gone.

    Its half-day of an allowance is held again. What the tariff, or the person's reduced price, asks less for there costs
    less; nothing costs more.
    """
    release([quote])
    db.session.flush()
    prices = prices_on(quote.day)
    groups = group_prices_on(quote.day, [quote.price_group_id]) if quote.price_group_id is not None else []
    cents = unit_price_for(groups, prices, kind, resource_id).cents
    there = unit_price_for(groups, prices, kind, left).cents
    by_tariff = quote.cover in ("tariff", "agreement") and quote.unit_cents == there
    terms = _terms(quote) | {"resource_id": resource_id}
    rest = None if quote.rest is None else _terms(quote.rest) | {"resource_id": resource_id}
    if by_tariff and quote.basis == prices.basis and cents < quote.unit_cents:
        amount = cents if quote.unit == "half_day" else room_amount(cents, quote.minutes)
        whole = sum(part.amount_cents for part in quote.parts)
        # An employer's part shrinks with the price, halves of a cent up: so does the rest.
        part = amount if rest is None else divide_half_up(quote.amount_cents * amount, whole)
        terms |= {"unit_cents": cents, "amount_cents": part}
        if amount == 0 and quote.cover == "tariff":
            terms |= {"cover": "free"}
        if rest is not None:
            rest |= {"unit_cents": cents, "amount_cents": amount - part}
    again = Quote(**terms, rest=rest and Quote(**rest))
    _store([again])
    return again


def dearer_without(person_id: int, leaving: Iterable[Quote], decided: Iterable[Decision] = ()) -> list[PaidHalf]:
    """The person's other half-days that lose the day rate once ``leaving`` are given up, and ``decided`` taken instead.

    The same before and after ``leaving`` are released (1 statement, none without a day rate).
    """
    leaving = list(leaving)
    gone = halves_of(leaving)
    ids = [quote.id for quote in leaving]
    held = paid_halves(person_id, {one.day for one in gone if one.alone_cents is None}, leaving=ids)
    return dearer([one for some in held.values() for one in some], gone, decided_halves(decided))


def price_alone(quote: Quote) -> Quote:
    """A new quote for the same half-day, at what it costs without the other half of its day."""
    assert quote.alone_cents is not None
    release([quote])
    db.session.flush()
    cover = "tariff" if quote.cover == "free" else quote.cover
    cents = quote.alone_cents
    again = Quote(**_terms(quote) | {"cover": cover, "unit_cents": cents, "amount_cents": cents, "alone_cents": None})
    _store([again])
    return again


def pair_again(quotes: Sequence[Quote]) -> dict[int, Quote]:
    """Give the other half of a day its day rate back, now that ``quotes`` are there again: new ones by the old id."""
    found: dict[int, Quote] = {}
    for back in halves_of(quotes):
        if back.alone_cents is not None:
            continue
        (quote,) = [one for one in quotes if one.id == back.quote_id]
        held = paid_halves(quote.person_id, [back.day]).get(back.day, [])
        other = next((one for one in unpaired(held) if one.is_beside(back)), None)
        live = None if other is None else db.session.get(Quote, other.quote_id)
        before = None if live is None else cheaper_before(live)
        if live is None or before is None:
            continue
        release([live])
        db.session.flush()
        again = Quote(**_terms(before))
        _store([again])
        found[live.id] = again
    return found


def _store(quotes: Sequence[Quote]) -> None:
    rests = [quote.rest for quote in quotes if quote.rest is not None]
    insert_now(*rests, *quotes, *(_entry(quote, "hold") for quote in quotes if quote.is_counted))
    trials.take(quotes)


def _terms(quote: Quote) -> dict[str, Any]:
    """What a quote says of its use, payer and price."""
    return {name: getattr(quote, name) for name in _TERMS}


_TERMS = [
    column.key
    for column in Quote.__table__.columns
    if column.key not in {"id", "public_id", "state", "created_at", "released_at", "rest_id"}
]


def owed_by(quotes: Iterable[Quote]) -> Owed:
    """What ``quotes`` come to for their person."""
    parts = [part for quote in quotes for part in quote.parts]
    return owed_of([(q.payer_organisation_id, q.cover, q.amount_cents, q.basis, q.units) for q in parts])


def payer_of(quotes: Iterable[Quote]) -> Payer:
    """Who pays, so that a booking which moves or comes back keeps its payer: the employer when it pays for any part."""
    return "employer" if any(quote.payer_organisation_id is not None for quote in quotes) else "me"


def employer_name(organisation_id: int) -> str:
    """The name of an organisation that pays."""
    found = db.session.get(Organisation, organisation_id)
    return found.name if found is not None else ""


def consume_past() -> int:
    """Write down as consumed what was held for days that are over and was not cancelled; return how many half-days."""
    if spaces.lieu_or_none() is None:
        return 0
    due = _due_by(spaces.today())
    if db.session.execute(due.limit(1)).first() is None:
        return 0
    with write_unit():
        return insert_from(LedgerEntry, [*_COLUMNS], due)


def _due_by(
    today: date,
) -> Select[int | None, int | None, int | None, int | None, int, date, int | None, str, datetime]:
    """Consuming entries for the holds of days before ``today`` that have no other entry."""
    hold, other = aliased(LedgerEntry), aliased(LedgerEntry)
    return (
        select(
            hold.subscription_id,
            hold.agreement_id,
            hold.pack_id,
            hold.units,
            hold.person_id,
            hold.month,
            hold.quote_id,
            literal("consume"),
            literal(now(), UTCDateTime()),
        )
        .join(Quote, Quote.id == hold.quote_id)
        .where(
            hold.kind == "hold",
            Quote.day < today,
            Quote.day >= today - LOOK_BACK,
            ~select(other.id).where(other.quote_id == hold.quote_id, other.kind != "hold").exists(),
        )
    )


_COLUMNS = (
    "subscription_id",
    "agreement_id",
    "pack_id",
    "units",
    "person_id",
    "month",
    "quote_id",
    "kind",
    "created_at",
)


def _entry(quote: Quote, kind: str) -> LedgerEntry:
    return LedgerEntry(
        subscription_id=quote.subscription_id,
        agreement_id=quote.agreement_id,
        pack_id=quote.pack_id,
        units=quote.units if quote.pack_id is not None or quote.unit == "hour" else None,
        person_id=quote.person_id,
        month=quote.month,
        quote=quote,
        kind=kind,
    )
