"""What the closing of a month reads does not grow with the years before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert

from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.presence.models import Presence
from coworking.statistics import services as closing
from tests.statistics.oracle import PARIS
from tests.support.work import analysed, unknown, worked

SEED = 200
LAST_DAY = date(2025, 12, 31)


def add_presences(people, first: int, last: int) -> None:
    """The ``first`` to ``last`` day before 2026: each person was there in the morning."""
    rows = []
    for n in range(first, last):
        day = LAST_DAY - timedelta(days=n)
        arrived = datetime(day.year, day.month, day.day, 9, tzinfo=PARIS)
        times = {"day": day, "arrived_at": arrived, "left_at": arrived + timedelta(hours=3)}
        rows += [{"person_id": person.id, "evidence": "self"} | times for person in people]
    with write_unit():
        db.session.execute(insert(Presence), rows)


def come(people, day: date) -> None:
    with write_unit():
        for person in people:
            arrived = datetime(day.year, day.month, day.day, 9, tzinfo=PARIS)
            db.session.add(Presence(person_id=person.id, day=day, arrived_at=arrived, evidence="self"))


@pytest.mark.parametrize("known", [unknown, analysed], ids=["unknown to the planner", "analysed"])
def test_closing_reads_the_same_after_ten_times_the_years(inside, place, cast, clock, known):
    clock.set(datetime(2027, 1, 4, 10, tzinfo=PARIS))
    people = (cast.member, cast.manager)
    costs: list[int] = []
    first = 0
    for last, day in ((SEED, date(2026, 11, 5)), (10 * SEED, date(2026, 12, 3))):
        add_presences(people, first, last)
        come(people, day)
        with known(db.engine), worked(db.engine) as work:
            row = closing.close(SYSTEM, day.replace(day=1))
        assert '"distinct_people":2' in row.figures.replace(" ", "")
        costs.append(work.amount)
        first = last
    few, many = costs
    assert few, "nothing was counted"
    assert many <= few + SEED
