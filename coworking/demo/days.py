"""One simulated day after the other, through the services of the product itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking import queries, services
from coworking.booking.placing import Request, RequestedItem
from coworking.core.clock import frozen_at
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.policy import Actor
from coworking.core.timespan import Span, local_minute
from coworking.demo import door
from coworking.demo.cast import Habit
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, ROOM

LEAD_DAYS = (1, 1, 2, 3, 5, 8, 10)
ACCOUNTS = 3
MEETINGS = (
    "Point d’équipe",
    "Entretien",
    "Réunion de projet",
    "Appel client",
    "Conseil de quartier",
    "Formation",
)


@dataclass(slots=True)
class Simulation:
    """The demo's days up to ``until`` (an instant): what lies after it has not happened yet."""

    draw: random.Random
    habits: list[Habit]
    host: Actor
    until: datetime
    actors: dict[str, tuple[Actor, str]] = field(default_factory=dict[str, tuple[Actor, str]])

    def meet(self, habit: Habit) -> tuple[Actor, str]:
        """The actor and public id of ``habit``'s person (known by full name: some have no e-mail)."""
        name = f"{habit.first_name} {habit.last_name}"
        if name not in self.actors:
            row = (
                db.session.scalars(
                    select(Person).where(Person.first_name == habit.first_name, Person.last_name == habit.last_name)
                )
                .unique()
                .one()
            )
            self.actors[name] = (row.actor(), row.public_id)
        return self.actors[name]

    def run(self, day: date) -> None:
        """Everything that happens on ``day``, in the order of the clock."""
        for at, act in sorted(self._events(day), key=lambda event: event[0]):
            if at <= self.until:
                with frozen_at(at):
                    act()

    def _events(self, day: date) -> Iterator[tuple[datetime, Callable[[], object]]]:
        zone = spaces.lieu().tz
        for order, habit in enumerate(self.habits):
            # The demo's own accounts plan a week ahead, so that whoever signs in finds their days booked.
            lead = 7 if order < ACCOUNTS else self.draw.choice(LEAD_DAYS)
            target = day + timedelta(days=lead)
            if day >= habit.since and habit.comes(target, self.draw):
                at = local_minute(day, 8 * 60 + order % 60, zone)
                yield at, lambda habit=habit, target=target: self._book(habit, target)
        known = spaces.days(day, day).get(day)
        if known is None or not known.open():
            return
        yield local_minute(day, 9 * 60 + 5, zone), lambda: self._settle(day)
        yield local_minute(day, 9 * 60, zone), lambda: self._expect(day)
        yield from door.events(self.host, day, self.until.astimezone(zone).date(), lambda: self._regulars(day))

    def _book(self, habit: Habit, day: date) -> None:
        actor, person = self.meet(habit)
        booker = actor if habit.email else self.host
        for_whom = None if habit.email else person
        room = habit.rooms and self.draw.random() < habit.rooms
        try:
            if room:
                start = local_minute(day, self.draw.choice((9, 10, 11, 14, 15, 16)) * 60, spaces.lieu().tz)
                span = Span(start, start + timedelta(minutes=self.draw.choice((30, 60, 60, 90, 120))))
                services.book(
                    booker,
                    Request(
                        span=span,
                        items=(RequestedItem(kind=ROOM),),
                        person=for_whom,
                        title=self.draw.choice(MEETINGS),
                        guests=self.draw.choice((0, 1, 2, 3, 5)),
                    ),
                )
            services.book_half_days(booker, day, habit.halves, person=for_whom)
        except DomainError:
            return  # closed, full, already booked: as in life

    def _expect(self, day: date) -> None:
        """The day's arrivals and departures, decided at opening time from what is booked."""
        zone = spaces.lieu().tz
        moves: list[tuple[datetime, Callable[[], object]]] = []
        forgetful = {f"{habit.first_name} {habit.last_name}": habit.forgets for habit in self.habits}
        for booking in queries.day_bookings(day):
            name, fate = booking.person.name, self.draw.random()
            if fate < 0.04:
                at = booking.starts_at - timedelta(minutes=1)
                moves.append(
                    (
                        max(at, local_minute(day, 9 * 60, zone)),
                        _later(services.cancel, self.host, booking.public_id),
                    )
                )
                continue
            if fate < 0.08 or self.draw.random() < forgetful.get(name, 0.05):
                continue  # did not come, or did not say so: the next morning will tell
            late = self.draw.choice((0, 0, 5, 10, 20, 35))
            at = booking.starts_at + timedelta(minutes=late)
            by_host = booking.person.email is None or self.draw.random() < 0.4
            who = self.host if by_host else booking.person.actor()
            moves.append((at, _later(presence.check_in, who, booking.public_id)))
            if self.draw.random() < 0.3 and booking.units[0].resource.kind == DESK:
                leaves = booking.ends_at - timedelta(minutes=self.draw.choice((0, 5, 15, 40)))
                moves.append((leaves, _later(_leave, self.host, booking.person.public_id)))
        if self.draw.random() < 0.35:
            walker = self.draw.choice([habit for habit in self.habits if habit.since <= day])
            at = local_minute(day, 10 * 60 + self.draw.randrange(60), zone)
            moves.append((at, lambda: presence.arrive(self.host, person=self.meet(walker)[1])))
        for at, act in sorted(moves, key=lambda move: move[0]):
            if at <= self.until:
                with frozen_at(at):
                    _bearing(act)

    def _regulars(self, day: date) -> list[str]:
        """Public ids of those who come by themselves and had come before ``day``."""
        return [self.meet(habit)[1] for habit in self.habits if habit.since < day and habit.employer is None]

    def _settle(self, day: date) -> None:
        """In the morning the host records who came yesterday, for people who did not check in."""
        waiting = presences.unsettled(day - timedelta(days=4), day - timedelta(days=1))
        came = [unit.id for unit in waiting if self.draw.random() < 0.62]
        absent = [unit.id for unit in waiting if unit.id not in came and self.draw.random() < 0.8]
        for ids, outcome in ((came, "came"), (absent, "absent")):
            if ids and day < self.until.date():  # today's two taps are left to whoever opens the demo
                settling.settle(self.host, ids, outcome)


def _leave(host: Actor, person: str) -> None:
    presence.leave(host, person=person)


def _later(act: Callable[..., object], *args: object) -> Callable[[], object]:
    return lambda: act(*args)


def _bearing(act: Callable[[], object]) -> None:
    """Run the act unless the lieu's rules refuse it."""
    try:
        act()
    except DomainError:
        return
