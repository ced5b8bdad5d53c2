"""Each day is closed once, says what was recorded in it, and stays so; nothing is left out, nothing counted twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounting import closing_queries, closings, drawer
from coworking.accounting.closing_models import TakingsClosing
from coworking.billing import door_queries, payer_credit, paying, selling, services
from coworking.billing.payer_credit_queries import payer_of
from coworking.core import chain, checks, guards
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces import services as spaces
from tests.support.billing import OCTOBER, TODAY, make_billing_lieu, settled
from tests.support.shop import Shop
from tests.support.threads import at_once

TOMORROW = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.fixture
def shop(billing_lieu, inside):
    return Shop(billing_lieu)


def broken() -> list[str]:
    return [sentence for one, found in checks.run() if one.promise in (1, 3) for sentence in found]


def rows(kind="day") -> list[TakingsClosing]:
    db.session.rollback()
    statement = select(TakingsClosing).where(TakingsClosing.kind == kind).order_by(TakingsClosing.seq)
    return list(db.session.scalars(statement))


def figures(row: TakingsClosing):
    return closing_queries.closing_text(row)["figures"]


def sold_on_a_tuesday(shop) -> None:
    """A drawer with a difference, two receipts of which one is undone, a paid invoice, October's invoices with a payment."""
    opening = drawer.open_drawer(shop.host, 5000)
    shop.sell({"h": 1, shop.key: 1}, 2900)
    wrong = shop.sell({shop.coffee: 2}, 300, method="card")
    selling.cancel(shop.host, wrong.public_id, "Erreur")
    shop.sell({shop.coffee: 1}, 150, person=shop.lieu.cast.stranger)
    issued = {row.payable_cents: row for row in services.run(shop.lieu.manager, OCTOBER).issued}
    paying.record_payment(shop.lieu.manager, issued[6600].public_id, 100, TODAY, "transfer")
    services.credit(shop.lieu.manager, issued[900].public_id, "Erreur")
    with write_unit():
        payer_credit.receive(shop.lieu.manager, payer_of(issued[6600].public_id), 500, TODAY, "VIR")
    selling.give_back(shop.host, door_queries.deposits_held()[0].public_id, "cash")
    drawer.close_drawer(shop.host, opening.public_id, 5000 + 900 + 150 - 10, "Rendu de monnaie")


def test_a_day_says_all_that_was_recorded_in_it(shop, clock):
    sold_on_a_tuesday(shop)
    clock.set(TOMORROW)
    assert closings.close_due() == 1
    (row,) = rows()
    assert (row.seq, row.first_day, row.first_entry) == (1, TODAY, 1)
    said = figures(row)
    assert said["receipts"] == {"count": 2, "undone": 1, "sales_cents": 900}
    assert said["door_invoices"] == {"count": 1, "undone": 0, "sales_cents": 150}
    employer = 3 * 2000
    assert said["invoices"] == {"count": 4, "sales_cents": 150 + 6600 + 900 + said["invoices"]["sales_cents"] - 7650}
    assert said["credit_notes"] == {"count": 1, "sales_cents": -900}
    assert said["means"] == {
        "cash": {"count": 2, "in_cents": 900 + 150, "out_cents": 0},
        "card": {"count": 2, "in_cents": 300, "out_cents": 300},
        "transfer": {"count": 1, "in_cents": 100, "out_cents": 0},
    }
    assert said["taken_cents"] == 1150 and employer
    assert said["deposits"] == {"taken_cents": 2000, "returned_cents": 2000, "means": {"cash": 0}}
    assert said["credits"] == {"received_cents": 500, "given_cents": 0}
    assert said["drawer"]["difference_cents"] == -10 and said["drawer"]["counts"] == 2
    content = closing_queries.closing_text(row)
    assert [(one["kind"], one["expected_cents"], one["counted_cents"]) for one in content["counts"]] == [
        ("opened", 0, 5000),
        ("closed", 6050, 6040),
    ]
    assert said["gross_cents"] == said["sales_cents"] + 900 + 300
    assert (row.perpetual_sales_cents, row.perpetual_gross_cents) == (row.sales_cents, row.gross_cents)
    assert broken() == []


