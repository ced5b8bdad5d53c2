"""Up to three plain sentences about a month and one suggestion, from its figures and those of an earlier month."""

from __future__ import annotations

from dataclasses import dataclass

from coworking.core.formats import number, raised
from coworking.core.i18n import _, ngettext
from coworking.statistics.labels import percent, weekday, worded
from coworking.statistics.pairs import Pair, known_enough, rate
from coworking.statistics.schema import Figures

MOST = 3
CROWDED, EMPTY, MANY_ABSENT = 80, 30, 15
"""Percents: of desk time booked on a weekday that is full, or nearly empty; of known half-days that were not used."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """Up to three ``sentences``, and a ``suggestion`` if something can be done."""

    sentences: list[str]
    suggestion: str | None


def remarks(figures: Figures, before: Figures | None, before_name: str) -> Remarks:
    """The remarks on ``figures``, compared with ``before``, the figures of the month ``before_name``."""
    found = [
        _weekdays(figures),
        _attendance(figures),
        _change(figures, before, before_name),
        _peak(figures),
        _newcomers(figures),
    ]
    return Remarks([sentence for sentence in found if sentence][:MOST], _suggestion(figures))


def by_weekday(figures: Figures) -> dict[int, Pair]:
    """Seat-minutes booked and offered at desks on each weekday that offers any."""
    pairs = {
        day: Pair(sum(booked for booked, _offered in hours), sum(offered for _booked, offered in hours))
        for day, hours in enumerate(figures["by_weekday_hour"] or [])
    }
    return {day: pair for day, pair in pairs.items() if pair.denominator}


def _shares(figures: Figures) -> list[tuple[int, int]]:
    """(percent booked, weekday), the emptiest first."""
    return sorted((pair.percent or 0, day) for day, pair in by_weekday(figures).items())


def _weekdays(figures: Figures) -> str | None:
    shares = _shares(figures)
    if len(shares) < 2 or shares[0][0] == shares[-1][0]:
        return None
    (low, low_day), (top, top_day) = shares[0], shares[-1]
    return _(
        "%(top_day)s: %(top)s of the desk time was booked; %(low_day)s: %(low)s.",
        top_day=raised(weekday(top_day)),
        top=percent(top),
        low_day=weekday(low_day),
        low=percent(low),
    )


def _attendance(figures: Figures) -> str | None:
    booked, known = figures["desk_booked_halfdays"], figures["desk_known_halfdays"]
    if not booked or known is None:
        return None
    if not known_enough(known, booked):
        return _(
            "%(booked)s half-days were booked, and whether they were used is not known for %(unknown)s of them: "
            "attendance is not shown.",
            booked=number(booked),
            unknown=number(booked - known),
        )
    missed = rate(figures, "desk_no_show")
    if missed is None or not missed.numerator:
        return _("No booked desk is known to have stayed empty.")
    return _(
        "%(absent)s of %(known)s half-days were booked and not used (%(share)s).",
        absent=number(missed.numerator),
        known=number(missed.denominator),
        share=percent(missed.percent or 0),
    )


def _change(figures: Figures, before: Figures | None, before_name: str) -> str | None:
    now, then = figures["desk_booked_halfdays"], before and before["desk_booked_halfdays"]
    if now is None or then is None:
        return None
    said = {"booked": number(now), "month": before_name, "difference": number(abs(now - then))}
    if now > then:
        return _("%(booked)s half-days booked, %(difference)s more than in %(month)s.", **said)
    if now < then:
        return _("%(booked)s half-days booked, %(difference)s fewer than in %(month)s.", **said)
    return _("%(booked)s half-days booked, as many as in %(month)s.", **said)


def _peak(figures: Figures) -> str | None:
    if not figures["peak_seats"]:
        return None
    return _(
        "At most %(seats)s of %(all)s desks were booked at once: %(when)s.",
        seats=number(figures["peak_seats"]),
        all=number(figures["peak_seats_in_service"]),
        when=worded("peak_at", figures["peak_at"]),
    )


def _newcomers(figures: Figures) -> str | None:
    if not figures["newcomers"] or not figures["distinct_people"]:
        return None
    return ngettext(
        "%(num)s person of %(people)s came for the first time.",
        "%(num)s people of %(people)s came for the first time.",
        figures["newcomers"],
        people=number(figures["distinct_people"]),
    )


def _suggestion(figures: Figures) -> str | None:
    booked, known = figures["desk_booked_halfdays"], figures["desk_known_halfdays"]
    if booked and known is not None and not known_enough(known, booked):
        return _("To try: a sign at the door that says “I am here”, or two taps at the reception the morning after.")
    missed = rate(figures, "desk_no_show")
    if missed is not None and (missed.percent or 0) >= MANY_ABSENT:
        return _("To try: tell those who did not come how to cancel a desk; the place can go to someone else.")
    shares = _shares(figures)
    if len(shares) > 1 and shares[-1][0] >= CROWDED:
        return _(
            "To try: offer %(low_day)s to those who find no place on %(top_day)s.",
            low_day=weekday(shares[0][1]),
            top_day=weekday(shares[-1][1]),
        )
    if len(shares) > 1 and shares[0][0] < EMPTY:
        return _("To try: an open day on a %(low_day)s, when there is most room.", low_day=weekday(shares[0][1]))
    return None
