"""What a month's page remarks, and what it suggests."""

from __future__ import annotations

import pytest

from coworking.core.i18n import in_language
from coworking.statistics.observations import remarks
from tests.statistics.returns import plain_figures


@pytest.fixture
def engine_name():
    """Words do not depend on the engine."""
    return "sqlite"


def said(before=None, **changes):
    with in_language("en"):
        return remarks(plain_figures(**changes), before, "October 2025")


def hours(*shares: int):
    """A week of which Monday, Tuesday… have these percents booked, of 600 minutes at nine."""
    table = [[[0, 0] for _ in range(24)] for _ in range(7)]
    for day, share in enumerate(shares):
        table[day][9] = [6 * share, 600]
    return table


def test_three_sentences_at_most_the_telling_ones_first(inside):
    found = said(by_weekday_hour=hours(18, 40, 40, 78), before=plain_figures(desk_booked_halfdays=290))
    assert found.sentences == [
        "Thursday: 78% of the desk time was booked; Monday: 18%.",
        "30 of 290 half-days were booked and not used (10%).",
        "300 half-days booked, 10 more than in October 2025.",
    ]
    assert found.suggestion == "To try: an open day on a Monday, when there is most room."


def test_a_full_weekday_suggests_an_empty_one(inside):
    assert said(by_weekday_hour=hours(35, 85)).suggestion == (
        "To try: offer Monday to those who find no place on Tuesday."
    )


def test_many_absences_and_many_unknown_outcomes(inside):
    absent = said(desk_absent_halfdays=60, desk_attended_halfdays=230)
    assert "did not come" in (absent.suggestion or "")
    unknown = said(desk_known_halfdays=200, desk_absent_halfdays=20, desk_attended_halfdays=None)
    assert any("not known for 100 of them" in sentence for sentence in unknown.sentences)
    assert "I am here" in (unknown.suggestion or "")


def test_nothing_is_made_up_where_nothing_is_known(inside):
    nothing = said(
        desk_booked_halfdays=None, desk_known_halfdays=None, desk_absent_halfdays=None, desk_attended_halfdays=None,
        peak_seats=None, peak_at=None, newcomers=None, by_weekday_hour=None,
    )  # fmt: skip
    assert (nothing.sentences, nothing.suggestion) == ([], None)


def test_fewer_and_as_many(inside):
    one = hours(50)
    less = said(by_weekday_hour=one, before=plain_figures(desk_booked_halfdays=301))
    same = said(by_weekday_hour=one, before=plain_figures())
    assert "1 fewer than" in less.sentences[1] and "as many as" in same.sentences[1]
    assert less.suggestion is None
