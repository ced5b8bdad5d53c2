"""No closing signs what somebody wrote past us: a day whose rows are not as they were sealed waits, and audit says why."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from coworking.accounting import closings
from coworking.accounting.closing_models import TakingsClosing
from coworking.billing import door_queries, paying, selling, services
from coworking.core import checks, guards
from coworking.core.db import db
from tests.support.billing import OCTOBER, TODAY
from tests.support.shop import Shop

TOMORROW = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.fixture
def shop(billing_lieu, inside):
    return Shop(billing_lieu)


@pytest.fixture
def paid(shop, clock) -> Shop:
    """A payment of 1.00 and a sale of 1.50 on 24 November; it is the day after."""
    issued = services.run(shop.lieu.manager, OCTOBER).issued[0]
    paying.record_payment(shop.lieu.manager, issued.public_id, 100, TODAY, "cheque")
    shop.sell({shop.coffee: 1}, 150)
    clock.set(TOMORROW)
    return shop


def by_sql(*statements: str) -> None:
    """As somebody who writes to the database itself, guards or not."""
    db.session.remove()
    with db.engine.begin() as connection:
        guards.remove(connection)
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0
        guards.install(connection)


def broken() -> list[str]:
    db.session.remove()
    return [unnumbered(sentence) for one, found in checks.run() if one.promise == 3 for sentence in found]


def unnumbered(sentence: str) -> str:
    """With ``#`` for the id or number of a row: PostgreSQL goes on counting from test to test."""
    return re.sub(r"(?<=[a-z] )\d+(?=:)", "#", sentence)


def sales() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(TakingsClosing.sales_cents).where(TakingsClosing.kind == "day")))


@pytest.mark.parametrize(
    ("change", "back", "named"),
    [
        (
            "UPDATE payment SET cents = 90 WHERE cents = 100",
            "UPDATE payment SET cents = 100 WHERE cents = 90",
            "2026-11-24 is not closed, for payment #: it is not what money entry ",
        ),
        (
            "UPDATE receipt SET method = 'card'",
            "UPDATE receipt SET method = 'cash'",
            "2026-11-24 is not closed, for receipt #: it is not what money entry ",
        ),
        (
            "UPDATE seal SET act = 'changed' WHERE subject = 'receipt'",
            "UPDATE seal SET act = 'made' WHERE subject = 'receipt'",
            ": what it covers was altered",
        ),
        (
            "UPDATE chain_entry SET signed_at = signed_at + {hour} WHERE chain = 'money'",
            "UPDATE chain_entry SET signed_at = signed_at - {hour} WHERE chain = 'money'",
            "2026-11-24 is not closed, for money entry #: what it covers was altered",
        ),
    ],
)
def test_a_day_that_was_altered_waits_until_it_is_as_it_was(paid, clock, change, back, named):
    hour = 3_600_000_000 if db.engine.dialect.name == "sqlite" else "interval '1 hour'"
    by_sql(change.format(hour=hour))
    assert closings.close_due() == 0 and sales() == []
    assert any(named in sentence for sentence in broken())
    clock.advance(days=1)
    assert closings.close_due() == 0, "no later day is closed before it"
    by_sql(back.format(hour=hour))
    assert closings.close_due() == 2 and len(sales()) == 2
    assert broken() == []


def test_a_row_that_is_gone_keeps_its_day_from_closing(paid):
    by_sql("UPDATE payment SET id = id + 70 WHERE cents = 100")
    assert closings.close_due() == 0
    assert any("2026-11-24 is not closed, for payment #: it is gone" in sentence for sentence in broken())
    by_sql("UPDATE payment SET id = id - 70 WHERE cents = 100")
    assert closings.close_due() == 1


def test_what_a_closing_reads_beside_its_day_counts_too(shop, clock):
    """The deposit was taken and closed yesterday; a return says only which one, and the closing says how much."""
    shop.sell({shop.key: 1}, 2000)
    clock.set(TOMORROW)
    assert closings.close_due() == 1
    by_sql("UPDATE deposit SET cents = 1000")
    selling.give_back(shop.host, door_queries.deposits_held()[0].public_id, "cash")
    clock.advance(days=1)
    assert closings.close_due() == 0
    assert any("2026-11-25 is not closed, for deposit #: it is not what money entry" in one for one in broken())


def test_a_day_is_judged_by_its_own_rows(paid, clock):
    """What is altered once its day is closed is named by audit, and stops no other day."""
    assert closings.close_due() == 1
    by_sql("UPDATE payment SET cents = 90 WHERE cents = 100")
    clock.advance(days=1)
    assert closings.close_due() == 1
    assert not any("is not closed" in sentence for sentence in broken())


def test_where_no_lieu_is_set_up_nothing_waits(inside):
    assert list(closings.held_back()) == [] and broken() == []


def test_the_command_says_why_nothing_is_closed(paid, app, clock):
    by_sql("UPDATE payment SET cents = 90 WHERE cents = 100")
    clock.set(TOMORROW + timedelta(days=10))
    done = app.test_cli_runner().invoke(args=["billing", "close", "2026-11"])
    assert done.exit_code == 1 and "2026-11-24 is not closed, for payment #: it is not what money entry" in unnumbered(
        done.output
    )
