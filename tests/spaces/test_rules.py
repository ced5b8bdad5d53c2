"""When the lieu is open, decided without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.timespan import Span, local_instant, subtract, total_minutes, union
from coworking.spaces import rules
from coworking.spaces.rules import ACCESSIBLE, STAFFED, Closing, DayPlan, Opening

PARIS = ZoneInfo("Europe/Paris")
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
TUESDAY = date(2027, 3, 2)


def plan(
    day: date,
    *hours: tuple[int, int],
    closings: tuple[Closing, ...] = (),
    holiday: str | None = None,
    split: int = 780,
    zone: ZoneInfo = PARIS,
) -> DayPlan:
    openings = [Opening(day.weekday(), layer, a, b) for layer in rules.LAYERS for a, b in hours]
    return rules.day_plan(day, openings, split, closings, holiday, zone)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def closing(day: date, start: int | None = None, end: int | None = None, reason: str = "inventaire") -> Closing:
    return Closing(day, day, start, end, reason)


# --- One day ---------------------------------------------------------------------------------------------------


def test_an_ordinary_day_is_its_hours_in_universal_time():
    day = plan(TUESDAY, (540, 750), (810, 1080))
    assert day.accessible == [Span(at(TUESDAY, 9), at(TUESDAY, 12, 30)), Span(at(TUESDAY, 13, 30), at(TUESDAY, 18))]
    assert day.staffed == day.accessible
    assert day.split_at == at(TUESDAY, 13)
    assert total_minutes([Span(day.starts_at, day.ends_at)]) == 24 * 60


def test_hours_of_other_weekdays_do_not_count():
    openings = [Opening(TUESDAY.weekday() + 1, ACCESSIBLE, 540, 1080)]
    assert rules.day_plan(TUESDAY, openings, 780, (), None, PARIS).accessible == []


def test_the_two_layers_are_kept_apart():
    openings = [Opening(1, ACCESSIBLE, 480, 1200), Opening(1, STAFFED, 540, 720)]
    day = rules.day_plan(TUESDAY, openings, 780, (), None, PARIS)
    assert (total_minutes(day.open()), total_minutes(day.open(STAFFED))) == (720, 180)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2027, 3, 27), 24)])
def test_a_day_lasts_as_long_as_the_clocks_make_it(day: date, hours: int):
    whole = plan(day, (0, 1440))
    assert total_minutes(whole.accessible) == hours * 60
    assert whole.accessible == [Span(whole.starts_at, whole.ends_at)]


def test_opening_inside_the_spring_gap_waits_for_its_end():
    day = plan(SPRING, (150, 600))
    assert day.accessible == [Span(datetime(2027, 3, 28, 1, tzinfo=UTC), at(SPRING, 10))]


def test_hours_that_the_spring_gap_swallows_are_no_hours():
    assert plan(SPRING, (120, 180)).accessible == []


def test_hours_across_the_autumn_change_count_the_hour_twice():
    assert total_minutes(plan(AUTUMN, (60, 240)).accessible) == 4 * 60


def test_a_holiday_empties_both_layers_and_is_named():
    day = plan(TUESDAY, (540, 1080), holiday="Fête nationale")
    assert (day.accessible, day.staffed, day.holiday) == ([], [], "Fête nationale")


def test_a_whole_day_closure_empties_the_day():
    day = plan(TUESDAY, (540, 1080), closings=(closing(TUESDAY),))
    assert (day.accessible, day.staffed, day.closure) == ([], [], "inventaire")


def test_a_partial_closure_is_cut_out_of_each_of_its_days():
    week = Closing(TUESDAY, TUESDAY + timedelta(days=2), 720, 1440, "travaux")
    for offset in range(3):
        day = TUESDAY + timedelta(days=offset)
        assert plan(day, (540, 1080), closings=(week,)).staffed == [Span(at(day, 9), at(day, 12))]
    after = plan(TUESDAY + timedelta(days=3), (540, 1080), closings=(week,))
    assert (total_minutes(after.accessible), after.closure) == (540, None)


def test_several_closures_of_a_day_are_all_named_once():
    closings = (closing(TUESDAY, 540, 600), closing(TUESDAY, 900, 960), closing(TUESDAY, 700, 720, "visite"))
    assert plan(TUESDAY, (540, 1080), closings=closings).closure == "inventaire · visite"


minutes = st.integers(0, 1440)
stretches = st.lists(st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1]), max_size=6)
some_days = st.dates(date(2026, 1, 1), date(2029, 12, 31)) | st.sampled_from(
    [SPRING, AUTUMN, date(2028, 3, 26), date(2028, 10, 29)]
)
some_zones = st.sampled_from(["Europe/Paris", "America/Miquelon", "Indian/Reunion"]).map(ZoneInfo)


@given(day=some_days, hours=stretches, shut=stretches, split=st.integers(1, 1439), zone=some_zones)
def test_spans_are_sorted_disjoint_inside_the_day_and_outside_closures(
    day: date, hours: list[tuple[int, int]], shut: list[tuple[int, int]], split: int, zone: ZoneInfo
):
    closings = tuple(closing(day, a, b) for a, b in shut)
    found = plan(day, *hours, closings=closings, split=split, zone=zone)
    assert found.starts_at <= found.split_at <= found.ends_at
    for layer in rules.LAYERS:
        spans = found.open(layer)
        assert union(spans) == spans
        assert all(found.starts_at <= s.start and s.end <= found.ends_at for s in spans)
        holes = [s for a, b in shut if (s := rules.local_span(day, a, b, zone))]
        assert subtract(spans, holes) == spans
        halves = rules.half_spans(found, layer)
        assert union([*halves["am"], *halves["pm"]]) == spans
        assert all(s.end <= found.split_at for s in halves["am"])
        assert all(s.start >= found.split_at for s in halves["pm"])


@given(hours=stretches, split=st.integers(1, 1439))
def test_on_a_day_without_a_clock_change_usual_minutes_are_the_open_ones(hours: list[tuple[int, int]], split: int):
    found = plan(TUESDAY, *hours, split=split)
    usual = rules.usual_minutes([Opening(1, ACCESSIBLE, a, b) for a, b in hours], 1, split)
    assert usual == {name: total_minutes(spans) for name, spans in rules.half_spans(found).items()}


# --- Half-days -------------------------------------------------------------------------------------------------

USUAL = {"am": 240, "pm": 300}


@pytest.mark.parametrize(
    ("closed_until", "offered"),
    [(540, True), (660, True), (661, False), (780, False)],
    ids=["untouched", "exactly half is left", "a minute less than half", "all closed"],
)
def test_a_half_day_is_offered_when_at_least_half_of_it_is_open(closed_until: int, offered: bool):
    closings = (closing(TUESDAY, 480, closed_until),)
    halves = rules.half_days(plan(TUESDAY, (540, 1080), closings=closings), USUAL)
    assert halves["am"].offered is offered
    assert halves["pm"].offered


def test_a_half_day_spans_its_first_opening_to_its_last_closing():
    day = plan(TUESDAY, (540, 600), (660, 780), (840, 1080))
    halves = rules.half_days(day, {"am": 180, "pm": 240})
    assert halves["am"].span == Span(at(TUESDAY, 9), at(TUESDAY, 13))
    assert halves["pm"].span == Span(at(TUESDAY, 14), at(TUESDAY, 18))


def test_a_half_the_hours_never_open_is_no_half():
    morning_only = plan(TUESDAY, (540, 780))
    assert set(rules.half_days(morning_only, {"am": 240, "pm": 0})) == {"am"}
    assert rules.half_days(plan(TUESDAY), {"am": 0, "pm": 0}) == {}


def test_a_holiday_keeps_its_halves_but_offers_none():
    halves = rules.half_days(plan(TUESDAY, (540, 1080), holiday="Noël"), USUAL)
    assert [half.offered for half in halves.values()] == [False, False]
    assert halves["am"].span is None


# --- Refusals --------------------------------------------------------------------------------------------------


def refusal(day: DayPlan, start: int = 9, end: int = 12) -> rules.ClosedThen:
    with pytest.raises(rules.ClosedThen) as caught:
        rules.check_open(day, Span(at(TUESDAY, start), at(TUESDAY, end)))
    return caught.value


def test_open_time_is_not_refused():
    rules.check_open(plan(TUESDAY, (540, 1080)), Span(at(TUESDAY, 9), at(TUESDAY, 18)))


def test_a_pause_in_the_middle_is_refused_with_the_hours():
    error = refusal(plan(TUESDAY, (540, 720), (780, 1080)), 11, 14)
    assert error.code == "outside_opening_hours"
    assert error.params["hours"] == (Span(at(TUESDAY, 9), at(TUESDAY, 12)), Span(at(TUESDAY, 13), at(TUESDAY, 18)))


def test_a_holiday_is_named():
    error = refusal(plan(TUESDAY, (540, 1080), holiday="Noël"))
    assert (error.code, error.params) == ("on_holiday", {"holiday": "Noël"})


def test_a_closure_says_why_and_what_is_left():
    whole = refusal(plan(TUESDAY, (540, 1080), closings=(closing(TUESDAY),)))
    assert (whole.code, whole.params) == ("closed", {"reason": "inventaire"})
    part = refusal(plan(TUESDAY, (540, 1080), closings=(closing(TUESDAY, 600, 1080),)))
    assert part.code == "closed"
    assert part.params["hours"] == (Span(at(TUESDAY, 9), at(TUESDAY, 10)),)


def test_a_weekday_without_hours_is_said_plainly():
    error = refusal(plan(TUESDAY))
    assert (type(error), error.code) == (rules.NeverOpenThen, "outside_opening_hours")


def test_a_half_day_that_is_not_offered_says_why():
    day = plan(TUESDAY, (540, 1080), closings=(closing(TUESDAY),))
    with pytest.raises(rules.Closed):
        rules.check_half_open(day, rules.half_days(day, USUAL)["am"])
    with pytest.raises(rules.NeverOpenThen):
        rules.check_half_open(plan(TUESDAY), None)
    open_day = plan(TUESDAY, (540, 1080))
    half = rules.half_days(open_day, USUAL)["am"]
    assert rules.check_half_open(open_day, half) is half


# --- Public holidays -------------------------------------------------------------------------------------------

GOOD_FRIDAY, ST_STEPHEN = date(2027, 3, 26), date(2027, 12, 26)


def test_the_national_list_has_eleven_days_in_french():
    found = rules.holidays_of(2027, None)
    assert len(found) == 11
    assert found[date(2027, 1, 1)] == "Jour de l\u2019an"
    assert GOOD_FRIDAY not in found


@pytest.mark.parametrize("area", ["57", "6AE"])
def test_alsace_and_moselle_keep_two_more(area: str):
    found = rules.holidays_of(2027, area)
    assert (found[GOOD_FRIDAY], found[ST_STEPHEN]) == ("Vendredi saint", "Saint-Étienne")


@pytest.mark.parametrize(
    ("postcode", "expected"),
    [
        ("63300", (None, "Europe/Paris")),
        ("57 000", ("57", "Europe/Paris")),
        ("67000", ("6AE", "Europe/Paris")),
        ("68100", ("6AE", "Europe/Paris")),
        ("97110", ("971", "America/Guadeloupe")),
        ("97133", ("BL", "America/St_Barthelemy")),
        ("97400", ("974", "Indian/Reunion")),
        ("", (None, "Europe/Paris")),
    ],
)
def test_a_postcode_tells_the_holidays_and_the_clock(postcode: str, expected: tuple[str | None, str]):
    assert rules.place_of(postcode) == expected


@pytest.mark.parametrize("area", rules.AREAS)
def test_every_area_on_offer_is_known_to_the_library(area: str):
    assert len(rules.holidays_of(2027, area)) >= 11


# --- What a manager may set ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "openings",
    [
        [Opening(0, ACCESSIBLE, 600, 600)],
        [Opening(0, ACCESSIBLE, 600, 1441)],
        [Opening(0, ACCESSIBLE, 540, 720), Opening(0, ACCESSIBLE, 719, 800)],
        [Opening(0, STAFFED, 540, 720)],
        [],
    ],
    ids=["empty stretch", "past midnight", "overlap", "never accessible", "nothing"],
)
def test_impossible_hours_are_refused(openings: list[Opening]):
    with pytest.raises(rules.InvalidHours):
        rules.check_openings(openings, 780)


def test_touching_stretches_and_both_layers_are_fine():
    rules.check_openings(
        [Opening(0, ACCESSIBLE, 540, 720), Opening(0, ACCESSIBLE, 720, 800), Opening(0, STAFFED, 600, 700)], 780
    )


@pytest.mark.parametrize(
    "wrong",
    [
        Closing(TUESDAY, TUESDAY - timedelta(days=1), None, None, "x"),
        closing(TUESDAY, 600),
        closing(TUESDAY, 600, 600),
        closing(TUESDAY, reason=" "),
    ],
)
def test_impossible_closures_are_refused(wrong: Closing):
    with pytest.raises(rules.InvalidHours):
        rules.check_closing(wrong)


def test_local_time_is_the_wall_clock():
    assert plan(AUTUMN, (540, 600)).accessible[0].start == local_instant(AUTUMN, time(9), PARIS)
