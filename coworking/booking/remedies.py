"""What becomes of a booking that lost its place or part of its time: it moves, gets shorter, or is cancelled.

A desk or room that is gone is replaced by a free one of the same kind. Where the lieu closes nothing replaces the time:
the half-days that remain are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import is_free
from coworking.claims import queries as claims
from coworking.claims.rules import Wanted
from coworking.core.clock import now
from coworking.core.timespan import Span
from coworking.pricing.rules import Prices
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay, Resource

Became = Literal["moved", "shortened", "cancelled"]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What remains of a booking: the place of each unit that is kept, by the unit's id. Without any, it is cancelled."""

    booking: Booking
    places: Mapping[int, Resource]

    @property
    def became(self) -> Became:
        if not self.places:
            return "cancelled"
        return "moved" if len(self.places) == len(self.booking.units) else "shortened"


@dataclass(frozen=True, slots=True)
class Vacancies:
    """What is free on the days of some bookings. `find` also takes what it finds, so that nothing is given twice."""

    resources: Sequence[Resource]
    taken: dict[int, list[Span]]
    prices: Mapping[date, Prices]

    def find(self, booking: Booking, left: Resource, use: Span, near: Collection[int]) -> Resource | None:
        """A free resource of the kind of ``left`` for ``use``: one that costs no more first, then one in ``near`` (where
        the person is anyway), then the same zone; of rooms those that seat everyone, the smallest first."""
        on, dates = booking.day, spaces.dates_of(use)
        fitting = [
            row
            for row in self.resources
            if row.kind == left.kind
            and row.id != left.id
            and all(row.in_service(day) for day in dates)
            and (row.kind == DESK or row.seats > booking.guests)
            and is_free(row, use, [(row.id, span) for span in self.taken.get(row.id, [])])
        ]
        found = min(fitting, key=lambda row: self._rank(row, left, on, near), default=None)
        if found is not None:
            guarded = Wanted(found.id, use, found.buffer_after).guarded
            self.taken.setdefault(found.id, []).append(guarded)
        return found

    def _rank(self, row: Resource, left: Resource, on: date, near: Collection[int]) -> tuple[object, ...]:
        prices = self.prices.get(on)
        dearer = prices is not None and prices.price_of(row.kind, row.id) > prices.price_of(left.kind, left.id)
        smaller_first = 0 if row.kind == DESK else row.seats
        return (dearer, row.id not in near, row.zone_id != left.zone_id, smaller_first, row.position, row.id)


def vacancies(
    resources: Sequence[Resource], days: Mapping[date, LieuDay], prices: Mapping[date, Prices] | None = None
) -> Vacancies:
    """What is free of ``resources`` from the first to the last of ``days``: one statement."""
    taken: dict[int, list[Span]] = {}
    if days and resources:
        reach = Span(min(day.starts_at for day in days.values()), max(day.ends_at for day in days.values()))
        for resource_id, span, _, _ in claims.taken([row.id for row in resources], reach, now()):
            taken.setdefault(resource_id, []).append(span)
    return Vacancies(resources, taken, prices or {})


def remedy(booking: Booking, lost: Iterable[BookingUnit], free: Vacancies | None, near: Collection[int] = ()) -> Remedy:
    """What becomes of ``booking``, whose ``lost`` units cannot stay; ``free`` None: nothing can replace them.

    What is used in a row goes to one place where there is one, and each half-day to a place of its own otherwise.
    """
    lost = sorted(lost, key=lambda unit: unit.starts_at)
    places = {unit.id: unit.resource for unit in booking.units if unit not in lost}
    if free is not None:
        for group in _by_resource(lost):
            use = Span(group[0].starts_at, group[-1].ends_at)
            found = free.find(booking, group[0].resource, use, near)
            if found is not None:
                places |= {unit.id: found for unit in group}
            elif len(group) > 1:
                single = {unit.id: free.find(booking, unit.resource, unit.span, near) for unit in group}
                places |= {unit_id: row for unit_id, row in single.items() if row is not None}
    return Remedy(booking, places)


def _by_resource(units: Iterable[BookingUnit]) -> list[list[BookingUnit]]:
    groups: dict[int, list[BookingUnit]] = {}
    for unit in units:
        groups.setdefault(unit.resource_id, []).append(unit)
    return list(groups.values())
