"""Reading the half-days that a day rate is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from sqlalchemy import ColumnElement, select

from coworking.core.db import db
from coworking.membership.day_rate_rules import PaidHalf, standing_alone
from coworking.membership.entitlement import Decision
from coworking.pricing.models import Quote
from coworking.pricing.queries import has_had_day_rate

_UNSURE: list[ColumnElement[bool]] = []


def unsure(condition: ColumnElement[bool]) -> None:
    """Quotes for which ``condition`` holds may yet come to nothing, and make no other half-day cheaper; packages above
    register theirs when imported."""
    _UNSURE.append(condition)


def paid_halves(person_id: int, days: Collection[date], *, leaving: Collection[int] = ()) -> dict[date, list[PaidHalf]]:
    """What a person holds on ``days`` at the tariff's price, by day; ``leaving``: ids of quotes that do not count.

    1 statement, none where the lieu has never had a day rate.
    """
    if not days or not has_had_day_rate():
        return {}
    rows = db.session.scalars(
        select(Quote)
        .where(Quote.person_id == person_id, Quote.day.in_(days), Quote.state != "released", Quote.half.is_not(None))
        .where(*(~condition for condition in _UNSURE))
        .order_by(Quote.id)
    )
    found: dict[date, list[PaidHalf]] = {}
    for quote in rows:
        half = half_of(quote)
        if half is not None and quote.id not in leaving:
            found.setdefault(quote.day, []).append(half)
    return found


def half_of(quote: Quote) -> PaidHalf | None:
    """A quote as the day rate sees it; None where it is no half-day that one payer pays by the tariff."""
    is_paid = quote.cover in ("tariff", "agreement") or quote.alone_cents is not None
    if quote.half is None or quote.rest_id is not None or not is_paid:
        return None
    return PaidHalf(quote.day, quote.half, quote.payer_organisation_id, quote.amount_cents, quote.alone_cents, quote.id)


def halves_of(quotes: Iterable[Quote]) -> list[PaidHalf]:
    """Those of ``quotes`` that the day rate is about."""
    return [half for quote in quotes if (half := half_of(quote)) is not None]


def decided_halves(decisions: Iterable[Decision]) -> list[PaidHalf]:
    """Those of ``decisions`` that the day rate is about."""
    return [
        PaidHalf(one.use.day, one.use.half, one.organisation_id, one.amount_cents, one.alone_cents)
        for one in decisions
        if one.use.half is not None
        and one.rest is None
        and (one.cover in ("tariff", "agreement") or one.alone_cents is not None)
    ]


def have_first(quotes: Sequence[Quote]) -> bool:
    """Whether each of ``quotes`` that is cheaper beside the other half of its day would have that beside it again."""
    coming = halves_of(quotes)
    if not any(one.alone_cents is not None for one in coming):
        return True
    held = paid_halves(quotes[0].person_id, {one.day for one in coming})
    return not any(one in coming for one in standing_alone([*coming, *(one for some in held.values() for one in some)]))


def cheaper_before(quote: Quote) -> Quote | None:
    """The quote at the day rate that stood for the same half-day until its other half was given up; None: there is none."""
    return db.session.scalar(
        select(Quote)
        .where(
            Quote.person_id == quote.person_id,
            Quote.day == quote.day,
            Quote.half == quote.half,
            Quote.resource_id == quote.resource_id,
            Quote.state == "released",
            Quote.alone_cents == quote.amount_cents,
            Quote.payer_organisation_id.is_(None)
            if quote.payer_organisation_id is None
            else Quote.payer_organisation_id == quote.payer_organisation_id,
        )
        .order_by(Quote.id.desc())
        .limit(1)
    )
