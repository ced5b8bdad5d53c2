"""Writes the stored days out of dated hours, closures and public holidays.

A day is remade as long as it lies ahead; once over it is frozen, and no later setting rewrites it.
"""

from __future__ import annotations

from datetime import date, timedelta

from flask import g
from sqlalchemy import select, update

from coworking.core import displaced
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.displaced import Toll
from coworking.core.place import NotSetUp
from coworking.core.timespan import local_date
from coworking.core.units import locked, write_unit
from coworking.spaces import queries
from coworking.spaces.models import Lieu, LieuDay, OpenSpan
from coworking.spaces.rules import LAYERS, DayPlan, day_plan, holiday_on

BEYOND_HORIZON = timedelta(days=40)
"""Days are known this far behind the last bookable one, so that a missed night or a wider horizon finds them."""


def lock_lieu() -> Lieu:
    """The lieu, locked in the open unit: changes of days or settings run one after the other. Raises `NotSetUp`."""
    found = db.session.scalar(locked(select(Lieu).where(Lieu.id == 1)))
    if found is None:
        raise NotSetUp()
    g.lieu = found  # alive, so that whatever asks for the lieu in this unit gets what the unit has made of it
    return found


def ensure_days(first: date, last: date) -> list[date]:
    """Make the days from ``first`` to ``last`` inclusive that have no row yet, in the open unit; return them."""
    lieu = lock_lieu()
    known = set(db.session.scalars(select(LieuDay.day).where(LieuDay.day.between(first, last))))
    plans = [plan for plan in plans_between(lieu, first, last) if plan.day not in known]
    db.session.add_all(_row(plan) for plan in plans)
    db.session.flush()
    return [plan.day for plan in plans]


def rebuild_days(first: date, last: date, *, agreed: Toll | None = None) -> list[date]:
    """Remake the known days from ``first`` to ``last`` inclusive, in the open unit; return those that changed.

    Days before today and frozen days stay as they are. ``agreed``: what may become of bookings by it
    (`coworking.core.displaced`).
    """
    lieu, known = lock_lieu(), queries.last_known_day()
    first = max(first, local_date(now(), lieu.tz))
    if known is None or first > (last := min(last, known)):
        return []
    rows = queries.days(first, last)
    changed: list[date] = []
    for plan in plans_between(lieu, first, last):
        row = rows.get(plan.day)
        if row is None or row.frozen_at is not None or _says(row, plan):
            continue
        row.starts_at, row.split_at, row.ends_at = plan.starts_at, plan.split_at, plan.ends_at
        row.holiday, row.closure = plan.holiday, plan.closure
        row.open_spans = _spans(plan)
        changed.append(plan.day)
    db.session.flush()
    if changed:
        displaced.announce(displaced.DAYS, {"days": [day.isoformat() for day in changed]}, agreed=agreed)
    return changed


def rebuild_ahead(first: date | None = None, *, agreed: Toll | None = None) -> list[date]:
    """Remake everything known from ``first`` (by default today) on, in the open unit."""
    last = queries.last_known_day()
    return rebuild_days(first or date.min, last, agreed=agreed) if last else []


def extend_horizon() -> list[date]:
    """Every night: make the days up to behind the horizon, and those missed while the server was off."""
    with write_unit():
        lieu = lock_lieu()
        today = local_date(now(), lieu.tz)
        last = queries.last_known_day()
        first = min(today, last + timedelta(days=1)) if last else today
        return ensure_days(first, today + timedelta(days=lieu.horizon_days) + BEYOND_HORIZON)


def freeze_past_days() -> int:
    """After local midnight: freeze every day that is over; return how many."""
    with write_unit():
        today = local_date(now(), lock_lieu().tz)
        frozen = db.session.execute(
            update(LieuDay)
            .where(LieuDay.day < today, LieuDay.frozen_at.is_(None))
            .values(frozen_at=now())
            .execution_options(synchronize_session=False)
        )
        return frozen.rowcount  # type: ignore[attr-defined] - a cursor result has one


def plans_between(lieu: Lieu, first: date, last: date) -> list[DayPlan]:
    """What the settings of today make of ``first`` to ``last`` inclusive."""
    dated = queries.schedules()
    closings = queries.closings_between(first, last)
    plans: list[DayPlan] = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        schedule = queries.in_force(dated, day)
        plans.append(
            day_plan(
                day,
                queries.openings(schedule) if schedule else (),
                schedule.split_minute if schedule else 13 * 60,
                closings,
                holiday_on(day, lieu.holiday_area) if lieu.observes_holidays else None,
                lieu.tz,
            )
        )
    return plans


def _row(plan: DayPlan) -> LieuDay:
    return LieuDay(
        day=plan.day,
        starts_at=plan.starts_at,
        split_at=plan.split_at,
        ends_at=plan.ends_at,
        holiday=plan.holiday,
        closure=plan.closure,
        open_spans=_spans(plan),
    )


def _spans(plan: DayPlan) -> list[OpenSpan]:
    return [
        OpenSpan(day=plan.day, layer=layer, starts_at=span.start, ends_at=span.end)
        for layer in LAYERS
        for span in plan.open(layer)
    ]


def _says(row: LieuDay, plan: DayPlan) -> bool:
    """Whether the stored ``row`` already says what ``plan`` says."""
    return (row.starts_at, row.split_at, row.ends_at, row.holiday, row.closure) == (
        plan.starts_at,
        plan.split_at,
        plan.ends_at,
        plan.holiday,
        plan.closure,
    ) and all(row.open(layer) == plan.open(layer) for layer in LAYERS)
