"""What a worker keeps of the tariffs: a change counts for the next booking, whatever program made it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text

from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.pricing import services
from coworking.pricing.models import TariffPrice
from coworking.pricing.queries import prices_on

TODAY = date(2026, 11, 26)


@pytest.fixture
def priced(inside, place, cast):
    services.set_tariff(
        cast.manager.actor(), valid_from=TODAY, basis="ttc", vat_rate_bp=2000, by_kind={"desk": 1000}, by_resource={}
    )
    end_read()
    return place.desks[0].id


@pytest.mark.parametrize(
    ("statement", "cents"),
    [
        ("UPDATE tariff_price SET cents = 1200", 1200),
        ("DELETE FROM tariff_price", 0),
        ("UPDATE tariff SET valid_from = '2027-01-01'", 0),
    ],
)
def test_prices_changed_by_sql_count_at_once(priced, statement, cents):
    assert prices_on(TODAY).price_of("desk", priced) == 1000
    end_read()
    with db.engine.begin() as connection:
        connection.execute(text(statement))
    assert prices_on(TODAY).price_of("desk", priced) == cents


def test_kept_prices_need_no_statement(priced, count_statements):
    prices_on(TODAY)
    end_read()
    with count_statements() as asked:
        prices_on(TODAY), prices_on(date(2027, 6, 1))
    assert not [statement for statement in asked if "tariff" in statement]


def test_a_unit_that_is_rolled_back_leaves_no_prices_kept(priced):
    with pytest.raises(RuntimeError):
        _raise_the_price_and_fail(priced)
    assert prices_on(TODAY).price_of("desk", priced) == 1000


def _raise_the_price_and_fail(desk: int) -> None:
    with write_unit():
        db.session.scalars(select(TariffPrice)).one().cents = 9900
        db.session.flush()
        assert prices_on(TODAY).price_of("desk", desk) == 9900, "a unit sees what it has changed itself"
        raise RuntimeError
