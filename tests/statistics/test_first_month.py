"""A month that began before the lieu did says from which day it is counted."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete

from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.spaces.models import LieuDay, OpenSpan
from coworking.statistics import return_rules
from coworking.statistics import services as closing
from coworking.statistics.consistency import ReturnInvalid
from coworking.statistics.envelope import envelope, figures_table
from coworking.statistics.page import month_page
from tests import factories
from tests.statistics.november import MONTH, after_the_month, wall


@pytest.fixture
def begun(inside: Flask, clock):
    """A lieu set up on Wednesday 25 November at 21:00."""
    clock.set(wall(25, 21))
    place = factories.make_place(desks=2)
    cast = factories.make_cast()
    with write_unit():
        db.session.execute(delete(OpenSpan).where(OpenSpan.day < date(2026, 11, 25)))
        db.session.execute(delete(LieuDay).where(LieuDay.day < date(2026, 11, 25)))
    return place, cast


def test_a_month_that_began_before_the_lieu_says_so(begun, clock):
    found = after_the_month(clock)
    assert found["open_days"] == 5, "the 25th to the 28th, and Monday the 30th"
    row = closing.close(SYSTEM, MONTH)
    document = envelope(row)
    assert document["counted_from"] == "2026-11-25"
    assert return_rules.check_return(document, at=clock.now) == document
    assert "counted_from;2026-11-25;" in figures_table(row)
    assert [step.title for step in month_page(MONTH).steps if step.state == "odd"] == ["Compté à partir du 25 novembre"]
    clock.set(wall(5, 9, month=1, year=2027))
    assert "counted_from" not in envelope(closing.close(SYSTEM, date(2026, 12, 1)))


@pytest.mark.parametrize("day", ["2026-11-01", "2026-10-25", "2026-12-01", "2026-11-31", "25/11/2026", 25, None])
def test_a_month_is_counted_from_one_of_its_own_days(begun, clock, day):
    after_the_month(clock)
    document = {**envelope(closing.close(SYSTEM, MONTH)), "counted_from": day}
    with pytest.raises(ReturnInvalid) as refused:
        return_rules.check_return(document, at=clock.now)
    assert refused.value.at_field == "counted_from"
