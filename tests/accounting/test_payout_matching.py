"""A bank line that is a payout: proposed, explained, confirmed by a person, never booked twice; and the books."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounting import bank_checks, bank_matching, bank_queries, bank_reading, journal, payout_handlers
from coworking.accounting.bank_models import BankMatch
from coworking.accounting.confirming_rules import PayoutDisagrees, PayoutTaken
from coworking.accounting.matching_rules import MoneyIn
from coworking.accounting.payout_matching_rules import ExpectedPayout, propose_payouts
from coworking.billing import payout_queries, payouts, services
from coworking.billing.gateways.port import PayoutFact
from coworking.billing.payout_models import OnlinePayout
from coworking.billing.payout_rules import HeldMovement, payout_totals
from coworking.core import guards, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError, Forbidden
from coworking.core.units import snapshot
from tests.accounting.statements import OURS, Entry, camt
from tests.support.gateway import moved
from tests.support.threads import at_once

ARRIVES = date(2026, 11, 20)


@pytest.fixture
def manager(billing_lieu, inside):
    services.update_settings(billing_lieu.manager, iban=OURS)
    return billing_lieu.manager


@pytest.fixture
def come(manager):
    def read(cents: int, words: str = "", name: str = "", day: str = "2026-11-20") -> str:
        before = {row.line.public_id for row in bank_queries.recent()}
        bank_reading.read_file(manager, camt(Entry(day, cents, words, name)))
        return next(row.line.public_id for row in bank_queries.recent() if row.line.public_id not in before)

    return read


def paid_out(name: str = "po_1", cents: int = 472, **changes) -> str:
    """A payout whose payment is none of ours, less a fee; its public id."""
    fact = PayoutFact(name, "paid", cents, "EUR", False, now(), ARRIVES, "now", reference="CWK77")
    db.session.rollback()
    payouts.note_payout(
        "stripe", replace(fact, **changes), (moved(f"t_{name}", "payment", cents + 8, 8, "pi_elsewhere"),)
    )
    return db.session.scalars(select(OnlinePayout.public_id).where(OnlinePayout.foreign_id == name)).one()


def broken() -> list[str]:
    db.session.rollback()
    with snapshot():
        return [*bank_checks.used_once(), *bank_checks.payouts_once()]


def left(line: str) -> int:
    db.session.rollback()
    return bank_queries.line_named(line).left_cents


# Proposing ------------------------------------------------------------------------------------------------------------


def line(row_id: int, cents: int, words: str = "", day: date = ARRIVES, name: str | None = None) -> MoneyIn:
    return MoneyIn(row_id, day, cents, words, name, None)


def expected(row_id: int, cents: int, day: date = ARRIVES, reference: str | None = None) -> ExpectedPayout:
    return ExpectedPayout(row_id, "stripe", cents, day, reference)


def told(lines, payouts_) -> dict[int, tuple[int, str]]:
    return {at: (one.payout_id, one.sureness) for at, one in propose_payouts(lines, payouts_).items()}


def test_the_amount_and_the_day_propose_and_the_words_make_it_certain():
    assert told([line(1, 472)], [expected(7, 472)]) == {1: (7, "possible")}
    assert told([line(1, 472, "STRIPE TECHNOLOGY")], [expected(7, 472)]) == {1: (7, "certain")}
    assert told([line(1, 472, name="Stripe Payments")], [expected(7, 472)]) == {1: (7, "certain")}
    assert told([line(1, 472, "vir cwk77 x")], [expected(7, 472, reference="CWK77")]) == {1: (7, "certain")}
    assert told([line(1, 472, "vir cwk778")], [expected(7, 472, reference="CWK77")]) == {1: (7, "possible")}
    assert told([line(1, 471, "STRIPE")], [expected(7, 472)]) == {}
    assert told([line(1, 472, "STRIPE", date(2026, 12, 1))], [expected(7, 472)]) == {}
    assert told([line(1, 472, "STRIPE", date(2026, 11, 15))], [expected(7, 472)]) == {}


def test_each_payout_is_proposed_to_one_line_the_reference_before_the_name_and_the_nearest_day():
    rows = [line(1, 472, "STRIPE"), line(2, 472, "STRIPE CWK8", date(2026, 11, 22))]
    assert told(rows, [expected(7, 472, reference="CWK8")]) == {2: (7, "certain")}
    both = [expected(7, 472, date(2026, 11, 20)), expected(8, 472, date(2026, 11, 22))]
    assert told([line(1, 472, "STRIPE", date(2026, 11, 22)), line(2, 472, "STRIPE")], both) == {
        1: (8, "certain"),
        2: (7, "certain"),
    }


def test_what_is_proposed_says_what_it_consists_of(come):
    payout = paid_out()
    come(472, "STRIPE")
    (one,) = bank_queries.payout_proposals(bank_queries.waiting()).values()
    assert (one.payout.public_id, one.sureness, one.totals.fee_cents, one.totals.unexplained_cents) == (
        payout,
        "certain",
        8,
        480,
    )


# Confirming -----------------------------------------------------------------------------------------------------------


def test_a_line_is_a_payout_once_a_person_says_so(manager, come):
    payout, arrived = paid_out(), come(472, "STRIPE")
    assert left(arrived) == 472
    match = bank_matching.confirm_payout(manager, arrived, payout)
    assert (match.kind, match.cents) == ("payout", 472)
    assert (left(arrived), bank_queries.expected_payouts(), broken()) == (0, [], [])
    second = come(472, "STRIPE", day="2026-11-21")
    assert bank_queries.payout_proposals(bank_queries.waiting()) == {}
    with pytest.raises(PayoutTaken):
        bank_matching.confirm_payout(manager, second, payout)
    assert left(second) == 472


def test_another_amount_a_failed_payout_and_a_host_are_refused(billing_lieu, manager, come):
    payout, arrived = paid_out(), come(471, "STRIPE")
    with pytest.raises(PayoutDisagrees):
        bank_matching.confirm_payout(manager, arrived, payout)
    lost = paid_out("po_2", 471, state="failed", reason="account_closed")
    with pytest.raises(PayoutDisagrees):
        bank_matching.confirm_payout(manager, arrived, lost)
    with pytest.raises(Forbidden):
        bank_matching.confirm_payout(billing_lieu.cast.host.actor(), arrived, payout)


def test_taken_back_it_waits_again_and_may_be_said_again(manager, come):
    payout, arrived = paid_out(), come(472, "STRIPE")
    for _again in range(2):
        match = bank_matching.confirm_payout(manager, arrived, payout).public_id
        bank_matching.undo(manager, arrived, match)
        assert left(arrived) == 472 and [row.public_id for row in bank_queries.expected_payouts()] == [payout]
    assert broken() == []


def test_sixteen_who_say_it_of_two_lines_at_once_book_it_once(manager, come, app):
    payout = paid_out()
    rows = [come(472, "STRIPE"), come(472, "STRIPE", day="2026-11-21")]
    db.session.rollback()

    def work(arrived: str):
        def say() -> bool:
            with app.app_context():
                try:
                    bank_matching.confirm_payout(manager, arrived, payout)
                except DomainError:
                    return False
                return True

        return say

    assert sum(at_once([work(rows[at % 2]) for at in range(16)])) == 1
    assert broken() == []


def test_the_database_books_it_once_and_only_for_its_amount(manager, come):
    payout, arrived = paid_out(), come(472, "STRIPE")
    other, less = come(472, "STRIPE", day="2026-11-21"), come(400, "X")
    bank_matching.confirm_payout(manager, arrived, payout)
    lost = paid_out("po_2", 400, state="failed", reason="account_closed")
    db.session.rollback()
    for to_line, to_payout, cents in ((other, payout, 472), (less, payout, 400), (less, lost, 400)):
        ids = {
            "line": to_line,
            "payout": to_payout,
            "cents": cents,
            "at": 1 if db.engine.name == "sqlite" else "2026-11-24",
        }
        with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO bank_match (public_id, line_id, kind, cents, payout_id, created_at)"
                    " SELECT 'x', l.id, 'payout', :cents, p.id, "
                    + ("1" if db.engine.name == "sqlite" else "now()")
                    + ""
                    " FROM bank_line AS l, online_payout AS p WHERE l.public_id = :line AND p.public_id = :payout"
                ),
                {name: value for name, value in ids.items() if name != "at"},
            )
        assert guards.refused_by(refused.value) == "bank_match_payout_once"


def test_one_that_fails_after_it_arrived_no_longer_counts_and_a_manager_hears(manager, come):
    payout, arrived = paid_out(), come(472, "STRIPE")
    bank_matching.confirm_payout(manager, arrived, payout)
    paid_out(state="failed", reason="account_closed")
    (row,) = db.session.scalars(select(outbox.OutboxRow).where(outbox.OutboxRow.topic == payouts.FAILED)).all()
    job = outbox.Job(id=str(row.id), topic=row.topic, key=row.key, payload=row.payload, attempt=1)
    for _again in range(2):
        db.session.rollback()
        with pytest.raises(outbox.GiveUp, match="account_closed"):
            payout_handlers.payout_failed(job)
    assert (left(arrived), broken()) == (472, [])
    assert db.session.scalars(select(BankMatch.cents).order_by(BankMatch.id)).all() == [472, -472]


# The books ------------------------------------------------------------------------------------------------------------

parts = st.lists(
    st.tuples(
        st.sampled_from(["payment", "refund", "dispute", "fee", "other"]), st.integers(1, 90_000), st.integers(0, 900)
    ),
    min_size=1,
    max_size=30,
)


@given(parts, st.lists(st.booleans(), min_size=30, max_size=30), st.integers(-500, 500), st.booleans())
def test_what_came_through_a_gateway_and_was_paid_out_leaves_its_account_at_zero(found, ours, missing, fails_first):
    """Gross in, fees as stated, the unexplained apart, the bank line once; a payout that failed comes with the next."""
    lines: list[journal.JournalLine] = []
    held: list[HeldMovement] = []
    for (kind, cents, fee), is_ours in zip(found, ours, strict=False):
        signed = cents if kind == "payment" else -cents
        held.append(HeldMovement(kind, signed, fee, is_ours))
        if held[-1].is_known and kind != "fee":
            lines += journal.of_online(signed, "gateway", "Stripe", "k7mq2v9xw4tdz3hb")
    amount = sum(part.cents - part.fee_cents for part in held) + missing
    consists = payout_totals(amount, held)
    lines += journal.of_payout_parts(consists.fee_cents, consists.unexplained_cents, "po_1")
    if fails_first:
        again = payout_totals(amount, [HeldMovement("returned", amount, 0, False)])
        lines += journal.of_payout_parts(again.fee_cents, again.unexplained_cents, "po_2")
    lines += journal.of_payout(amount, "po")
    sums = Counter[str]()
    for entry in lines:
        sums[entry.account] += entry.debit - entry.credit
    assert sums[journal.GATEWAY] == 0 and journal.balance(lines) == 0
    assert sums[journal.FEES] == sum(fee for _kind, _cents, fee in found) + sum(
        c for kind, c, _fee in found if kind == "fee"
    )
    assert sums["512"] == amount and all((entry.debit > 0) != (entry.credit > 0) for entry in lines)


def test_fees_are_read_as_they_were_stated(manager):
    paid_out()
    (month,) = payout_queries.fees_by_month(date(2026, 1, 1))
    assert month.fee_cents == 8
