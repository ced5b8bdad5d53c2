"""Make the demo: the same lieu for the same seed and date, in a database of its own."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from coworking.accounting import closings
from coworking.accounts.models import Person
from coworking.billing import charges
from coworking.core import audit, trail
from coworking.core.audit import AuditEntry
from coworking.core.clock import frozen_at
from coworking.core.db import db
from coworking.core.months import month_before
from coworking.core.outbox import OutboxRow
from coworking.core.policy import SYSTEM, Actor
from coworking.core.types import predictable_ids
from coworking.core.units import write_unit
from coworking.demo import billing, money, network, reminders, statistics, world
from coworking.demo.cast import habits
from coworking.demo.days import Simulation
from coworking.demo.payouts import StripeAccount
from coworking.presence.settling import expire_unconfirmed
from coworking.spaces import calendar
from coworking.spaces import queries as spaces

ZONE = ZoneInfo("Europe/Paris")


BEGUN, MADE = "demo.begun", "demo.made"
"""The first and the last thing written: between them, making the demo was interrupted."""


class NotADemo(Exception):
    """This database holds a real lieu, people, or half a demo: the demo never touches it."""


def is_made() -> bool:
    """Whether this database already holds the demo; raises `NotADemo` when it holds anything else."""
    lieu = spaces.lieu_or_none()
    if lieu is not None:
        if not lieu.is_simulation:
            raise NotADemo(f"this database belongs to {lieu.name}; give the demo one of its own")
        if set(db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.in_((BEGUN, MADE))))) == {BEGUN}:
            raise NotADemo("making the demo was interrupted here; empty this database and make it again")
        return True
    if db.session.scalar(select(func.count()).select_from(Person)):
        raise NotADemo("this database already holds people; give the demo one of its own")
    return False


def make(*, password_hash: str, until: datetime, months: int = 12, seed: int = 1) -> None:
    """Live ``months`` months of the lieu up to the instant ``until``. The database must be empty (see `is_made`)."""
    draw = random.Random(f"{seed}:{until.astimezone(ZONE).date().isoformat()}")
    today = until.astimezone(ZONE).date()
    first = month_before(today, months)
    with predictable_ids(random.Random(draw.random())):
        with frozen_at(_at(first - timedelta(days=1), 8)):
            with write_unit():
                audit.record(SYSTEM, BEGUN, ("lieu", 1), months=months, seed=seed)
            manager = world.build(password_hash)
            money.prepare(manager, first - timedelta(days=1))
            money.let_office(manager, first - timedelta(days=1))
            billing.prepare(manager)
            reminders.prepare(manager, today)
            statistics.prepare(manager)
            host = _actor("host@demo.example")
            world.open_on_saturdays(manager, max(month_before(today, 3), first))
            for year in range(first.year, today.year + 1):
                _close(manager, first, date(year, 8, 10), date(year, 8, 15), "congés d’été")
                _close(manager, first, date(year, 12, 24), date(year, 12, 31), "fêtes de fin d’année")
            friday = today + timedelta(days=(4 - today.weekday()) % 7 or 7)
            world.close(manager, friday, friday, "inventaire du fablab", (13 * 60, 18 * 60))
        staff = {(name, surname) for name, surname, *_more in world.STAFF}
        people = habits(draw, first, today - timedelta(days=20), taken=staff)
        stripe = StripeAccount(manager, today)
        simulation = Simulation(draw, people, host, until)
        waiting = sorted(people, key=lambda habit: habit.since)
        for offset in range((today - first).days + 1):
            day = first + timedelta(days=offset)
            with frozen_at(_at(day, 1)):
                if day.day == 1 or offset == 0:
                    calendar.extend_horizon()
                    money.month(manager, day)
                closings.close_due()
                billing.live(manager, day, first, stripe)
                statistics.close_months(day, first)
                while waiting and waiting[0].since <= day:
                    habit = waiting.pop(0)
                    world.join(habit, password_hash if habit.email and "person" not in habit.email else None, day)
                    money.join(manager, habit, day)
            if day < today:
                with frozen_at(_at(day, 9)):
                    reminders.live(manager, day, today)
            simulation.run(day)
        network.make(random.Random(draw.random()), first, today)
        with frozen_at(until):
            calendar.extend_horizon()
            calendar.freeze_past_days()
            expire_unconfirmed()
            charges.gather_recent()
            world.ask_first(manager)
            _forget_emails(until)
            with write_unit():
                audit.record(SYSTEM, MADE, ("lieu", 1), months=months, seed=seed)
            trail.seal()


def _close(manager: Actor, first: date, start: date, end: date, reason: str) -> None:
    if start > first:
        world.close(manager, start, end, reason)


def _actor(email: str) -> Actor:
    return db.session.scalars(select(Person).where(Person.email == email)).unique().one().actor()


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=ZONE)


def _forget_emails(until: datetime) -> None:
    """Delete the e-mails of the simulated year: only those of days to come stay in the outbox."""
    with write_unit():
        db.session.execute(
            update(OutboxRow)
            .where(OutboxRow.state == "waiting", OutboxRow.created_at <= until)
            .values(state="dropped", ended_at=until)
        )
