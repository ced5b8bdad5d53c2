"""The monthly return as a document: what it may say, and what is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coworking.statistics import schema
from coworking.statistics.consistency import PARTS, ReturnInvalid
from coworking.statistics.pairs import Pair, known_enough, pooled, rate
from coworking.statistics.return_rules import check_return
from coworking.statistics.schema import COUNTS, EIGHT, FIGURES, SIX
from tests.statistics.returns import any_return, plain, plain_figures, sealed

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
LATER = datetime(2029, 6, 1, tzinfo=UTC)


def refusal(document: Any, at: datetime = AT) -> ReturnInvalid:
    with pytest.raises(ReturnInvalid) as refused:
        check_return(document, at=at)
    return refused.value


def with_figures(**changes: Any) -> dict[str, Any]:
    return plain(figures=plain_figures(**changes))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_return())
def test_what_can_be_true_is_taken_and_survives_the_way(document):
    """Through JSON, as text, in another order of members: the digest is that of the numbers, not of their spelling."""
    sent = json.loads(json.dumps(dict(reversed(document.items())), indent=1))
    assert check_return(sent, at=LATER) == document
    again = json.loads(schema.canonical(document["figures"]))
    assert again == document["figures"]
    assert schema.digest(schema.canonical(again)) == document["figures_sha256"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_return(), st.sampled_from(COUNTS), st.sampled_from([-1, True, 1.0, "1", [], 2**53, None]))
def test_a_count_is_a_natural_number_or_null_with_a_reason(document, name, value):
    figures = dict(document["figures"]) | {name: value}
    figures["null_reasons"] = {n: r for n, r in figures["null_reasons"].items() if n != name}
    assert refusal(document | {"figures": figures}, LATER).at_field == f"figures.{name}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_return(), st.sampled_from(PARTS))
def test_no_part_is_larger_than_its_whole(document, pair):
    part, whole = pair
    figures = schema.filled(document["figures"], **{part: 7001, whole: 7000})
    found = refusal(sealed(document | {"figures": figures}), LATER)
    assert found.code == "return_impossible"


@pytest.mark.parametrize("name", schema.ENVELOPE)
def test_every_member_of_the_envelope_is_wanted_and_no_other(name):
    document = plain()
    assert refusal({k: v for k, v in document.items() if k != name}).at_field == name
    assert refusal(document | {f"{name}_": 1}).at_field == f"{name}_"


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_is_wanted_and_no_other(name):
    figures = plain_figures()
    missing = {k: v for k, v in figures.items() if k != name}
    assert refusal(plain() | {"figures": missing}).at_field == f"figures.{name}"
    assert refusal(plain() | {"figures": figures | {f"{name}s": 0}}).at_field == f"figures.{name}s"


@pytest.mark.parametrize(
    "envelope, field",
    [
        ({"schema": "monthly-return/2"}, "schema"),
        ({"lieu_id": "3F0C8F0E-6A4B-4C57-9A53-0A8E6F6A2F11"}, "lieu_id"),
        ({"siret": "1234567890001"}, "siret"),
        ({"siret": "１２３４５６７８９０００１１"}, "siret"),
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "half \ud800"}, "name"),
        ({"name": "nul \x00"}, "name"),
        ({"name": None}, "name"),
        ({"code_insee": "6343"}, "code_insee"),
        ({"month": "2026-13"}, "month"),
        ({"month": "2026-11"}, "month"),
        ({"month": "2027-10"}, "month"),
        ({"status": "draft"}, "status"),
        ({"status": ["final"]}, "status"),
        ({"revision": 0}, "revision"),
        ({"revision": True}, "revision"),
        ({"revision": "1"}, "revision"),
        ({"reason": "because"}, "reason"),
        ({"status": "restatement", "reason": "because"}, "revision"),
        ({"status": "restatement", "revision": 2}, "reason"),
        ({"status": "restatement", "revision": 2, "reason": "  "}, "reason"),
        ({"generated_at": "2026-10-31T00:00:00Z"}, "generated_at"),
        ({"generated_at": "2026-11-30T00:00:00Z"}, "generated_at"),
        ({"generated_at": "2026-11-05T06:00:00"}, "generated_at"),
        ({"generated_at": "2026-11-99T06:00:00Z"}, "generated_at"),
        ({"software_version": "one two"}, "software_version"),
        ({"figures": []}, "figures"),
    ],
)
def test_an_envelope_that_cannot_be_is_refused_by_name(envelope, field):
    document = plain() | envelope
    assert refusal(document).at_field == field


def test_only_an_object_is_a_return():
    for other in (None, [], "x", 3):
        assert refusal(other).at_field == "body"


def test_the_digest_must_be_that_of_the_figures():
    document = plain()
    document["figures"]["newcomers"] += 1
    assert refusal(document).at_field == "figures_sha256"


def test_a_month_is_over_when_it_is_over_somewhere():
    document = plain()
    end = datetime(2026, 11, 1, tzinfo=UTC)
    early = document | {"generated_at": "2026-10-31T10:00:00Z"}  # midnight on Kiritimati
    assert check_return(early, at=end - timedelta(hours=14))
    assert refusal(early, end - timedelta(hours=14, minutes=1)).at_field == "month"


@pytest.mark.parametrize(
    "figures, field",
    [
        ({"open_days": 32}, "open_days"),
        ({"accessible_minutes": 24 * 1440}, "accessible_minutes"),
        ({"staffed_minutes": 32 * 1440}, "staffed_minutes"),
        ({"desk_offered_halfdays": 461}, "desk_offered_halfdays"),
        ({"desk_attended_halfdays": 259}, "desk_known_halfdays"),
        (
            {"desk_known_halfdays": 239, "desk_absent_halfdays": 30, "desk_attended_halfdays": 209},
            "desk_attended_halfdays",
        ),
        ({"room_minutes_paid": 5000, "room_minutes_free": 4001}, "room_booked_minutes"),
        ({"peak_at": "2026-11-01T00:00:00+01:00"}, "peak_at"),
        ({"peak_at": "2026-10-08"}, "peak_at"),
        ({"peak_at": None}, "peak_at"),
        ({"peak_seats": 0}, "peak_at"),
        ({"worker_days": 32 * 41}, "worker_days"),
        ({"newcomers": 9}, "newcomers"),
        ({"people_by_status": {}}, "people_by_status.employee"),
        ({"by_weekday_hour": [[]] * 7}, "by_weekday_hour.0"),
        ({"by_weekday_hour": [[[1, 0]] * 24] * 7}, "by_weekday_hour.0.0.0"),
        ({"by_weekday_hour": [[[0, 1, 2]] * 24] * 7}, "by_weekday_hour.0.0"),
    ],
)
def test_figures_that_contradict_each_other_are_refused_by_name(figures, field):
    assert refusal(with_figures(**figures)).at_field == f"figures.{field}"


@pytest.mark.parametrize(
    "counts, good",
    [
        ({"employee": 20, "unknown": 21}, True),
        ({"employee": 37, "unknown": 4}, False),
        ({"employee": 20, "unknown": 20}, False),
        ({"employee": 20, "student": None, "unknown": 15}, False),
        ({"employee": 20, "student": None, "jobseeker": None, "unknown": 15}, True),
    ],
)
def test_a_split_of_people_shows_no_small_group(counts, good):
    split = dict.fromkeys(schema.STATUS_NAMES, 0) | counts
    document = plain(figures=plain_figures(people_by_status=split))
    for name, people in split.items():
        if people is None:
            document["figures"]["null_reasons"][f"people_by_status.{name}"] = "suppressed"
    document = sealed(document)
    if good:
        assert check_return(document, at=AT)
    else:
        assert refusal(document).at_field == "figures.people_by_status"


@pytest.mark.parametrize(
    "reasons, field",
    [
        ({"workshops": "who knows"}, "null_reasons.workshops"),
        ({"open_days": "not_recorded"}, "null_reasons.open_days"),
        ({"nothing": "not_recorded"}, "null_reasons.nothing"),
    ],
)
def test_null_reasons_are_known_and_name_null_figures(reasons, field):
    figures = plain_figures()
    figures["null_reasons"] = figures["null_reasons"] | reasons
    assert refusal(plain(figures=figures)).at_field == f"figures.{field}"


def test_a_lieu_without_the_software_gives_six():
    assert len(SIX) == 6 and len(EIGHT) == 8 and set(SIX) <= FIGURES and set(EIGHT) <= FIGURES
    figures = schema.filled(schema.blank("without_software"), **dict.fromkeys(SIX, 0))
    assert check_return(plain(figures=figures), at=AT)["figures"]["workshop_participants"] == 0


def test_rates_are_pairs_and_pool_by_sums():
    """10 of 100 and 40 of 50 are 50 of 150: a third, not the mean of 10 % and 80 %."""
    together = pooled([Pair(10, 100), None, Pair(40, 50)])
    assert (together.pair, together.lieux, together.left_out) == (Pair(50, 150), 2, 1)
    assert together.pair.percent == 33
    assert Pair(1, 200).percent == 1 and Pair(0, 0).percent is None


def test_what_is_unknown_has_no_rate():
    figures = plain_figures()
    assert rate(figures, "desk_booked") == Pair(300, 460)
    assert rate(figures, "desk_no_show") == Pair(30, 290)
    few = plain_figures(desk_known_halfdays=239, desk_absent_halfdays=30, desk_attended_halfdays=None)
    assert rate(few, "desk_attended") is None and rate(few, "desk_no_show") is None
    assert known_enough(240, 300) and not known_enough(239, 300) and known_enough(0, 0)
