"""What is improbable is told from what cannot be, on the figures alone."""

from __future__ import annotations

import pytest

from coworking.network.head.chain_heads import shortened
from coworking.network.head.doubts import Doubt, doubts, outweighing, read, written
from tests.statistics.returns import plain_figures


def test_an_ordinary_month_is_beyond_doubt():
    assert doubts(plain_figures(), [plain_figures() for _ in range(3)]) == []
    assert doubts(plain_figures(), []) == []


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"desk_offered_halfdays": 4600, "desks_in_service": 100}, ("far_above", "desk_offered_halfdays", 4600, 460)),
        ({"desk_offered_halfdays": 100, "desk_booked_halfdays": 50}, ("far_below", "desk_offered_halfdays", 100, 460)),
        ({"distinct_people": 410}, ("far_above", "distinct_people", 410, 41)),
    ],
)
def test_a_month_unlike_the_lieu_s_own_is_doubted(changes, doubt):
    found = doubts(plain_figures(**changes), [plain_figures() for _ in range(3)])
    assert Doubt(*doubt) in found
    assert read(written(found)) == found


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"desk_offered_halfdays": 23 * 2 * 151}, ("many_desks", "desk_offered_halfdays", 6946, 150)),
        (
            {"desk_attended_halfdays": 260, "worker_days": 100},
            ("beyond_worker_days", "desk_attended_halfdays", 260, 200),
        ),
        ({"staffed_minutes": 99, "accessible_minutes": 90}, ("staffed_beyond_open", "staffed_minutes", 99, 90)),
    ],
)
def test_some_figures_are_doubted_whatever_came_before(changes, doubt):
    assert doubts(plain_figures(**changes), []) == [Doubt(*doubt)]


def test_one_lieu_that_outweighs_the_others_is_doubted():
    ordinary = dict.fromkeys(range(5), 400)
    assert outweighing(ordinary | {9: 4000}) == {}
    assert outweighing(ordinary | {9: 4001}) == {9: Doubt("outweighs", "desk_offered_halfdays", 4001, 400)}
    assert outweighing({1: 400, 2: 400, 3: 400, 9: 90_000, 8: None}) == {}, "of so few, each weighs"


def test_a_chain_that_became_shorter_or_another_is_seen():
    first, second = {"seq": 9, "digest": "a"}, {"seq": 12, "digest": "b"}
    assert shortened([(1, {"money": first}), (2, None), (3, {"money": second}), (4, {"money": second})]) == []
    (cut,) = shortened([(1, {"money": second}), (2, {"money": first, "trail": first})])
    assert (cut.chain, cut.at, cut.seq, cut.reached) == ("money", 2, 9, 12)
    (other,) = shortened([(1, {"money": first}), (2, {"money": first | {"digest": "c"}})])
    assert (other.seq, other.reached) == (9, 9)