def test_closing_again_closes_nothing_and_a_missed_week_is_made_up_day_by_day(shop, clock):
    shop.sell({shop.coffee: 1}, 150)
    assert closings.close_due() == 0, "today is not over"
    clock.set(TOMORROW)
    assert (closings.close_due(), closings.close_due()) == (1, 0)
    shop.sell({shop.coffee: 2}, 300)
    clock.set(TOMORROW + timedelta(days=7))
    assert closings.close_due() == 7
    made = rows()
    assert [row.sales_cents for row in made] == [150, 300, 0, 0, 0, 0, 0, 0]
    assert [row.perpetual_sales_cents for row in made] == [150] + [450] * 7
    assert [row.first_day for row in made] == [TODAY + timedelta(days=number) for number in range(8)]
    (month,) = rows("month")
    assert (month.first_day, month.last_day, month.sales_cents) == (TODAY, date(2026, 11, 30), 450)
    assert broken() == []


def test_what_is_recorded_late_is_in_the_closing_of_that_day(shop, clock):
    issued = services.run(shop.lieu.manager, OCTOBER).issued[0]
    clock.set(TOMORROW)
    closings.close_due()
    paying.record_payment(shop.lieu.manager, issued.public_id, 100, TODAY, "cheque")
    clock.set(TOMORROW + timedelta(days=1))
    closings.close_due()
    first, second = rows()
    assert "cheque" not in figures(first)["means"]
    assert figures(second)["means"]["cheque"]["in_cents"] == 100
    assert broken() == []


