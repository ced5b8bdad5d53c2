"""The books balance, whatever was charged and however it was paid."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.accounting import journal
from coworking.billing import rules
from tests.billing.documents import document, items, undone


@given(items, st.sampled_from(["ttc", "ht"]))
def test_a_document_balances_and_its_credit_note_mirrors_it(found, basis):
    invoice = document([replace(item, basis=basis) for item in found])
    note = undone(invoice)
    lines, mirror = journal.of_document(invoice), journal.of_document(note)
    assert journal.balance(lines) == journal.balance(mirror) == 0
    assert all((line.debit > 0) != (line.credit > 0) for line in [*lines, *mirror])
    together: dict[str, int] = {}
    for line in (*lines, *mirror):
        together[line.account] = together.get(line.account, 0) + line.debit - line.credit
    # What the invoice's rounding lost, the note's gains: two accounts, one sum.
    difference = together.pop(journal.ROUNDING_GAIN, 0) + together.pop(journal.ROUNDING_LOSS, 0)
    assert difference == 0 and not any(together.values())


@given(st.integers(-10_000_000, 10_000_000).filter(bool), st.sampled_from(rules.METHODS))
def test_a_payment_balances(cents, method):
    lines = journal.of_payment(cents, method, "F2026-0001", "k7mq2v9xw4tdz3hb")
    assert journal.balance(lines) == 0 and len(lines) == 2


@pytest.mark.parametrize("method", ["card", "debit"])
def test_money_through_a_gateway_is_the_payers_until_an_invoice_takes_it(method):
    payer, lines = "k7mq2v9xw4tdz3hb", list[journal.JournalLine]()
    lines += journal.of_online(6600, "gateway", "Stripe", payer)
    lines += journal.of_payment(6000, method, "F2026-0001", payer, online=True)  # 6 € of it were paid by then
    lines += journal.of_online(-200, "cash", "Stripe", payer)
    lines += journal.of_online(-400, "gateway", "Stripe", payer)
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.account] = sums.get(line.account, 0) + line.debit - line.credit
    assert sums == {"517": 6200, "4191": 0, "411": -6000, "530": -200}
    assert {line.auxiliary for line in lines if line.account in {"411", "4191"}} == {payer}
    assert journal.balance(lines) == 0
