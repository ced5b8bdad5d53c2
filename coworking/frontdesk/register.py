"""The register of a day: for each person whether they came, were absent, or it is not known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from coworking.accounts.models import Person
from coworking.booking.models import BookingUnit
from coworking.booking.queries import day_bookings
from coworking.booking.rules import ABSENT, CAME, UNKNOWN
from coworking.core import sealed
from coworking.core.clock import now
from coworking.core.folding import fold
from coworking.core.i18n import _, ngettext
from coworking.presence.models import Presence
from coworking.presence.queries import presences_on
from coworking.spaces import queries as spaces


@dataclass(slots=True)
class RegisterLine:
    """One person's day: what they had booked that has begun, and when they were there."""

    person: Person
    units: list[BookingUnit] = field(default_factory=list[BookingUnit])
    presences: list[Presence] = field(default_factory=list[Presence])


@dataclass(frozen=True, slots=True)
class Register:
    """A day's register. ``sealed``: the month's figures are final, a correction restates them.

    ``expected``: how many people have a booking of that day that has not begun; they have no line yet.
    """

    day: date
    today: date
    lines: list[RegisterLine]
    expected: int
    sentence: str
    sealed: bool

    @property
    def previous(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def following(self) -> date | None:
        return self.day + timedelta(days=1) if self.day < self.today else None


def register(day: date) -> Register:
    """Everyone of ``day`` by name, in a fixed number of statements."""
    instant = now()
    lines: dict[int, RegisterLine] = {}
    for booking in (
        one for one in day_bookings(day) if one.day == day
    ):  # what goes over midnight stands where it begins
        line = lines.setdefault(booking.person_id, RegisterLine(booking.person))
        line.units += [unit for unit in booking.units if unit.starts_at <= instant]
    for row in presences_on(day):
        lines.setdefault(row.person_id, RegisterLine(row.person)).presences.append(row)
    found = sorted((one for one in lines.values() if one.units or one.presences), key=lambda one: fold(one.person.name))
    expected = len(lines) - len(found)
    return Register(day, spaces.today(), found, expected, _sentence(found, expected), sealed.is_sealed(day))


def _sentence(lines: list[RegisterLine], expected: int) -> str:
    """« 7 personnes sont venues, 2 demi-journées d’absence, 1 à confirmer. »"""
    came = sum(bool(one.presences) for one in lines)
    outcomes = [unit.outcome for one in lines for unit in one.units]
    absent, unknown = outcomes.count(ABSENT), outcomes.count(UNKNOWN)
    open_ = len(outcomes) - outcomes.count(CAME) - absent - unknown
    nobody = _("Nobody came yet") if expected else _("Nobody came")
    said = [ngettext("%(num)s person came", "%(num)s people came", came) if came else nobody]
    if absent:
        said.append(ngettext("%(num)s absence", "%(num)s absences", absent))
    if unknown:
        said.append(ngettext("%(num)s not known", "%(num)s not known", unknown))
    if open_:
        said.append(ngettext("%(num)s to confirm", "%(num)s to confirm", open_))
    if expected:
        said.append(ngettext("%(num)s still expected", "%(num)s still expected", expected))
    return ", ".join(said) + "."