def test_a_year_is_the_sum_of_its_days_and_totals_go_on_in_the_next(shop, clock):
    shop.sell({shop.coffee: 1}, 150)
    clock.set(datetime(2026, 12, 15, 9, tzinfo=UTC))
    shop.sell({shop.coffee: 2}, 300)
    clock.set(datetime(2027, 1, 5, 9, tzinfo=UTC))
    shop.sell({shop.coffee: 3}, 450)
    clock.set(datetime(2027, 2, 1, 9, tzinfo=UTC))
    assert closings.close_due() == 69
    assert [row.sales_cents for row in rows("month")] == [150, 300, 450]
    (year,) = rows("year")
    assert (year.first_day, year.last_day, year.sales_cents) == (TODAY, date(2026, 12, 31), 450)
    assert figures(year)["receipts"]["count"] == 2
    assert rows("month")[-1].perpetual_sales_cents == rows()[-1].perpetual_sales_cents == 900, "never reset"
    assert broken() == []


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 28), 23), (date(2027, 10, 31), 25)])
def test_a_day_ends_at_midnight_of_the_lieu_whatever_its_length(shop, clock, day, hours):
    """The last minute before midnight in Paris, and the first one after it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=24 - (2 if hours == 23 else 1))
    clock.set(midnight - timedelta(minutes=1))
    shop.sell({shop.coffee: 1}, 150)
    clock.set(midnight)
    shop.sell({shop.coffee: 2}, 300)
    clock.set(midnight + timedelta(days=2))
    closings.close_due()
    by_day = {row.first_day: row for row in rows()}
    assert by_day[day].sales_cents == 150 and by_day[day + timedelta(days=1)].sales_cents == 300
    assert by_day[day].ends_at - by_day[day].starts_at == timedelta(hours=hours)
    assert broken() == []


def test_a_clock_that_goes_back_leaves_nothing_out(shop, clock):
    clock.set(TOMORROW)
    shop.sell({shop.coffee: 1}, 150)
    clock.set(datetime(2026, 11, 24, 12, tzinfo=UTC))
    shop.sell({shop.coffee: 2}, 300)
    clock.set(TOMORROW + timedelta(hours=1))
    assert closings.close_due() == 1
    clock.set(datetime(2026, 11, 24, 13, tzinfo=UTC))
    assert closings.close_due() == 0
    shop.sell({shop.coffee: 3}, 450)
    clock.set(TOMORROW + timedelta(days=1))
    assert closings.close_due() == 1
    assert [row.sales_cents for row in rows()] == [0, 900], "what was signed after a day's end is of the next"
    assert broken() == []


def test_sixteen_close_each_day_once(shop, app, clock):
    shop.sell({shop.coffee: 1}, 150)
    clock.set(TOMORROW + timedelta(days=6))

    def close() -> int:
        with app.app_context():
            try:
                return closings.close_due()
            finally:
                db.session.remove()

    done = at_once([close] * 16)
    assert sum(done) == 7
    assert [row.seq for row in rows()] == list(range(1, 8)) and len(rows("month")) == 1
    assert broken() == []


def test_a_lieu_that_is_not_liable_closes_nothing_and_begins_when_it_becomes_so(app, clock):
    with app.app_context():
        lieu = make_billing_lieu(vat_status="franchise")
        settled(lieu)
        shop = Shop(lieu)
        shop.sell({shop.coffee: 1}, 150)
        clock.advance(days=3)
        assert closings.close_due() == 0 and closings.so_far() is None and not closing_queries.has_closings()
        spaces.update_lieu(lieu.manager, vat_status="taxable")
        shop.sell({shop.coffee: 2}, 300)
        clock.advance(days=2)
        assert closings.close_due() == 2
        first, _ = rows()
        assert (first.first_day, first.sales_cents, first.perpetual_sales_cents) == (date(2026, 11, 27), 300, 300)
        assert first.first_entry > 1, "what was recorded before is in no closing"
        spaces.update_lieu(lieu.manager, vat_status="franchise")
        clock.advance(days=1)
        assert closings.close_due() == 1 and closing_queries.has_closings(), "once begun, no day is left out"
        assert broken() == []


def test_today_so_far_is_shown_and_not_kept(shop, clock):
    clock.set(TOMORROW)
    closings.close_due()
    shop.sell({shop.coffee: 1}, 150)
    found = closings.so_far()
    assert found is not None
    day, said = found
    assert (day, said["sales_cents"], len(rows())) == (date(2026, 11, 25), 150, 1)


def test_a_day_is_read_in_as_many_statements_whatever_was_sold(shop, clock, count_statements):
    def close() -> int:
        with count_statements() as counted:
            assert closings.close_due() == 1
        return len(counted)

    shop.sell({shop.coffee: 1}, 150)
    clock.set(TOMORROW)
    close()
    counts = []
    for number in (2, 6):
        for _ in range(number):
            shop.sell({shop.coffee: 1}, 150)
        clock.advance(days=1)
        counts.append(close())
    assert counts[0] == counts[1] <= 32


# What the database refuses --------------------------------------------------------------------------------------------

COLUMNS = (
    "public_id, kind, seq, first_day, last_day, starts_at, ends_at, first_entry, last_entry, sales_cents, gross_cents,"
    " vat_cents, perpetual_sales_cents, perpetual_gross_cents, payload, sha256, prev, key_id, signature, closed_at"
)


@pytest.fixture
def closed(shop, clock):
    """Two closed days, the second of which sold 3.00, and one to come."""
    shop.sell({shop.coffee: 1}, 150)
    clock.set(TOMORROW)
    closings.close_due()
    shop.sell({shop.coffee: 2}, 300)
    clock.set(TOMORROW + timedelta(days=1))
    closings.close_due()
    db.session.rollback()
    return shop


def insert(**changed) -> str:
    """A third day's closing behind the second, right but for what is ``changed``."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    day = 24 * 3600 * 1_000_000 if is_sqlite else "interval '1 day'"
    values = {
        "public_id": "'x'",
        "kind": "kind",
        "seq": "3",
        "first_day": "'2026-11-26'",
        "last_day": "'2026-11-26'",
        "starts_at": "ends_at",
        "ends_at": f"ends_at + {day}",
        "first_entry": "last_entry + 1",
        "last_entry": "last_entry + 2",
        "sales_cents": "10",
        "gross_cents": "20",
        "vat_cents": "2",
        "perpetual_sales_cents": "perpetual_sales_cents + 10",
        "perpetual_gross_cents": "perpetual_gross_cents + 20",
        "payload": "''",
        "sha256": "''",
        "prev": "'p'",
        "key_id": "''",
        "signature": "''",
        "closed_at": f"ends_at + {day}",
    } | changed
    if not is_sqlite:
        values |= {name: f"CAST({values[name]} AS date)" for name in ("first_day", "last_day")}
    chosen = ", ".join(values[name] for name in COLUMNS.replace(",", " ").split())
    return f"INSERT INTO closing ({COLUMNS}) SELECT {chosen} FROM closing WHERE seq = 2 AND kind = 'day'"


def refusal(statement: str) -> str | None:
    try:
        with db.engine.begin() as connection:
            connection.execute(text(statement))
            connection.rollback()
    except IntegrityError as error:
        return guards.refused_by(error) or "constraint"
    return None


def test_the_database_takes_the_closing_that_follows(closed):
    assert refusal(insert()) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"first_day": "'2026-11-27'", "last_day": "'2026-11-27'"},  # a day left out
        {"first_entry": "last_entry + 2", "last_entry": "last_entry + 3"},  # an entry left out
        {"first_entry": "last_entry"},  # an entry counted twice
        {"starts_at": "closed_at"},  # an hour left out
        {"perpetual_sales_cents": "10"},  # begins anew
        {"perpetual_gross_cents": "perpetual_gross_cents + 19"},
        {"seq": "4"},
        {"seq": "1", "perpetual_sales_cents": "10", "perpetual_gross_cents": "20"},
        {"kind": "'month'", "seq": "1", "perpetual_sales_cents": "10", "perpetual_gross_cents": "20"},  # not its days
    ],
)
def test_the_database_refuses_a_gap_an_overlap_and_a_total_that_begins_anew(closed, changed):
    assert refusal(insert(**changed)) == "closing_follows"


