"""Close a month: count its figures once, store them as bytes, and hand them to the network package.

A month is closed provisionally, then for good, once every booked half-day has been decided or can no longer be; what
changes afterwards is a restatement with its reason. Stored bytes are never touched: each of these is a new revision.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.months import month_after, month_before, month_days, month_of, write_month
from coworking.core.policy import SYSTEM, Actor
from coworking.core.units import write_unit
from coworking.core.version import VERSION
from coworking.presence.rules import CONFIRMABLE
from coworking.spaces import calendar
from coworking.spaces import queries as spaces
from coworking.spaces.models import Lieu
from coworking.statistics import facts, months, people, queries, return_rules, schema, subscriptions
from coworking.statistics.envelope import envelope
from coworking.statistics.models import DayFact, MonthlyReturn
from coworking.statistics.return_rules import LONGEST_REASON
from coworking.statistics.schema import FINAL, PROVISIONAL, RESTATEMENT

PROVISIONAL_FROM, FINAL_FROM = 5, 10
"""The local days of the following month from which a month closes by itself: provisionally, then for good."""
CATCH_UP_MONTHS = 3
"""How many months back the nightly look goes: a server that was off for a season closes what it missed."""


class MonthNotOver(DomainError):
    code = "month_not_over"
    status = 409
    message = N_("%(month)s is not over: it can be closed from %(day)s on.")
    field = "month"


class MonthUnknown(DomainError):
    """The lieu kept no days then."""

    code = "month_unknown"
    status = 404
    message = N_("There are no figures for %(month)s: this place was not set up yet.")
    field = "month"


class ReasonRequired(DomainError):
    code = "reason_required"
    message = N_("This month is closed for good and its figures have changed since: say why.")
    field = "reason"


class ReasonUnusable(DomainError):
    code = "reason_unusable"
    message = N_("Write the reason in one line of at most %(most)s characters.")
    field = "reason"


def close(actor: Actor, month: date, *, reason: str | None = None) -> MonthlyReturn:
    """Close the month of ``month`` and return the revision that counts.

    The first revisions are ``provisional`` while half-days are undecided, then one is ``final``; afterwards changed
    figures make a ``restatement``, which needs ``reason``. Where neither the figures nor the status would differ, the
    last revision stands and nothing is written. Raises `MonthNotOver`, `MonthUnknown`, `ReasonRequired`.
    """
    return _close(actor, month, reason=reason, may_be_final=True)


def continue_from(month: date, revision: int, reason: str) -> MonthlyReturn:
    """State ``month`` again as revision ``revision`` + 1, because a network head holds one this lieu no longer has.

    That is so after a restored backup: what the lieu knows now is a restatement with ``reason``. Where a later revision
    than ``revision`` is here already, it stands. Raises `NotClosed` for a month that was never closed here.
    """
    first, last = month_days(month)
    facts.refresh(first, last)
    with write_unit() as unit:
        lieu = calendar.lock_lieu()
        facts.keep(first, last)
        before = queries.closed(first)
        row = before
        if before.revision <= revision:
            row = _add(lieu, first, revision + 1, RESTATEMENT, reason, schema.canonical(figures_now(first)))
        unit.result = f"{write_month(first)}:{row.revision}"
        return row


def close_due() -> list[MonthlyReturn]:
    """What closes by itself today: from the 5th provisionally, from the 10th for good; return the new revisions."""
    today = spaces.today()
    made: list[MonthlyReturn] = []
    month = month_of(today)
    for _ in range(CATCH_UP_MONTHS):
        month = month_before(month)
        days_after = (today - month_after(month)).days + 1
        last = queries.latest(month)
        wanted = (last is None and days_after >= PROVISIONAL_FROM) or (
            days_after >= FINAL_FROM and last is not None and last.status == PROVISIONAL and is_decided(month)
        )
        if wanted and queries.is_known(month):
            row = _close(SYSTEM, month, may_be_final=days_after >= FINAL_FROM)
            made += [row] if last is None or row.revision > last.revision else []
    return made


def is_decided(month: date) -> bool:
    """Whether nothing more will be said of the month's half-days: all are settled, or the time for it is over."""
    first, last = month_days(month)
    return spaces.today() > last + CONFIRMABLE or not people.undecided(first, last)


