"""A day's figures from what is known of it, without a database."""

from __future__ import annotations

from coworking.statistics.rules import DayRecord, OfferedHalf, ResourceUse, Slot, count

NINE, TEN, ONE, SIX = 9 * 60, 10 * 60, 13 * 60, 18 * 60
DESK, OTHER = 1, 2


def day(**known) -> DayRecord:
    """A day open from nine to six, with two desks."""
    return DayRecord(
        open=[(NINE, SIX)],
        staffed=[],
        halves={"am": OfferedHalf([(NINE, ONE)], ONE - NINE), "pm": OfferedHalf([(ONE, SIX)], SIX - ONE)},
        hours=[(hour * 60, hour * 60 + 60) for hour in range(24)],
        desks={DESK: 1, OTHER: 1},
        rooms={},
        **known,
    )


def test_a_half_day_that_is_missed_and_booked_again_counts_once():
    uses = [ResourceUse(1, DESK, NINE, TEN), ResourceUse(2, DESK, TEN, ONE)]
    found = count(day(uses=uses, slots=[Slot(1, DESK, "am", "absent", 1), Slot(2, DESK, "am", "came", 2)]))
    assert (found.desk_offered, found.desk_booked) == (4, 1)
    assert (found.desk_attended, found.desk_absent, found.desk_known) == (1, 0, 1)


def test_a_half_day_that_was_not_offered_is_not_booked_either():
    uses = [ResourceUse(1, DESK, NINE, SIX)]
    slots = [Slot(1, DESK, "am", "came", 1), Slot(1, DESK, "pm", "came", 1)]
    found = count(day(uses=uses, slots=slots, blocks={DESK: [(ONE, SIX)]}))
    assert (found.desk_offered, found.desk_booked, found.desk_attended) == (3, 1, 1)
