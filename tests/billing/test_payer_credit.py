"""A payer's credit: comes in, pays their invoices, is given back, and is never used twice."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounting import journal
from coworking.billing import account_queries, checks, payer_credit, payer_credit_queries, paying, rules, using_credit
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Payment
from coworking.billing.payer_credit_models import PayerCredit
from coworking.billing.payer_credit_rules import (
    CreditAmountInvalid,
    CreditTooSmall,
    CreditUsedMeanwhile,
    GivenByUnknown,
    MovementUndone,
)
from coworking.core import guards
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.units import snapshot, write_unit
from tests.support.billing import TODAY, standing
from tests.support.threads import at_once

CAME = date(2026, 11, 20)


@pytest.fixture
def payer(invoice) -> PayerKey:
    return invoice.payer_person_id, invoice.payer_organisation_id


@pytest.fixture
def receive(billing_lieu, payer):
    def come(cents: int) -> PayerCredit:
        with write_unit():
            payer_credit.lock_payer(payer)
            return payer_credit.receive(billing_lieu.manager, payer, cents, CAME, "VIR MARTIN")

    return come


def broken() -> list[str]:
    with snapshot():
        return [*checks.credit(), *checks.charged()]


def test_a_credit_pays_an_invoice_and_what_is_left_stays(billing_lieu, invoice, payer, receive):
    receive(10000)
    paid = using_credit.use(billing_lieu.manager, invoice.public_id, 6600)
    assert (paid.method, paid.cents, standing(billing_lieu, invoice).state) == ("credit", 6600, "paid")
    assert payer_credit_queries.credit_left(payer) == 3400
    assert broken() == []


@pytest.mark.parametrize(
    ("cents", "error"),
    [(5001, CreditTooSmall), (6601, rules.PaidTooMuch), (0, CreditAmountInvalid), (-1, CreditAmountInvalid)],
)
def test_no_more_is_used_than_there_is_or_is_owed(billing_lieu, invoice, payer, receive, cents, error):
    receive(5000)
    with pytest.raises(error):
        using_credit.use(billing_lieu.manager, invoice.public_id, cents)
    assert payer_credit_queries.credit_left(payer) == 5000
    assert db.session.scalars(select(Payment)).all() == []


def test_a_cancelled_payment_gives_its_credit_back(billing_lieu, invoice, payer, receive):
    receive(6600)
    paid = using_credit.use(billing_lieu.manager, invoice.public_id, 6600)
    paying.correct_payment(billing_lieu.manager, invoice.public_id, paid.public_id)
    assert payer_credit_queries.credit_left(payer) == 6600
    assert standing(billing_lieu, invoice).open_cents == 6600
    assert broken() == []


def test_what_is_left_is_given_back_with_how_when_and_why(billing_lieu, payer, receive):
    receive(5000)
    given = payer_credit.give_back(billing_lieu.manager, payer, 2000, TODAY, "transfer", "Elle quitte le lieu")
    assert (given.cents, given.day, given.method, given.reason) == (-2000, TODAY, "transfer", "Elle quitte le lieu")
    assert payer_credit_queries.credit_left(payer) == 3000
    payer_credit.undo_giving(billing_lieu.manager, payer, given.public_id)
    assert payer_credit_queries.credit_left(payer) == 5000
    with pytest.raises(MovementUndone):
        payer_credit.undo_giving(billing_lieu.manager, payer, given.public_id)
    assert broken() == []


@pytest.mark.parametrize(
    ("cents", "day", "method", "reason", "error"),
    [
        (5001, TODAY, "transfer", "Départ", CreditTooSmall),
        (0, TODAY, "transfer", "Départ", CreditAmountInvalid),
        (100, date(2026, 11, 25), "transfer", "Départ", rules.ReceivedInFuture),
        (100, TODAY, "shells", "Départ", GivenByUnknown),
        (100, TODAY, "cash", " ", rules.ReasonMissing),
    ],
)
def test_an_impossible_return_is_refused(billing_lieu, payer, receive, cents, day, method, reason, error):
    receive(5000)
    with pytest.raises(error):
        payer_credit.give_back(billing_lieu.manager, payer, cents, day, method, reason)
    assert payer_credit_queries.credit_left(payer) == 5000


def test_what_came_by_mistake_is_taken_back_unless_it_was_used(billing_lieu, invoice, payer, receive):
    kept, used = receive(1000), receive(6600)

    def take_back(movement_id: int) -> None:
        with write_unit():
            payer_credit.lock_payer(payer)
            payer_credit.undo_receipt(billing_lieu.manager, movement_id)

    take_back(kept.id)
    using_credit.use(billing_lieu.manager, invoice.public_id, 6600)
    with pytest.raises(CreditUsedMeanwhile):
        take_back(used.id)


def test_only_managers_move_a_credit(billing_lieu, invoice, payer, receive):
    receive(1000)
    for who in ("member", "host", "accountant", "stranger"):
        actor = getattr(billing_lieu.cast, who).actor()
        with pytest.raises(Forbidden):
            using_credit.use(actor, invoice.public_id, 100)
        with pytest.raises(Forbidden):
            payer_credit.give_back(actor, payer, 100, TODAY, "cash", "Départ")


def test_a_movement_of_someone_else_is_not_there(billing_lieu, payer, receive):
    receive(1000)
    given = payer_credit.give_back(billing_lieu.manager, payer, 100, TODAY, "cash", "Départ")
    with pytest.raises(NotFound):
        payer_credit.undo_giving(billing_lieu.manager, (billing_lieu.cast.member.id, None), given.public_id)


def test_sixteen_who_use_one_credit_at_once_use_it_once(app, billing_lieu, invoice, payer, receive):
    receive(1000)
    public_id = invoice.public_id

    def use() -> str:
        with app.app_context():
            try:
                using_credit.use(billing_lieu.manager, public_id, 1000)
                return "used"
            except CreditTooSmall:
                return "refused"
            finally:
                db.session.remove()

    assert sorted(at_once([use] * 16)) == ["refused"] * 15 + ["used"]
    db.session.rollback()
    assert payer_credit_queries.credit_left(payer) == 0
    assert broken() == []


def test_using_and_giving_back_at_once_take_it_once(app, billing_lieu, invoice, payer, receive):
    receive(1000)
    public_id = invoice.public_id

    def use() -> None:
        using_credit.use(billing_lieu.manager, public_id, 1000)

    def give() -> None:
        payer_credit.give_back(billing_lieu.manager, payer, 1000, TODAY, "cash", "Départ")

    def tried(act) -> bool:
        with app.app_context():
            try:
                act()
                return True
            except CreditTooSmall:
                return False
            finally:
                db.session.remove()

    won = at_once([lambda act=act: tried(act) for act in (use, give) * 8])
    db.session.rollback()
    assert sum(won) == 1
    assert payer_credit_queries.credit_left(payer) == 0


INSERT = (
    "INSERT INTO payer_credit (public_id, payer_person_id, kind, cents, day, method, created_at) "
    "SELECT :public, payer_person_id, 'given', :cents, day, 'cash', created_at FROM payer_credit ORDER BY id LIMIT 1"
)


def test_the_database_lets_no_credit_fall_below_zero(receive, payer):
    receive(1000)
    with db.engine.begin() as connection:
        connection.execute(text(INSERT), {"public": "first", "cents": -600})
    with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
        connection.execute(text(INSERT), {"public": "second", "cents": -401})
    assert guards.refused_by(refused.value) == "payer_credit_never_negative"


def test_the_database_sees_two_inserts_at_once(app, engine_name, receive, payer):
    """Each waits for the other, whoever speaks SQL to the database."""
    receive(1000)

    def take(number: int) -> bool:
        with app.app_context():
            try:
                with db.engine.begin() as connection:
                    connection.execute(text(INSERT), {"public": f"taken-{number}", "cents": -1000})
                return True
            except IntegrityError:
                return False

    assert sum(at_once([lambda number=number: take(number) for number in range(8)])) == 1


@pytest.mark.parametrize("statement", ["UPDATE payer_credit SET cents = 1", "DELETE FROM payer_credit"])
def test_a_movement_is_written_once(receive, payer, statement):
    receive(1000)
    with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
        connection.execute(text(statement))
    assert guards.refused_by(refused.value) == "payer_credit_append_only"


def test_every_movement_balances_and_the_advance_is_used_up(billing_lieu, invoice, payer, receive):
    """What came in stands on 4191 until an invoice or the payer has it."""
    receive(10000)
    using_credit.use(billing_lieu.manager, invoice.public_id, 6600)
    payer_credit.give_back(billing_lieu.manager, payer, 3400, TODAY, "cash", "Départ")
    rows = db.session.scalars(select(PayerCredit).order_by(PayerCredit.id)).all()
    lines = [line for row in rows for line in journal.of_credit(row.cents, row.kind, row.method, "x", "p")]
    paid = db.session.scalars(select(Payment)).one()
    lines += journal.of_payment(paid.cents, paid.method, invoice.number, "p")
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.account] = sums.get(line.account, 0) + line.debit - line.credit
    assert journal.balance(lines) == 0
    assert sums == {"512": 10000, "4191": 0, "530": -3400, "411": -6600}


def test_the_audit_finds_a_credit_used_beyond_what_there_is(receive, payer):
    receive(1000)
    with db.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text(INSERT), {"public": "invented", "cents": -1500})
        guards.install(connection)
    with snapshot():
        assert any("uses more than there is" in sentence for sentence in checks.credit())


def test_the_account_adds_up(billing_lieu, invoice, payer, receive):
    receive(10000)
    using_credit.use(billing_lieu.manager, invoice.public_id, 6600)
    payer_credit.give_back(billing_lieu.manager, payer, 400, TODAY, "cash", "Départ")
    found = account_queries.account_for(billing_lieu.manager, billing_lieu.cast.stranger.public_id)
    assert [(line.entry.kind, line.entry.cents, line.balance_cents) for line in found.lines] == [
        ("received", -10000, -10000),
        ("invoice", 6600, -3400),
        ("used", 0, -3400),
        ("given", 400, -3000),
    ]
    assert (found.owed_cents, found.credit_cents, found.back_cents) == (0, 3000, 0)
    assert (found.sums.invoiced_cents, found.sums.credited_cents, found.sums.paid_cents) == (6600, 0, 9600)
