"""What a visitor of the public page asks first: is there room, what does it cost to try, where is it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from coworking.booking.rules import BookableHalf, Half, bookable_halves
from coworking.claims import queries as claims
from coworking.core.timespan import Span
from coworking.membership import trials
from coworking.pricing.rules import Prices
from coworking.spaces import map_rules
from coworking.spaces.models import DESK, Lieu, LieuDay, Resource

HALVES: tuple[Half, ...] = ("am", "pm")


@dataclass(frozen=True, slots=True)
class FreeDay:
    """An open day and how many desks are free in each half of it; a half in which the lieu is closed is not among them."""

    day: date
    free: Mapping[Half, int]

    @property
    def is_full(self) -> bool:
        return not any(self.free.values())


def free_days(
    days: Mapping[date, LieuDay], desks: Sequence[Resource], today: date, instant: datetime, most: int
) -> list[FreeDay]:
    """How many of ``desks`` are free on the next ``most`` open days after ``today``, of those in ``days`` (1 statement)."""
    ahead: list[tuple[date, dict[Half, BookableHalf]]] = []
    for day in sorted(days):
        halves = bookable_halves(day, days[day]) if day > today else {}
        if halves:
            ahead.append((day, halves))
        if len(ahead) == most:
            break
    if not ahead or not desks:
        return []
    reach = Span(days[ahead[0][0]].starts_at, days[ahead[-1][0]].ends_at)
    taken = [(resource, span) for resource, span, _, _ in claims.taken([desk.id for desk in desks], reach, instant)]
    found: list[FreeDay] = []
    for day, halves in ahead:
        there = {desk.id for desk in desks if desk.in_service(day)}
        free: dict[Half, int] = {
            name: len(there - {resource for resource, span in taken if span.overlaps(half.span)})
            for name, half in halves.items()
        }
        if there:
            found.append(FreeDay(day, free))
    return found


def trial_price(prices: Prices | None) -> int | None:
    """What a first half-day costs to try; None where the lieu offers none, or where it would not be cheaper."""
    cents = trials.trial_cents()
    usual = prices.by_kind.get(DESK, 0) if prices is not None else 0
    return cents if cents is not None and cents < usual else None


def map_link(place: Lieu) -> str | None:
    """The lieu on OpenStreetMap, by its exact spot, else by its address."""
    address = ", ".join(filter(None, (place.address, f"{place.postcode} {place.city}".strip())))
    return map_rules.map_url(place.latitude_e6, place.longitude_e6, address)