@pytest.mark.parametrize("changed", [{"gross_cents": "-1"}, {"last_entry": "last_entry - 1"}, {"kind": "'week'"}])
def test_the_database_refuses_what_no_closing_can_say(closed, changed):
    assert refusal(insert(**changed)) in {"constraint", "closing_follows"}


@pytest.mark.parametrize(
    "statement",
    ["UPDATE closing SET sales_cents = 0", "UPDATE closing SET payload = '{}'", "DELETE FROM closing"],
)
def test_nothing_changes_a_closing(closed, statement):
    assert refusal(statement) == "closing_append_only"


# What audit finds -----------------------------------------------------------------------------------------------------


def tampered(*statements: str) -> list[str]:
    with db.engine.begin() as connection:
        guards.remove(connection)
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0
        guards.install(connection)
    db.session.remove()
    return broken()


LAST = "(SELECT max(id) FROM closing)"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE closing SET sales_cents = sales_cents - 1 WHERE seq = 2"], "says something else than its content"),
        (["UPDATE closing SET payload = replace(payload, 'Pont', 'Lac')"], "its content was altered"),
        (["UPDATE closing SET last_entry = last_entry - 1 WHERE seq = 1"], "begins with entry"),
        (["UPDATE closing SET perpetual_sales_cents = 300 WHERE seq = 2"], "its perpetual totals are not"),
        ([f"DELETE FROM closing WHERE id = {LAST}"], ": it is gone, though money entry"),
        (["DELETE FROM closing WHERE seq = 1"], "does not continue the entry before"),
        (
            ["UPDATE receipt SET payload = replace(payload, '_cents\"\\:150', '_cents\"\\:149')"],
            "its figures",
        ),
        (["UPDATE seal SET subject = 'charge' WHERE subject = 'receipt'"], "its figures are not what"),
    ],
)
def test_audit_finds_what_sql_did(closed, statements, found):
    assert any(found in sentence for sentence in tampered(*statements)), tampered


def test_a_closing_replaced_by_one_that_leaves_a_line_out_is_found_though_it_is_signed(closed, monkeypatch):
    """As somebody who holds the signing key would do it: each link holds, the rows tell."""
    row = rows()[-1]
    content = closing_queries.closing_text(row)
    last = rows()[0]
    with db.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text(f"DELETE FROM seal WHERE subject = 'closing' AND first_id = {row.id}"))
        connection.execute(text(f"DELETE FROM closing WHERE id = {row.id}"))
        guards.install(connection)
    db.session.remove()
    monkeypatch.setattr(closing_queries, "recorded", lambda first, until: iter(()))
    assert closings.close_due() == 1
    monkeypatch.undo()
    again = rows()[-1]
    assert (again.sales_cents, content["figures"]["sales_cents"], last.seq) == (0, 300, 1)
    assert any("its figures are not what its entries" in sentence for sentence in broken())


def test_a_closing_that_ends_before_its_day_is_found(closed, clock, monkeypatch):
    """Moving a line into the next day's closing leaves entries whose instant says so."""
    clock.advance(hours=12)
    closed.sell({closed.coffee: 1}, 150)
    clock.advance(hours=12)
    head = chain.heads()["money"]["seq"]
    monkeypatch.setattr(closing_queries, "first_entry_since", lambda instant, after: head)
    assert closings.close_due() == 1
    monkeypatch.undo()
    assert any(f"ends with entry {head - 1}, and {head} was the last of its day" in one for one in broken())


def test_audit_says_when_nothing_was_closed(closed, clock):
    clock.advance(days=2)
    assert broken() == []
    clock.advance(days=1)
    assert broken() == ["2026-11-26 is not closed; does the worker run?"]
    closings.close_due()
    assert broken() == []


def test_audit_misses_a_month_that_was_deleted(shop, clock, session):
    clock.set(TOMORROW + timedelta(days=10))
    closings.close_due()
    assert session.scalar(select(TakingsClosing.id).where(TakingsClosing.kind == "month")) is not None
    assert "a month that ended by 2026-12-04 is not closed" in tampered("DELETE FROM closing WHERE kind = 'month'")
