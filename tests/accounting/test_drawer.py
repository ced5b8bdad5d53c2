"""The drawer: opened, counted, closed; one at a time, once; what should be in it is what came in and went out."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounting import drawer, drawer_queries, drawer_rules, journal
from coworking.accounting.models import CashMovement, DrawerCount
from coworking.billing import paying, services
from coworking.core import checks
from coworking.core.db import db
from coworking.core.errors import Forbidden
from tests.support.billing import OCTOBER, TODAY


@pytest.fixture
def host(billing_lieu, inside):
    return billing_lieu.cast.host.actor()


def broken() -> list[str]:
    return [sentence for one, found in checks.run() if one.promise == 3 for sentence in found]


def test_the_first_float_is_what_is_counted(host, session):
    opening = drawer.open_drawer(host, 5000)
    assert (opening.seq, opening.kind, drawer_queries.expected_cents()) == (1, "opened", 5000)
    (moved,) = session.scalars(select(CashMovement)).all()
    assert (moved.kind, moved.cents, moved.balance_cents) == ("float", 5000, 5000)
    lines = journal.of_cash_movement(moved.kind, moved.cents, "caisse")
    assert [(line.account, line.debit, line.credit) for line in lines] == [("530", 5000, 0), ("580", 0, 5000)]
    assert broken() == []


def test_cash_paid_on_an_invoice_stands_in_the_drawer_and_its_reversal_leaves_it(billing_lieu, host):
    drawer.open_drawer(host, 1000)
    invoice = services.run(billing_lieu.manager, OCTOBER).issued[0]
    paid = paying.record_payment(billing_lieu.manager, invoice.public_id, 500, TODAY, "cash")
    paying.record_payment(billing_lieu.manager, invoice.public_id, 300, TODAY, "card")
    assert drawer_queries.expected_cents() == 1500
    paying.correct_payment(billing_lieu.manager, invoice.public_id, paid.public_id)
    assert drawer_queries.expected_cents() == 1000
    assert broken() == []


def test_a_difference_is_kept_with_a_word(host, session):
    opening = drawer.open_drawer(host, 1000)
    with pytest.raises(drawer_rules.DifferenceUnexplained) as refused:
        drawer.close_drawer(host, opening.public_id, 900, " ")
    assert "10,00" in str(refused.value)
    closing = drawer.close_drawer(host, opening.public_id, 900, "Rendu de monnaie")
    assert (closing.counted_cents, closing.expected_cents, drawer_queries.expected_cents()) == (900, 1000, 900)
    lost = session.scalars(select(CashMovement).where(CashMovement.kind == "difference")).one()
    assert (lost.cents, lost.note) == (-100, "Rendu de monnaie")
    assert {line.account for line in journal.of_cash_movement("difference", -100, "")} == {"530", "658"}
    assert {line.account for line in journal.of_cash_movement("difference", 100, "")} == {"530", "758"}
    with pytest.raises(drawer_rules.DifferenceUnexplained):
        drawer.open_drawer(host, 800)
    assert drawer.open_drawer(host, 800, "Un billet manque").seq == 3
    assert broken() == []


def test_change_comes_in_and_takings_go_to_the_bank(host):
    opening = drawer.open_drawer(host, 1000)
    drawer.put_in(host, opening.public_id, 500)
    moved = drawer.take_to_bank(host, opening.public_id, 1200, "Dépôt")
    assert (moved.cents, drawer_queries.expected_cents()) == (-1200, 300)
    with pytest.raises(drawer_rules.NotSoMuch):
        drawer.take_to_bank(host, opening.public_id, 301)
    for wrong in (0, -5):
        with pytest.raises(drawer_rules.AmountMissing):
            drawer.put_in(host, opening.public_id, wrong)
        with pytest.raises(drawer_rules.AmountMissing):
            drawer.take_to_bank(host, opening.public_id, wrong)
    assert drawer.close_drawer(host, opening.public_id, 300).expected_cents == 300
    with pytest.raises(drawer_rules.DrawerIsClosed):
        drawer.put_in(host, opening.public_id, 1)


def test_one_drawer_is_open_at_a_time_and_none_is_opened_again(host):
    opening = drawer.open_drawer(host, 1000)
    with pytest.raises(drawer_rules.DrawerIsOpen):
        drawer.open_drawer(host, 1000)
    drawer.close_drawer(host, opening.public_id, 1000)
    drawer.open_drawer(host, 1000)
    with pytest.raises(drawer_rules.DrawerIsClosed):
        drawer.close_drawer(host, opening.public_id, 1000)


@pytest.mark.parametrize("kind", ["opened", "closed"])
def test_the_database_takes_no_count_out_of_turn(host, session, kind):
    """Behind an opening no second one, and no closing at the place of an opening."""
    drawer.open_drawer(host, 1000)
    seq = 2 if kind == "opened" else 3
    instant = "1" if db.engine.dialect.name == "sqlite" else "'2026-11-24T09:00:00Z'"
    session.rollback()
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO drawer_count (public_id, seq, kind, counted_on, counted_cents, expected_cents, last_seq,"
                f" created_at) VALUES ('x', {seq}, '{kind}', '2026-11-24', 0, 0, 0, {instant})"
            )
        )


@pytest.mark.parametrize("act", ["open", "close"])
def test_sixteen_open_or_close_once(host, app, session, act):
    public = drawer.open_drawer(host, 1000).public_id if act == "close" else ""
    start, done, refused = threading.Barrier(16), [], []

    def run() -> None:
        with app.app_context():
            start.wait()
            try:
                if act == "open":
                    done.append(drawer.open_drawer(host, 1000).seq)
                else:
                    done.append(drawer.close_drawer(host, public, 1000).seq)
            except (drawer_rules.DrawerIsOpen, drawer_rules.DrawerIsClosed) as error:
                refused.append(error)
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (1, 15)
    session.rollback()
    assert session.scalar(select(func.count(DrawerCount.id))) == (1 if act == "open" else 2)
    assert broken() == []


@pytest.mark.parametrize("who", ["member", "accountant", "lead"])
def test_only_who_welcomes_people_counts(billing_lieu, inside, who):
    actor = getattr(billing_lieu.cast, who).actor()
    for act in (
        lambda: drawer.open_drawer(actor, 1),
        lambda: drawer.close_drawer(actor, "x", 1),
        lambda: drawer.put_in(actor, "x", 1),
        lambda: drawer.take_to_bank(actor, "x", 1),
    ):
        with pytest.raises(Forbidden):
            act()
