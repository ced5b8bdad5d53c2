"""Which invoices a line may pay: numbers as people type them, amounts, names, bank accounts."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.accounting import matching_rules as rules
from coworking.accounting.matching_rules import MoneyIn, OpenInvoice, propose

DAY = date(2026, 11, 20)
LISE, ANNE, DURAND = (1, None), (2, None), (None, 1)
NAMES = {LISE: "Lise Vidal", ANNE: "Anne Martin", DURAND: "Coutellerie Durand SA"}


def invoice(count: int, cents: int, payer=LISE, year: int = 2026) -> OpenInvoice:
    issued = date(year, 11, min(count, 28))
    return OpenInvoice(count, f"i{count}", f"F{year}-{count:04d}", payer, NAMES[payer], cents, issued, issued)


def line(cents: int, words: str = "", name: str | None = None, iban: str | None = None, id: int = 1) -> MoneyIn:
    return MoneyIn(id, DAY, cents, words, name, iban)


def best(money: MoneyIn, *invoices: OpenInvoice, accounts=None):
    found = propose([money], invoices, accounts or {}).get(money.id)
    return found[0] if found else None


@pytest.mark.parametrize(
    "words",
    [
        "F2026-0012",
        "facture F2026-0012 merci",
        "f2026 0012",
        "F20260012",
        "F2026-12",
        "F 2026 12",
        "F2026/0012",
        "F2026.0012",
        "F2026\u20110012",
        "F2026–0012",
        "VIREMENT F2026-00 12",
        "REF:F2026-0012/INV",
        "F2026-0012 DU 02112026",
        "F20260012 02 11 2026",
    ],
)
def test_a_number_is_found_however_it_was_typed(words):
    found = best(line(6600, words), invoice(12, 6600))
    assert found is not None and (found.sureness, found.why) == ("certain", rules.NUMBER_AND_AMOUNT)


@pytest.mark.parametrize("words", ["2026-0012", "20260012", "facture 12", "FACT N°0012", "Fac 12 nov", "facture n 12"])
def test_a_half_said_number_is_likely_where_the_amount_agrees(words):
    found = best(line(6600, words), invoice(12, 6600), invoice(13, 6600, ANNE))
    assert found is not None and found.sureness == "likely" and found.shares[0].invoice.number == "F2026-0012"


@pytest.mark.parametrize(
    "words", ["loyer 12", "20/11/2026 12h", "F2026-0099", "XF20260012", "A2026-0012", "F2025-0012"]
)
def test_other_numbers_name_no_invoice(words):
    found = best(line(5000, words), invoice(12, 6600))
    assert found is None


def test_one_transfer_pays_several_invoices():
    both = invoice(12, 6600), invoice(13, 900)
    for words in ("F2026-0012 F2026-0013", "F2026-0012 et 0013", "F2026-0012, 0013", "F20260012 F20260013"):
        found = best(line(7500, words), *both)
        assert found is not None and found.sureness == "certain", words
        assert [(share.invoice.id, share.cents) for share in found.shares] == [(12, 6600), (13, 900)]


def test_less_is_a_part_payment_and_more_leaves_a_rest():
    less = best(line(5000, "F2026-0012"), invoice(12, 6600))
    more = best(line(7000, "F2026-0012"), invoice(12, 6600))
    assert less is not None and (less.sureness, less.shares[0].cents, less.rest_cents) == ("likely", 5000, 0)
    assert more is not None and (more.sureness, more.shares[0].cents, more.rest_cents) == ("likely", 6600, 400)


def test_numbers_of_two_payers_are_never_certain():
    found = best(line(7500, "F2026-0012 F2026-0013"), invoice(12, 6600), invoice(13, 900, ANNE))
    assert found is not None and found.sureness != "certain"


@pytest.mark.parametrize(
    "name", ["VIDAL LISE", "Lise VIDAL", "M OU MME VIDAL LISE", "lise vidal", "MLLE LISE VIDAL SARL"]
)
def test_a_payer_s_name_and_amount_are_likely(name):
    found = best(line(6600, "novembre", name), invoice(12, 6600), invoice(13, 6600, ANNE))
    assert found is not None and (found.sureness, found.why) == ("likely", rules.PAYER_AND_AMOUNT)
    assert found.payer == LISE


def test_all_that_a_payer_owes_is_likely_and_another_amount_is_possible():
    owed = invoice(12, 6600), invoice(13, 900)
    together, other = best(line(7500, "", "VIDAL LISE"), *owed), best(line(8000, "", "VIDAL LISE"), *owed)
    assert together is not None and (together.sureness, len(together.shares)) == ("likely", 2)
    assert other is not None and (other.sureness, other.rest_cents) == ("possible", 500)


def test_half_a_name_is_none():
    assert best(line(5000, "", "VIDAL PAUL"), invoice(12, 6600)) is None


def test_an_account_that_paid_before_is_known_again():
    accounts = {"FR76": ANNE}
    found = best(line(900, "", "CABINET X", "FR76"), invoice(12, 900), invoice(13, 900, ANNE), accounts=accounts)
    assert found is not None and (found.payer, found.why) == (ANNE, rules.ACCOUNT_AND_AMOUNT)


def test_an_amount_alone_is_possible_only():
    alone = best(line(6600), invoice(12, 6600))
    assert alone is not None and (alone.sureness, alone.why) == ("possible", rules.AMOUNT_ALONE)
    several = propose([line(6600)], [invoice(12, 6600), invoice(13, 6600, ANNE)], {})[1]
    assert [one.why for one in several] == [rules.AMOUNT_OF_SEVERAL] * 2


def test_an_invoice_is_certain_for_one_line_only():
    lines = [line(6600, "F2026-0012", id=1), line(6600, "F2026-0012", id=2)]
    found = propose(lines, [invoice(12, 6600)], {})
    assert found[1][0].sureness == "certain" and 2 not in found


def test_no_proposal_gives_more_than_came_or_is_owed():
    invoices = [invoice(count, 900 + count, (LISE, ANNE, DURAND)[count % 3]) for count in range(1, 25)]
    for cents in range(1, 6000, 37):
        for words, name in (("F2026-0003 F2026-0006", None), ("", "DURAND COUTELLERIE"), ("facture 9", "VIDAL LISE")):
            for proposal in propose([line(cents, words, name)], invoices, {}).get(1, []):
                assert sum(share.cents for share in proposal.shares) + proposal.rest_cents == cents
                assert all(0 < share.cents <= share.invoice.open_cents for share in proposal.shares)
                assert len({share.invoice.payer for share in proposal.shares}) == 1
