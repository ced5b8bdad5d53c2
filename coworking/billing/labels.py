"""The label of a charge on drafts and documents, in its payer's language: clear to a payer who did not book it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from coworking.core.formats import day_month, day_year, duration, month_year
from coworking.core.i18n import _, in_language, ngettext
from coworking.core.months import month_days, month_end
from coworking.pricing.models import Quote
from coworking.pricing.reduced_words import with_rate
from coworking.pricing.unit_words import amount_of

OFFICE_LANGUAGE = "fr"
"""Organisations are written to in French."""

_SAYS_ITS_KIND = {
    "room": ("salle", "room"),
    "office": ("bureau", "office"),
    "plan": ("abonnement", "formule", "plan"),
    "pack": ("carnet", "pack"),
}


def _says(kind: str, name: str) -> bool:
    """Whether a name holds the word for what it names, so that « Salle bleue » is not called « Salle Salle bleue »."""
    words = name.casefold().split()
    return any(word in words for word in _SAYS_ITS_KIND[kind])


def half_day(locale: str) -> str:
    """« Poste de travail, demi-journée »."""
    with in_language(locale):
        return _("Desk, half-day")


def by_the_hour(kind: str, name: str, locale: str) -> str:
    """« Salle Atelier, à l’heure », « Salle bleue, à l’heure »."""
    with in_language(locale):
        if kind == "desk":
            place = _("Desk %(name)s", name=name)
        elif _says(kind, name):
            place = name
        else:
            place = _("Room %(name)s", name=name) if kind == "room" else _("Office %(name)s", name=name)
        return _("%(place)s, by the hour", place=place)


def reduced(label: str, group: str | None, locale: str) -> str:
    """``label`` with the reason where it costs less than it costs everyone."""
    with in_language(locale):
        return with_rate(label, group)


def of_quote(quote: Quote, locale: str) -> str:
    """What was quoted, with the reason where it costs less, and whose part of the price it is where an employer and its
    person share it; its resource and group are read."""
    place = quote.resource
    label = half_day(locale) if quote.unit == "half_day" else by_the_hour(place.kind, place.name, locale)
    if quote.cover == "share":
        return rest_of(label, locale)
    if quote.cover == "trial":
        return to_try(label, locale)
    if quote.is_part:
        with in_language(locale):
            return _("%(what)s, the employer’s part", what=label)
    if quote.alone_cents is not None:
        label = at_day_rate(label, locale)
    return reduced(label, quote.price_group.name if quote.price_group is not None else None, locale)


def at_day_rate(label: str, locale: str) -> str:
    """The second half-day of a day, which costs less beside the first."""
    with in_language(locale):
        return _("%(what)s, second of the day", what=label)


def to_try(label: str, locale: str) -> str:
    """The person's first half-day, at the price of trying."""
    with in_language(locale):
        return _("%(what)s, first one, to try", what=label)


def pack_given_back(unit: str, units: int, locale: str) -> str:
    """« Carnet rendu : 4 demi-journées », the reason why a pack costs less."""
    with in_language(locale):
        what = amount_of(unit, units)
        return _("Pack given back: %(what)s", what=what)


def withdrawn(last_day: date | None, locale: str) -> str:
    """« Rétractation, dû jusqu’au 26 novembre 2026 », the reason why a plan costs less; None: it was never used."""
    with in_language(locale):
        if last_day is None:
            return _("Withdrawal")
        return _("Withdrawal, owed until %(day)s", day=day_year(last_day))


def given_up(locale: str) -> str:
    """Why what was paid at the door is credited: its booking is not there any more, or is another one by now."""
    with in_language(locale):
        return _("Booking cancelled or changed")


def rest_of(label: str, locale: str) -> str:
    """What the person pays of it, where their employer pays a part."""
    with in_language(locale):
        return _("%(what)s, what your employer does not pay", what=label)


def subscription(
    name: str,
    month: date,
    halfdays: int | None,
    locale: str,
    *,
    from_day: date | None = None,
    begins_on: date | None = None,
    room_minutes: int | None = None,
    is_trial: bool = False,
) -> str:
    """« Abonnement Mi-temps, novembre 2026 : 10 demi-journées de poste, 5 h de salle »; a part of a month says its days,
    and a trial that it is one."""
    with in_language(locale):
        plan, when = name if _says("plan", name) else _("%(name)s plan", name=name), month_year(month)
        if from_day is not None:
            when = _(
                "in addition from %(first)s to %(last)s", first=day_month(from_day), last=day_year(month_end(from_day))
            )
        elif begins_on is not None:
            when = _("from %(first)s to %(last)s", first=day_month(begins_on), last=day_year(month_end(begins_on)))
        if is_trial:
            when = _("%(month)s, trial", month=when)
        if halfdays is None:
            label = _("%(plan)s, %(month)s: desk without limit", plan=plan, month=when)
        else:
            label = ngettext(
                "%(plan)s, %(month)s: %(num)s half-day at a desk",
                "%(plan)s, %(month)s: %(num)s half-days at a desk",
                halfdays,
                plan=plan,
                month=when,
            )
        if room_minutes is None:
            return label
        return _("%(label)s, %(time)s of rooms", label=label, time=duration(room_minutes))


def assigned(names: Sequence[str], kind: str, first: date, last: date, locale: str) -> str:
    """« Bureau Lavande, bureau attitré, décembre 2026 »; a part of a month says its days. ``names``: the
    place's, or those of the places it was one after the other."""
    with in_language(locale):
        name = names[0]
        for following in names[1:]:
            name = _("%(place)s, then %(following)s", place=name, following=following)
        if (first, last) == month_days(first):
            when = month_year(first)
        else:
            when = _("from %(first)s to %(last)s", first=day_month(first), last=day_year(last))
        if kind == "desk":
            return _("%(place)s, assigned desk, %(when)s", place=name, when=when)
        return _("%(place)s, assigned office, %(when)s", place=name, when=when)


def pack(name: str, unit: str, units: int, last: date, locale: str) -> str:
    """« Carnet Dix : 10 demi-journées de poste, jusqu’au 26 mai 2027 »."""
    with in_language(locale):
        says = name if _says("pack", name) else _("%(name)s pack", name=name)
        if unit == "half_day":
            what = ngettext("%(num)s half-day at a desk", "%(num)s half-days at a desk", units)
        else:
            what = _("%(time)s of meeting room", time=duration(units))
        return _("%(pack)s: %(what)s, until %(day)s", pack=says, what=what, day=day_year(last))


def discount(label: str, reason: str, locale: str) -> str:
    """« Remise (panne de chauffage) : Poste de travail, demi-journée »."""
    with in_language(locale):
        return _("Discount (%(reason)s): %(what)s", reason=reason, what=label)


def adhesion(first: date, last: date, locale: str) -> str:
    """« Adhésion annuelle, du 3 novembre 2026 au 2 novembre 2027 »."""
    with in_language(locale):
        return _("Annual membership, %(first)s to %(last)s", first=day_year(first), last=day_year(last))
