"""Dates, hours and money as people read them, in French and in English.

French documents write « jeudi 26 novembre », « 9 h 30 », « 1 234,50 € », with a narrow no-break space where a line must not
break. English ones write “Thursday 26 November”, “9:30”, “€1,234.50”.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names
from babel.numbers import format_currency, format_decimal
from flask import Flask, g

from coworking.core import place
from coworking.core.i18n import _, language
from coworking.core.months import write_month
from coworking.core.timespan import Span

NARROW = "\u202f"


def use_zone(zone: ZoneInfo) -> None:
    """Show instants of this request in ``zone``."""
    g.zone = zone


def _local(instant: datetime) -> datetime:
    if "zone" not in g:  # nobody asked for the lieu yet in this request
        use_zone(place.clock())
    return instant.astimezone(g.zone)


def _said(day: date, pattern: str) -> str:
    """``day`` by a CLDR pattern; the first of a month is « 1er » in French."""
    if day.day == 1 and language() == "fr":
        pattern = re.sub(r"\bd\b", "d'er'", pattern)
    return str(format_date(day, pattern, locale=language()))


def day_long(day: date) -> str:
    """« jeudi 26 novembre », « mardi 1er décembre »."""
    return _said(day, "EEEE d MMMM")


def day_full(day: date) -> str:
    """« jeudi 26 novembre 2026 »."""
    return _said(day, "EEEE d MMMM y")


def day_short(day: date) -> str:
    """« jeu. 26 nov. »."""
    return _said(day, "EEE d MMM")


def day_year(day: date) -> str:
    """« 26 novembre 2026 »."""
    return _said(day, "d MMMM y")


def weekday_short(day: date) -> str:
    """« jeu. »."""
    return str(format_date(day, "EEE", locale=language()))


def weekday_names() -> list[str]:
    """Monday to Sunday in the reader's language."""
    names = get_day_names("wide", locale=language())
    return [str(names[weekday]) for weekday in range(7)]


def weekdays(mask: int | None) -> str:
    """« mardi, jeudi » for a bit mask of which bit 0 is Monday; None is any day."""
    if mask is None:
        return _("any day")
    return ", ".join(name for place, name in enumerate(weekday_names()) if mask >> place & 1)


def day_month(day: date) -> str:
    """« 26 novembre »."""
    return _said(day, "d MMMM")


def month_year(day: date) -> str:
    """« novembre 2026 »."""
    return str(format_date(day, "LLLL y", locale=language()))


def month_name(day: date) -> str:
    """« novembre »."""
    return str(format_date(day, "LLLL", locale=language()))


def week_span(first: date, last: date) -> str:
    """« du 23 au 28 novembre », « du 30 novembre au 5 décembre »."""
    start = _said(first, "d") if (first.year, first.month) == (last.year, last.month) else day_month(first)
    return _("%(start)s to %(end)s", start=start, end=day_month(last))


def minute_of_day(minute: int) -> str:
    """« 9 h 30 » for 570 minutes after midnight."""
    return minute_in(language(), minute)


@cache
def minute_in(written: str, minute: int) -> str:
    """« 9 h 30 » for 570 minutes after midnight, as the language ``written`` has it."""
    hours, minutes = divmod(minute, 60)
    if written == "fr":
        return f"{hours}{NARROW}h" + (f"{NARROW}{minutes:02d}" if minutes else "")
    return f"{hours}:{minutes:02d}"


def duration(minutes: int) -> str:
    """« 30 min », « 1 h 30 », « 2 h »."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}{NARROW}min"
    return f"{hours}{NARROW}h" + (f"{NARROW}{rest:02d}" if rest else "")


def hour(instant: datetime) -> str:
    """The local wall-clock time of ``instant``."""
    local = _local(instant)
    return minute_of_day(local.hour * 60 + local.minute)


def end_hour(instant: datetime) -> str:
    """As `hour`, of an instant that ends something: midnight is « 24 h »."""
    local = _local(instant)
    return minute_of_day(local.hour * 60 + local.minute or 24 * 60)


def minutes_range(start: int, end: int) -> str:
    """« 9–13 h » where both are whole hours, « 9 h 30 – 13 h » otherwise."""
    if language() == "fr" and start % 60 == end % 60 == 0:
        return f"{start // 60}\u2013{end // 60}{NARROW}h"
    return f"{minute_of_day(start)}\u00a0\u2013 {minute_of_day(end)}"


def span_hours(span: Span) -> str:
    """« 9–13 h »; « 23 h – 1 h le vendredi 27 novembre » where it goes over midnight."""
    start, end = _local(span.start), _local(span.end)
    if _over_midnight(start, end):
        hours = f"{hour(span.start)}\u00a0\u2013 {hour(span.end)}"
        return _("%(hours)s on %(day)s", hours=hours, day=day_long(end.date()))
    return minutes_range(start.hour * 60 + start.minute, (end.hour * 60 + end.minute) or 1440)


def until_next_day(span: Span) -> str:
    """« jusqu’à 1 h, le vendredi 27 novembre » of what goes over midnight, nothing of anything else."""
    start, end = _local(span.start), _local(span.end)
    if not _over_midnight(start, end):
        return ""
    return _("until %(hour)s on %(day)s", hour=hour(span.end), day=day_long(end.date()))


def _over_midnight(start: datetime, end: datetime) -> bool:
    """Whether ``end`` is on another date; midnight ends the day."""
    return start.date() < (end - timedelta(microseconds=1)).date()


def wall_clock(instant: datetime) -> datetime:
    """The local date and time of ``instant``, without a zone, as a spreadsheet holds it."""
    return _local(instant).replace(tzinfo=None)


def instant_day(instant: datetime) -> date:
    """The local date of ``instant``."""
    return _local(instant).date()


def money(cents: int, currency: str = "EUR") -> str:
    """« 1 234,50 € », « −9,00 € »; whole amounts keep their cents, figures align on the comma."""
    return str(format_currency(Decimal(cents) / 100, currency, locale=language())).replace("-", "\u2212")


def decimal(hundredths: int) -> str:
    """« 12,50 » for 1250, « 12 » for 1200: a price or a rate as an input holds it."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}{',' if language() == 'fr' else '.'}{rest:02d}" if rest else str(whole)


def number(value: int) -> str:
    return str(format_decimal(value, locale=language()))


def siret(digits: str) -> str:
    """« 123 456 789 00012 » (SIRET), « 123 456 789 » (SIREN): in groups, which do not part at a line's end."""
    parts = [digits[:3], digits[3:6], digits[6:9], digits[9:]]
    return "\u00a0".join(part for part in parts if part)


def initials(name: str) -> str:
    """« AM » for Anne Marchand."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalpha()]
    return (words[0][0] + words[-1][0] if len(words) > 1 else name[:2]).upper()


def raised(text: str) -> str:
    """``text`` with a capital at its beginning, where a sentence or a title begins with it; the rest as it was."""
    return text[:1].upper() + text[1:]


def init_formats(app: Flask) -> None:
    """Give the templates these functions as filters."""
    for function in (
        day_long,
        day_full,
        day_short,
        day_year,
        weekday_short,
        weekdays,
        day_month,
        month_year,
        month_name,
        minute_of_day,
        hour,
        end_hour,
        span_hours,
        until_next_day,
        instant_day,
        money,
        decimal,
        number,
        siret,
        initials,
        raised,
    ):
        app.add_template_filter(function)
    app.jinja_env.globals.update(week_span=week_span, minutes_range=minutes_range, write_month=write_month)
