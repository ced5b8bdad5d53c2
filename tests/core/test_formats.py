"""Dates as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from coworking.core import formats
from coworking.core.i18n import in_language

FIRST, LAST = date(2027, 1, 1), date(2027, 1, 31)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (
            "fr",
            ["vendredi 1er janvier", "vendredi 1er janvier 2027", "ven. 1er janv.", "1er janvier", "1er janvier 2027"],
        ),
        ("en", ["Friday 1 January", "Friday 1 January 2027", "Fri 1 Jan", "1 January", "1 January 2027"]),
    ],
)
def test_the_first_of_a_month(apps, locale, words):
    with apps("sqlite").app_context(), in_language(locale):
        said = (formats.day_long, formats.day_full, formats.day_short, formats.day_month, formats.day_year)
        assert [say(FIRST) for say in said] == words


def test_a_capital_at_the_beginning_leaves_the_other_letters():
    assert [formats.raised(text) for text in ("samedi 28 novembre", "Saturday 28 November", "été", "")] == [
        "Samedi 28 novembre",
        "Saturday 28 November",
        "Été",
        "",
    ]


def test_spans_that_begin_on_it(apps):
    with apps("sqlite").app_context(), in_language("fr"):
        assert formats.week_span(FIRST, LAST) == "du 1er au 31 janvier"
        assert formats.week_span(date(2026, 11, 30), FIRST) == "du 30 novembre au 1er janvier"
        assert formats.week_span(date(2026, 12, 11), date(2026, 12, 21)) == "du 11 au 21 décembre"
        assert formats.day_long(date(2026, 12, 21)) == "lundi 21 décembre"


@pytest.mark.parametrize(("locale", "words"), [("fr", ["0\u202fh", "24\u202fh"]), ("en", ["0:00", "24:00"])])
def test_midnight_begins_a_day_and_ends_one(apps, locale, words):
    midnight = datetime(2026, 11, 26, 23, tzinfo=UTC)
    with apps("sqlite").app_context(), in_language(locale):
        formats.use_zone(ZoneInfo("Europe/Paris"))
        assert [formats.hour(midnight), formats.end_hour(midnight)] == words


def test_a_filter_has_one_meaning(apps):
    """A module that registers a name again would change it on every page."""
    app = apps("sqlite")
    own = {name: found for name, found in vars(formats).items() if getattr(found, "__module__", "") == formats.__name__}
    given = {name: found for name, found in app.jinja_env.filters.items() if name in own}
    assert "day_year" in given
    assert all(found is own[name] for name, found in given.items())