def figures_now(month: date, days: Sequence[DayFact] | None = None) -> dict[str, Any]:
    """The figures of ``month`` as they stand: what closing it now would keep. ``days``: its facts, if already at hand.

    Of a month closed for good whose presences are not all kept any more, these are the figures it was closed with.
    """
    first, last = month_days(month)
    if (row := queries.stands(first)) is not None:
        return json.loads(row.figures)
    days = facts.between(first, last) if days is None else days
    return months.figures(days, people.of_month(first), subscriptions.of_month(first), spaces.lieu().tz)


def _close(actor: Actor, month: date, *, reason: str | None = None, may_be_final: bool) -> MonthlyReturn:
    first, last = month_days(month)
    reason = (reason or "").strip() or None
    if reason is not None and not return_rules.is_line(reason, LONGEST_REASON):
        raise ReasonUnusable(most=LONGEST_REASON)
    if spaces.today() <= last:
        raise MonthNotOver(month=write_month(month), day=last + timedelta(days=1))
    if not queries.is_known(first):
        raise MonthUnknown(month=write_month(month))
    facts.refresh(first, last)  # most of the counting happens before the unit
    with write_unit() as unit:
        lieu = calendar.lock_lieu()  # closings of one lieu come one after the other
        facts.keep(first, last)
        before = queries.latest(first)
        figures = schema.canonical(figures_now(first))
        status = _status(before, schema.digest(figures), final=may_be_final and is_decided(first))
        if status is None:
            assert before is not None
            unit.result = f"{write_month(first)}:{before.revision}"
            return before
        if status == RESTATEMENT and reason is None:
            raise ReasonRequired()
        revision = before.revision + 1 if before is not None else 1
        row = _add(lieu, first, revision, status, reason, figures)
        named = {"month": write_month(first), "revision": revision}
        if actor.needs_audit:
            audit.record(actor, "month.closed", ("monthly_return", row.id), status=status, **named)
        unit.result = f"{named['month']}:{revision}"
        return row


def _status(before: MonthlyReturn | None, digest: str, *, final: bool) -> str | None:
    """The status of the next revision; None where there is nothing new to say.

    A provisional month that becomes final is news even when no figure moved: its readers may rely on it from then on.
    """
    if before is None:
        return FINAL if final else PROVISIONAL
    if before.status == PROVISIONAL and final:
        return FINAL
    if before.figures_sha256 == digest:
        return None
    return PROVISIONAL if before.status == PROVISIONAL else RESTATEMENT


def _add(lieu: Lieu, month: date, revision: int, status: str, reason: str | None, figures: bytes) -> MonthlyReturn:
    """Keep a new revision and tell the network of it, in the open unit."""
    row = MonthlyReturn(
        month=month,
        revision=revision,
        status=status,
        reason=reason if status == RESTATEMENT else None,
        generated_at=now().replace(microsecond=0),
        software_version=VERSION,
        lieu_id=lieu.uuid,
        siret=lieu.siret,
        name=lieu.name,
        code_insee=lieu.code_insee,
        counted_from=queries.counted_from(month),
        figures=figures.decode(),
        figures_sha256=schema.digest(figures),
    )
    return_rules.check_return(
        envelope(row), at=now(), zone=lieu.tz
    )  # nothing is kept that its reader would have to refuse
    db.session.add(row)
    db.session.flush()
    payload = {"month": write_month(month), "revision": revision}
    outbox.enqueue("return.closed", f"return-closed:{payload['month']}:{revision}", payload)
    return row


def differences(row: MonthlyReturn) -> list[str]:
    """The figures that are no longer what ``row`` says, in the order of the list."""
    return months.changed(json.loads(row.figures), figures_now(row.month))
