"""Daily facts against a count minute by minute, and when they are counted again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coworking.core.db import db
from coworking.spaces import calendar
from coworking.statistics import facts
from tests.conftest import _empty
from tests.statistics.months import make_life
from tests.statistics.oracle import PARIS, Oracle

MARCH, OCTOBER = date(2026, 3, 29), date(2026, 10, 25)
"""The days on which clocks change; 25 December and Easter Monday (6 April) are kept, too."""


@pytest.mark.parametrize("first, days", [(date(2026, 3, 25), 15), (date(2026, 10, 21), 13), (date(2026, 12, 21), 8)])
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a month takes seconds: shrinking one would take hours
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_facts_are_what_counting_every_minute_gives(app, clock, seed, first, days):
    _empty(app)
    last = first + timedelta(days=days - 1)
    clock.set(datetime(first.year, first.month, first.day, 6, tzinfo=PARIS))
    with app.app_context():
        make_life(Random(seed).randrange, first).live(first, last)
        clock.set(datetime(last.year, last.month, last.day, 12, tzinfo=PARIS) + timedelta(days=1))
        calendar.freeze_past_days()
        db.session.rollback()
        found = {row.day: row for row in facts.between(first, last)}
        assert len(found) == days
        oracle = Oracle()
        print(seed, {n: sum(getattr(r, n) for r in found.values()) for n in (*SIMPLE, "workers", "outside_minutes")})
        for day, row in found.items():
            wanted = dict.fromkeys(SIMPLE, 0) | oracle.day(day)
            assert {name: getattr(row, name) for name in wanted} == wanted, day


SIMPLE = (
    *("desk_offered", "desk_booked", "desk_attended", "desk_known", "desk_absent", "desk_late_cancelled"),
    *("desk_resident", "room_offered", "room_booked", "room_attended", "room_known", "room_guests", "seats_in_service"),
)
