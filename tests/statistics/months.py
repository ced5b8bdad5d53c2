"""A month lived through the services, one drawn event after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.claims import services as claims
from coworking.claims.rules import Wanted
from coworking.core import clock
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.timespan import Span, local_minute
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.presence.models import Presence
from coworking.pricing import services as pricing
from coworking.spaces import calendar, inventory
from coworking.spaces import queries as spaces
from coworking.spaces import services as places
from coworking.spaces.rules import Closing, Opening
from tests import factories
from tests.statistics.oracle import PARIS

HALVES = (frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"}))


def at(day: date, minute: int) -> datetime:
    return local_minute(day, minute, PARIS)


@dataclass(slots=True)
class Life:
    """A lieu of three desks and two rooms, and what people do in it. ``draw`` picks a number below its argument."""

    draw: Callable[[int], int]
    cast: Any
    place: Any

    @property
    def people(self) -> list[Any]:
        return [self.cast.member, self.cast.colleague, self.cast.stranger]

    def live(self, first: date, last: date) -> None:
        """Every day from ``first`` to ``last``: a few things happen, at drawn times; refusals are part of life."""
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            for minute in sorted(7 * 60 + self.draw(12 * 60) for _ in range(4 + self.draw(8))):
                with clock.frozen_at(at(day, minute) + timedelta(seconds=self.draw(60))):
                    self.happen(day)
            with clock.frozen_at(at(day, 24 * 60 - 1)):
                settling.settle_seen()

    def happen(self, day: date) -> None:
        often = [
            self.book,
            self.book,
            self.book,
            self.meet,
            self.arrive,
            self.arrive,
            self.leave,
            self.settle,
            self.enter,
        ]
        seldom = [self.cancel, self.move, self.end, self.close, self.change_hours, self.block, self.forget]
        seldom += [self.change_seats, self.set_prices]
        acts = often * 3 + seldom
        try:
            acts[self.draw(len(acts))](day)
        except DomainError:
            db.session.rollback()

    def book(self, day: date) -> None:
        person = self.people[self.draw(3)]
        services.book_half_days(person.actor(), day + timedelta(days=self.draw(4)), HALVES[self.draw(3)])

    def meet(self, day: date) -> None:
        earliest, quarters = ((8 * 60, 44), (21 * 60, 12))[
            self.draw(3) == 0
        ]  # late ones go over midnight, where it is open
        start = at(day + timedelta(days=self.draw(4)), earliest + 15 * self.draw(quarters))
        span = Span(start, start + timedelta(minutes=15 * (1 + self.draw(12))))
        items = (RequestedItem(resource=self.place.rooms[self.draw(2)].public_id),)
        services.book(self.people[self.draw(3)].actor(), Request(span=span, items=items, guests=self.draw(4)))

    def _a_booking(self) -> str | None:
        found = db.session.scalars(
            select(Booking.public_id)
            .where(Booking.ends_at > clock.now(), Booking.status == "confirmed")
            .order_by(Booking.id)
        ).all()
        return found[self.draw(len(found))] if found else None

    def cancel(self, _day: date) -> None:
        if (booking := self._a_booking()) is not None:
            services.cancel(self.cast.host.actor(), booking)

    def move(self, _day: date) -> None:
        if (booking := self._a_booking()) is not None:
            row = db.session.scalars(select(Booking).where(Booking.public_id == booking)).one()
            shift = timedelta(days=self.draw(3), minutes=15 * self.draw(5))
            services.move(self.cast.host.actor(), booking, span=Span(row.starts_at + shift, row.ends_at + shift))

    def arrive(self, _day: date) -> None:
        presence.arrive(self.cast.host.actor(), person=self.people[self.draw(3)].public_id)

    def leave(self, _day: date) -> None:
        presence.leave(self.cast.host.actor(), person=self.people[self.draw(3)].public_id)

    def end(self, _day: date) -> None:
        if (booking := self._a_booking()) is not None:
            presence.set_free(self.cast.host.actor(), booking)

    def settle(self, day: date) -> None:
        found = db.session.scalars(
            select(BookingUnit.id)
            .join(Booking)
            .where(Booking.status == "confirmed", BookingUnit.day < day)
            .order_by(BookingUnit.id)
        ).all()
        if found:
            chosen = {found[self.draw(len(found))] for _ in range(3)}
            settling.settle(
                self.cast.host.actor(),
                sorted(chosen),
                ("came", "came", "absent", "unknown")[self.draw(4)],
                reason="relu",
            )

    def enter(self, day: date) -> None:
        """The host writes down an arrival of a day before."""
        then, start = day - timedelta(days=self.draw(4)), 7 * 60 + self.draw(12 * 60)
        settling.enter_arrival(
            self.cast.host.actor(),
            self.people[self.draw(3)].public_id,
            day=then,
            arrived_at=at(then, start),
            left_at=at(then, start + 1 + self.draw(6 * 60)) if self.draw(2) else None,
            reason="oublié",
        )

    def forget(self, _day: date) -> None:
        found = db.session.scalars(select(Presence.public_id).order_by(Presence.id.desc()).limit(2)).all()
        if found:
            presence.undo_arrival(self.cast.host.actor(), found[self.draw(len(found))])

    def close(self, day: date) -> None:
        first = day + timedelta(days=1 + self.draw(5))
        hours = (None, (9 * 60, 10 * 60 + 15 * self.draw(10)), (12 * 60, 15 * 60 + 30 * self.draw(6)))[self.draw(3)]
        closing = Closing(first, first + timedelta(days=self.draw(2)), *(hours or (None, None)), "travaux")
        places.add_closure(self.cast.manager.actor(), closing)

    def change_hours(self, day: date) -> None:
        opens, closes = 7 * 60 + 30 * self.draw(5), 16 * 60 + 30 * self.draw(8)
        split = (12 * 60, 13 * 60, 14 * 60)[self.draw(3)]
        openings = [
            Opening(weekday, layer, opens, closes - (60 if layer == "staffed" else 0))
            for weekday in range(7)
            for layer in ("accessible", "staffed")
        ]
        if self.draw(3) == 0:  # a lieu that never sleeps meets the nights on which clocks change
            openings = [Opening(weekday, "accessible", 0, 1440) for weekday in range(7)]
        places.set_schedule(
            self.cast.manager.actor(),
            valid_from=day + timedelta(days=self.draw(2)),
            split_minute=split,
            openings=openings,
        )

    def change_seats(self, _day: date) -> None:
        resource = (*self.place.desks, *self.place.rooms)[self.draw(5)]
        inventory.update_resource(self.cast.manager.actor(), resource.public_id, seats=1 + self.draw(4))

    def set_prices(self, day: date) -> None:
        pricing.set_tariff(
            self.cast.manager.actor(),
            valid_from=day + timedelta(days=self.draw(4)),
            basis="ttc",
            vat_rate_bp=0,
            by_kind={"room": 1000 * self.draw(2)},
            by_resource={},
        )

    def block(self, day: date) -> None:
        """A desk or room that is not for members: a block of some hours, or a resident for days."""
        resource = (*self.place.desks, *self.place.rooms)[self.draw(5)]
        kind = ("block", "resident")[self.draw(2)] if resource.kind == "desk" else ("block", "workshop")[self.draw(2)]
        start = at(day + timedelta(days=1), 60 * self.draw(24))
        span = Span(start, start + timedelta(hours=1 + self.draw(60 if kind == "resident" else 6)))
        with write_unit():
            claims.lock_resources([resource.id])
            claims.take([Wanted(resource.id, span)], holder=(kind, 1))
            claims.touch(day)


def make_life(draw: Callable[[int], int], first: date) -> Life:
    """The lieu on the day before ``first``, ready to live."""
    with clock.frozen_at(at(first - timedelta(days=1), 8 * 60)):
        place = factories.make_place(desks=3)
        cast = factories.make_cast()
        with write_unit():
            calendar.ensure_days(first - timedelta(days=1), first + timedelta(days=140))
        assert spaces.lieu().tz == PARIS
    return Life(draw, cast, place)
