"""Adding up what several lieux said, and what a revision may not do."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coworking.network.exchange.rules import NetworkLoop
from coworking.network.head.rules import (
    NETWORK_RATES,
    SUMS,
    CountedTwice,
    Held,
    Reported,
    RevisionConflict,
    aggregate,
    is_repeated,
    pair,
    summary,
    totals,
)
from coworking.statistics import schema
from coworking.statistics.pairs import Pair
from tests.statistics.returns import any_figures, plain_figures

OCTOBER = date(2026, 10, 1)
HEAD = "9b1d6a0e-0000-4000-8000-000000000001"


def reported(number: int, **figures: object) -> Reported:
    one = plain_figures(**figures)
    return Reported(f"lieu-{number}", 1, "final", schema.digest(schema.canonical(one)), one)


def test_a_rate_is_the_sum_of_numerators_over_the_sum_of_denominators():
    small = reported(1, desk_offered_halfdays=10, desk_booked_halfdays=10, desk_attended_halfdays=10,
                     desk_known_halfdays=10, desk_absent_halfdays=0)  # fmt: skip
    large = reported(2, desk_offered_halfdays=990, desk_booked_halfdays=90, desk_attended_halfdays=80,
                     desk_known_halfdays=90, desk_absent_halfdays=10)  # fmt: skip
    rates = summary([small, large]).rates
    assert rates["desk_booked"].pair == Pair(100, 1000)  # the mean of 100 % and 9 % would say 55 %
    assert rates["desk_attended"].pair == Pair(90, 1000)
    assert rates["desk_no_show"].pair == Pair(10, 100)


def test_a_lieu_that_knows_too_little_is_left_out_with_its_denominator():
    knows = reported(1)
    hardly = reported(2, desk_attended_halfdays=None, desk_known_halfdays=100, desk_absent_halfdays=20)
    found = summary([knows, hardly]).rates
    assert found["desk_attended"].pair == Pair(260, 460)
    assert (found["desk_attended"].lieux, found["desk_attended"].left_out) == (1, 1)
    assert found["desk_no_show"].pair == Pair(30, 290)
    assert found["desk_no_show"].left_out == 1
    assert found["desk_booked"].pair == Pair(600, 920)  # what was booked and offered it does know
    assert found["desk_booked"].left_out == 0


def test_known_too_little_leaves_out_even_a_number_that_was_given():
    figures = plain_figures(desk_known_halfdays=239, desk_attended_halfdays=200, desk_absent_halfdays=39)
    assert pair(figures, "desk_attended") is None
    assert pair(figures, "desk_no_show") is None
    assert pair(plain_figures(desk_known_halfdays=240, desk_absent_halfdays=0), "desk_attended") == Pair(260, 460)


def test_unknown_figures_are_null_not_zero():
    both = [reported(1), reported(2)]
    found = totals(both)
    assert found["volunteer_minutes"].value is None
    assert found["volunteer_minutes"].left_out == 2
    assert found["worker_days"].value == 380
    assert summary(both).people.value == 82
    assert "distinct_people" not in found
    assert "peak_seats" not in found


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
@given(st.lists(any_figures(OCTOBER), max_size=6))
def test_every_sum_is_that_of_those_who_know(months: list[dict[str, object]]):
    rows = [Reported(str(n), 1, "final", "", figures) for n, figures in enumerate(months)]
    found = totals(rows)
    for name in SUMS:
        known = [row.figures[name] for row in rows if row.figures[name] is not None]
        assert found[name].value == (sum(known) if known else None)
        assert found[name].lieux + found[name].left_out == len(rows)
    rates = summary(rows).rates
    for name in NETWORK_RATES:
        pairs = [one for row in rows if (one := pair(row.figures, name)) is not None]
        assert rates[name].pair == Pair(sum(p.numerator for p in pairs), sum(p.denominator for p in pairs))
        assert rates[name].left_out == len(rows) - len(pairs)
        assert rates[name].pair.numerator <= rates[name].pair.denominator


def test_the_aggregate_names_its_members_and_no_number_of_people():
    rows = [reported(2), reported(1)]
    document = aggregate(rows, head_id=HEAD, month=OCTOBER)
    assert document["schema"] == "network-return/1"
    assert document["month"] == "2026-10"
    assert [member["lieu_id"] for member in document["members"]] == ["lieu-1", "lieu-2"]
    assert document["members"][0] == {"lieu_id": "lieu-1", "revision": 1, "digest": rows[1].digest}
    assert document["rates"]["desk_booked"] == {"numerator": 600, "denominator": 920, "lieux": 2, "left_out": 0}
    assert document["distinct_people"] is None
    assert document["null_reasons"]["distinct_people"] == "not_added_over_lieux"


def test_a_head_is_no_member_of_itself_and_no_lieu_is_a_member_twice():
    with pytest.raises(NetworkLoop):
        aggregate([Reported(HEAD, 1, "final", "", plain_figures())], head_id=HEAD, month=OCTOBER)
    with pytest.raises(CountedTwice):
        aggregate([reported(1), reported(1)], head_id=HEAD, month=OCTOBER)


def test_only_the_highest_revision_may_be_repeated():
    here = {1: Held("provisional", "a"), 2: Held("final", "b")}
    assert not is_repeated(1, Held("provisional", "a"), here={})
    assert not is_repeated(3, Held("restatement", "c"), here=here)
    assert not is_repeated(5, Held("restatement", "c"), here=here)  # revisions in between never left the lieu
    assert is_repeated(2, Held("final", "b"), here=here)
    with pytest.raises(RevisionConflict):  # below the highest, and never received
        is_repeated(3, Held("final", "c"), here={2: Held("final", "b"), 5: Held("restatement", "e")})
    for revision, offered in [(2, Held("final", "z")), (2, Held("restatement", "b")), (1, Held("provisional", "a"))]:
        with pytest.raises(RevisionConflict) as refused:
            is_repeated(revision, offered, here=here)
        assert refused.value.extra == {"highest": 2, "digest": "b"}
