"""Closing the takings of each day that is over, and with its last day each month and year. Only this file writes them.

Nobody chooses what is in a closing: it takes the entries of the money chain up to the first one that was signed after its
day, so what is recorded late, whatever day it is dated, is in the closing of the day on which it was recorded. It signs
only what is as it was sealed then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from coworking.accounting import closing_queries as queries
from coworking.accounting.closing_models import TakingsClosing
from coworking.accounting.closing_rules import (
    CLOSINGS,
    ClosedPeriod,
    ClosingFigures,
    PerpetualTotal,
    closing_content,
    closing_figures,
    drawer_counts,
    ended_with,
    joined,
    summed,
)
from coworking.billing import drafts
from coworking.billing.numbering import lock_series
from coworking.core import links, place
from coworking.core.chain import heads, lock_head
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.keyring import SigningKey, signing_key
from coworking.core.months import month_of
from coworking.core.sealing import MONEY
from coworking.core.timespan import local_day
from coworking.core.units import write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)


def close_due(until: date | None = None) -> int:
    """Close every local day that is over and not closed yet, the oldest first, each in a unit of its own.

    ``until``: at most up to this day. Returns how many days were closed; 0 where the lieu does not close its takings. Run
    twice, or by two workers at once, it closes each day once.
    """
    done = 0
    while place.name() and (day := next_day()) is not None and (until is None or day <= until) and _close(day):
        done += 1
    return done


def next_day() -> date | None:
    """The local day to be closed next; None where the lieu does not close its takings."""
    last = queries.last_closing("day")
    return queries.liable_since() if last is None else last.last_day + timedelta(days=1)


def so_far() -> tuple[date, ClosingFigures] | None:
    """The first day that is not closed, and what was recorded since the last closing: not signed, and it may still grow.

    None where the lieu does not close its takings.
    """
    day = next_day()
    if day is None:
        return None
    period = _period(day, queries.last_closing("day"), end=heads()[MONEY]["seq"])
    facts = [fact for _, fact in queries.recorded(period.first_entry, period.last_entry)]
    return day, closing_figures(facts)


def held_back() -> Iterator[tuple[date, str]]:
    """The day that is over and cannot be closed, with each entry or row that is not as it was sealed; nothing otherwise."""
    day = next_day() if place.name() else None
    if day is not None and now() >= local_day(day, spaces.lieu().tz).end:
        period = _period(day, queries.last_closing("day"), end=heads()[MONEY]["seq"])
        yield from ((day, wrong) for wrong in queries.altered(period.first_entry, period.last_entry))


def _close(day: date) -> bool:
    """Close ``day`` with what ends with it.

    False when it is not over, when somebody else has closed it just now, or when a row is not as it was sealed: signing
    that would make right what somebody wrote past us. It is closed the first time that all is as it was again.
    """
    if now() < local_day(day, spaces.lieu().tz).end:
        return False
    key = signing_key()
    with write_unit():
        lock_series(CLOSINGS)
        last = queries.last_closing("day")
        if last is not None and last.last_day >= day:
            return False
        # Whoever signed before us has committed; whoever signs after us signs another day's entry.
        head = lock_head(MONEY)
        period = _period(day, last, end=head.seq)
        if (wrong := next(queries.altered(period.first_entry, period.last_entry), None)) is not None:
            log.error("%s is not closed: %s", day, wrong)
            return False
        facts = [fact for _, fact in queries.recorded(period.first_entry, period.last_entry)]
        _sign(key, period, closing_figures(facts), last, counts=drawer_counts(facts))
        for kind in ended_with(day):
            first = month_of(day) if kind == "month" else day.replace(month=1, day=1)
            days = queries.closings_between(first, day, "day")
            figures = summed(queries.closing_text(row)["figures"] for row in days)
            _sign(key, joined(kind, [queries.period_of(row) for row in days]), figures, queries.last_closing(kind))
    return True


def _period(day: date, last: TakingsClosing | None, *, end: int) -> ClosedPeriod:
    """What ``day`` covers behind the closing ``last``; ``end``: the last entry that there is."""
    span = local_day(day, spaces.lieu().tz)
    starts_at, before = (span.start, 0) if last is None else (last.ends_at, last.last_entry)
    if last is None:
        before = _before(queries.first_entry_since(span.start, after=0), end)
    last_entry = _before(queries.first_entry_since(span.end, after=before), end)
    return ClosedPeriod("day", day, day, starts_at, span.end, before + 1, last_entry)


def _before(entry: int | None, end: int) -> int:
    return end if entry is None else entry - 1


def _sign(
    key: SigningKey,
    period: ClosedPeriod,
    figures: ClosingFigures,
    last: TakingsClosing | None,
    *,
    counts: Sequence[dict[str, Any]] = (),
) -> None:
    """Write the closing of ``period`` behind ``last``, the newest of its kind."""
    lieu, instant = spaces.lieu(), now()
    before = (
        PerpetualTotal() if last is None else PerpetualTotal(last.perpetual_sales_cents, last.perpetual_gross_cents)
    )
    seq, prev = (1, links.GENESIS) if last is None else (last.seq + 1, queries.closing_link(last).digest)
    content = closing_content(
        period,
        figures,
        seq=seq,
        before=before,
        seller=asdict(drafts.seller()),
        currency=lieu.currency,
        timezone=lieu.timezone,
        closed_at=instant,
        counts=counts,
    )
    payload = links.canonical_payload(content)
    link = links.link_behind(key, seq, prev, payload)
    total = before.after(figures)
    db.session.add(
        TakingsClosing(
            kind=period.kind,
            seq=seq,
            first_day=period.first_day,
            last_day=period.last_day,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            first_entry=period.first_entry,
            last_entry=period.last_entry,
            sales_cents=figures["sales_cents"],
            gross_cents=figures["gross_cents"],
            vat_cents=figures["vat_cents"],
            perpetual_sales_cents=total.sales_cents,
            perpetual_gross_cents=total.gross_cents,
            payload=payload,
            sha256=link.sha256,
            prev=link.prev,
            key_id=link.key_id,
            signature=link.signature,
            closed_at=instant,
        )
    )
    db.session.flush()
