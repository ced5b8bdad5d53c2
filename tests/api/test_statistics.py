"""A closed month over HTTP: the very document that was kept."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.core.policy import SYSTEM
from coworking.statistics import queries, services
from coworking.statistics.envelope import envelope
from coworking.statistics.return_rules import check_return


@pytest.fixture
def october(app, place):
    """October, of which the lieu knows the second half, is closed."""
    with app.app_context():
        row = services.close(SYSTEM, date(2026, 10, 1))
        return envelope(row)


@pytest.mark.parametrize("who", ["manager", "accountant", "lead"])
def test_a_closed_month_is_the_document_that_was_kept(app, program, cast, october, clock, who):
    answer = program(getattr(cast, who)).get("/statistics/monthly", month="2026-10")
    assert answer.status_code == 200
    assert answer.get_json() == october
    assert check_return(answer.get_json(), at=clock.now) == october


@pytest.mark.parametrize("who", ["host", "member", "stranger"])
def test_others_do_not_read_it(program, cast, october, who):
    answer = program(getattr(cast, who)).get("/statistics/monthly", month="2026-10")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")


def test_a_month_that_is_not_closed_yet_says_so(app, program, cast, october):
    manager = program(cast.manager)
    for month in ("2026-11", "2026-09", "2199-12"):
        answer = manager.get("/statistics/monthly", month=month)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "month_not_closed")
    with app.app_context():
        assert queries.latest(date(2026, 11, 1)) is None


@pytest.mark.parametrize("month", ["2026-13", "october", "", "2026-10-01", "1999-10"])
def test_what_is_no_month_is_named(program, cast, october, month):
    answer = program(cast.manager).get("/statistics/monthly", month=month)
    assert (answer.status_code, answer.get_json()["field"]) == (422, "month")
