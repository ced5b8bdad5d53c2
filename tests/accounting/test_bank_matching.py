"""What a person says of a bank line, and taking it back: nothing is paid twice, whoever says it at the same moment."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounting import bank_checks, bank_matching, bank_queries, bank_reading, journal
from coworking.accounting.confirming_rules import AlreadyUndone, LineUsedUp, NoPart, NotMoneyIn, PartsDisagree
from coworking.billing import checks as billing_checks
from coworking.billing import paying, rules, services, using_credit
from coworking.billing.models import Payment
from coworking.billing.payer_credit_queries import credit_left
from coworking.billing.payer_credit_rules import CreditUsedMeanwhile
from coworking.core import guards
from coworking.core.db import db
from coworking.core.errors import DomainError, Forbidden, NotFound
from coworking.core.units import snapshot
from tests.accounting.statements import OURS, Entry, camt
from tests.support.billing import OCTOBER, standing
from tests.support.threads import at_once

CAME = date(2026, 11, 20)


@pytest.fixture
def manager(billing_lieu, inside):
    services.update_settings(billing_lieu.manager, iban=OURS)
    return billing_lieu.manager


@pytest.fixture
def issued(manager) -> dict[int, object]:
    """October's invoices by what they come to: 6600 of Lise, 900 of Anne, the employer's."""
    return {row.payable_cents: row for row in services.run(manager, OCTOBER).issued}


@pytest.fixture
def come(manager):
    def read(cents: int, words: str = "", name: str = "", **more) -> str:
        before = {row.line.public_id for row in bank_queries.recent()}
        bank_reading.read_file(manager, camt(Entry(CAME.isoformat(), cents, words, name, **more)))
        return next(row.line.public_id for row in bank_queries.recent() if row.line.public_id not in before)

    return read


def left(line: str) -> int:
    db.session.rollback()
    return bank_queries.line_named(line).left_cents


def broken() -> list[str]:
    with snapshot():
        return [*bank_checks.used_once(), *billing_checks.charged(), *billing_checks.credit()]


def test_a_confirmed_line_pays_its_invoice_dated_by_the_bank(billing_lieu, manager, issued, come):
    line = come(6600, f"Facture {issued[6600].number}", "VIDAL LISE")
    (proposal,) = next(iter(bank_queries.proposals(bank_queries.waiting()).values()))
    assert proposal.sureness == "certain"
    bank_matching.confirm(manager, line, [(issued[6600].public_id, 6600)], whole=True)
    paid = db.session.scalars(select(Payment)).one()
    assert (paid.cents, paid.method, paid.received_on) == (6600, "transfer", CAME)
    assert issued[6600].number in str(paid.reference)
    assert standing(billing_lieu, issued[6600]).state == "paid"
    assert bank_queries.waiting() == [] and broken() == []


def test_one_transfer_pays_several_and_its_rest_becomes_a_credit(billing_lieu, manager, issued, come):
    line = come(8000)
    lise = billing_lieu.cast.stranger
    parts = [(issued[6600].public_id, 6600), (issued[900].public_id, 900)]
    bank_matching.confirm(manager, line, parts, credit_to=lise.public_id)
    assert left(line) == 0 and credit_left((lise.id, None)) == 500
    assert db.session.scalars(select(Payment.cents).order_by(Payment.cents)).all() == [900, 6600]
    assert broken() == []


def test_a_part_payment_leaves_the_rest_owed_and_a_rest_may_wait(billing_lieu, manager, issued, come):
    line = come(7000)
    bank_matching.confirm(manager, line, [(issued[6600].public_id, 1000)])
    assert standing(billing_lieu, issued[6600]).open_cents == 5600
    assert left(line) == 6000


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([(6600, 6601)], LineUsedUp),
        ([(900, 901)], rules.PaidTooMuch),
        ([(6600, 0)], PartsDisagree),
        ([(6600, -1)], PartsDisagree),
        ([(6600, 100), (6600, 100)], PartsDisagree),
        ([], NoPart),
    ],
)
def test_no_more_is_paid_than_came_or_is_owed(manager, issued, come, parts, error):
    line = come(6600)
    with pytest.raises(error):
        bank_matching.confirm(manager, line, [(issued[key].public_id, cents) for key, cents in parts])
    assert left(line) == 6600 and db.session.scalars(select(Payment)).all() == []


def test_what_is_not_there_or_left_the_account_pays_nothing(manager, issued, come):
    line, debit = come(6600), come(-6600)
    for wrong in ("2222222222222222", issued[6600].public_id[::-1]):
        with pytest.raises(NotFound):
            bank_matching.confirm(manager, line, [(wrong, 100)])
    with pytest.raises(NotMoneyIn):
        bank_matching.confirm(manager, debit, [(issued[6600].public_id, 100)])
    with pytest.raises(NotFound):
        bank_matching.confirm(manager, "2222222222222222", [(issued[6600].public_id, 100)])


def test_taking_a_payment_back_lets_line_and_invoice_wait_again(billing_lieu, manager, issued, come, clock):
    line = come(6600)
    (match,) = bank_matching.confirm(manager, line, [(issued[6600].public_id, 6600)])
    match_id = match.public_id
    clock.advance(days=2)
    bank_matching.undo(manager, line, match_id)
    assert left(line) == 6600 and standing(billing_lieu, issued[6600]).open_cents == 6600
    assert db.session.scalars(select(Payment.cents).order_by(Payment.id)).all() == [6600, -6600]
    with pytest.raises(AlreadyUndone):
        bank_matching.undo(manager, line, match_id)
    bank_matching.confirm(manager, line, [(issued[6600].public_id, 6600)])
    assert left(line) == 0 and broken() == []


def test_a_payment_cancelled_on_its_invoice_frees_the_line(manager, issued, come):
    line = come(6600)
    bank_matching.confirm(manager, line, [(issued[6600].public_id, 6600)])
    paid = db.session.scalars(select(Payment)).one()
    paying.correct_payment(manager, issued[6600].public_id, paid.public_id)
    assert left(line) == 6600


def test_a_credit_is_taken_back_unless_it_was_used(billing_lieu, manager, issued, come):
    lise = billing_lieu.cast.stranger
    line, other = come(500, "un"), come(6600, "deux")
    (match,) = bank_matching.confirm(manager, line, [], credit_to=lise.public_id)
    bank_matching.undo(manager, line, match.public_id)
    assert left(line) == 500 and credit_left((lise.id, None)) == 0
    (kept,) = bank_matching.confirm(manager, other, [], credit_to=lise.public_id)
    using_credit.use(manager, issued[6600].public_id, 6600)
    with pytest.raises(CreditUsedMeanwhile):
        bank_matching.undo(manager, other, kept.public_id)
    assert left(other) == 0 and broken() == []


def test_what_pays_nothing_is_set_aside_with_its_reason_and_taken_back(manager, come):
    line = come(50000, "Subvention")
    with pytest.raises(rules.ReasonMissing):
        bank_matching.set_aside(manager, line, "other", " ")
    match = bank_matching.set_aside(manager, line, "other", "Subvention de la région")
    assert left(line) == 0
    with pytest.raises(LineUsedUp):
        bank_matching.set_aside(manager, line, "payout")
    bank_matching.undo(manager, line, match.public_id)
    assert left(line) == 50000
    with pytest.raises(AlreadyUndone):
        bank_matching.undo(manager, line, match.public_id)
    bank_matching.set_aside(manager, line, "payout")
    assert left(line) == 0 and broken() == []
    assert journal.balance(journal.of_payout(50000, "STRIPE")) == 0


@pytest.mark.parametrize("who", ["host", "accountant", "member", "stranger"])
def test_only_a_manager_says_it(billing_lieu, manager, issued, come, who):
    line, actor = come(6600), getattr(billing_lieu.cast, who).actor()
    for attempt in (
        lambda: bank_matching.confirm(actor, line, [(issued[6600].public_id, 100)]),
        lambda: bank_matching.set_aside(actor, line, "payout"),
        lambda: bank_matching.undo(actor, line, "x"),
    ):
        with pytest.raises(Forbidden):
            attempt()


def crowd(app, acts) -> list[str]:
    def run(act) -> str:
        with app.app_context():
            try:
                act()
                return "done"
            except DomainError as error:
                return error.code
            finally:
                db.session.remove()

    return sorted(at_once([lambda act=act: run(act) for act in acts]))


def test_sixteen_who_confirm_one_line_pay_once(app, billing_lieu, manager, issued, come):
    line, invoice = come(6600), issued[6600].public_id
    said = crowd(app, [lambda: bank_matching.confirm(manager, line, [(invoice, 6600)])] * 16)
    assert said == ["done"] + ["line_used_up"] * 15
    db.session.rollback()
    assert [paid.cents for paid in db.session.scalars(select(Payment))] == [6600]
    assert broken() == []


def test_two_lines_of_one_invoice_pay_it_once(app, billing_lieu, manager, issued, come):
    lines, invoice = [come(6600, "un"), come(6600, "deux")], issued[6600].public_id
    acts = [lambda line=line: bank_matching.confirm(manager, line, [(invoice, 6600)]) for line in lines * 4]
    said = crowd(app, acts)
    assert said.count("done") == 1
    db.session.rollback()
    assert sum(paid.cents for paid in db.session.scalars(select(Payment))) == 6600


def test_saying_different_things_at_once_says_one(app, billing_lieu, manager, issued, come):
    line, invoice, lise = come(6600), issued[6600].public_id, billing_lieu.cast.stranger.public_id
    acts = [
        lambda: bank_matching.confirm(manager, line, [(invoice, 6600)]),
        lambda: bank_matching.confirm(manager, line, [], credit_to=lise),
        lambda: bank_matching.set_aside(manager, line, "other", "Don"),
        lambda: bank_matching.set_aside(manager, line, "payout"),
    ]
    assert crowd(app, acts * 4).count("done") == 1
    assert left(line) == 0 and broken() == []


MATCH = (
    "INSERT INTO bank_match (public_id, line_id, kind, cents, reason, created_at) "
    "SELECT :public, line_id, 'other', :cents, 'x', created_at FROM bank_match LIMIT 1"
)


def test_the_database_uses_no_line_for_more_than_came(manager, issued, come):
    line = come(6600)
    bank_matching.confirm(manager, line, [(issued[6600].public_id, 1000)])
    with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
        connection.execute(text(MATCH), {"public": "x", "cents": 5601})
    assert guards.refused_by(refused.value) == "bank_match_within_line"
    with db.engine.begin() as connection:
        connection.execute(text(MATCH), {"public": "x", "cents": 5600})


@pytest.mark.parametrize("table", ["bank_match", "bank_line", "bank_statement"])
def test_what_the_bank_said_and_people_answered_is_written_once(manager, come, table):
    bank_matching.set_aside(manager, come(100), "payout")
    for statement in (f"UPDATE {table} SET public_id = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
            connection.execute(text(statement))
        assert guards.refused_by(refused.value) == f"{table}_append_only"


def test_the_audit_finds_a_line_used_twice(manager, come):
    bank_matching.set_aside(manager, come(100), "payout")
    with db.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text(MATCH), {"public": "x", "cents": 100})
        guards.install(connection)
    assert any("is used for 200" in sentence for sentence in broken())
