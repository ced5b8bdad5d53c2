"""Months, lines, mentions, and books that balance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.billing import documents, line_rules, mentions, rules
from coworking.pricing.rules import vat_of
from tests.billing.documents import desk, document, items, undone


def test_the_same_thing_at_the_same_price_is_one_line():
    lines = line_rules.document_body([desk(8), desk(1), desk(5, cents=800)], organisation=False).lines
    assert [(line.quantity, line.amount_cents, line.days) for line in lines] == [
        (1, 800, (date(2026, 10, 5),)),
        (2, 1800, (date(2026, 10, 1), date(2026, 10, 8))),
    ]


def test_an_organisation_reads_how_many_for_whom():
    (line,) = line_rules.document_body([desk(1), desk(2), desk(2, who="Karim Benali")], organisation=True).lines
    assert (line.days, line.people) == ((), (("Anne Marchand", 2), ("Karim Benali", 1)))


def printed(document) -> list[tuple[int, int, int]]:
    """Quantity, unit price in millionths and amount of each line."""
    return [(line["quantity"], line["unit_micros"], line["amount_cents"]) for line in document["lines"]]


def test_an_organisation_reads_prices_without_vat_whatever_the_tariff():
    nine = document([desk(1), desk(2), desk(5)], "organisation")
    assert (nine["basis"], printed(nine), nine["payable_cents"]) == ("ht", [(3, 7_500_000, 2250)], 2700)
    ten = document([desk(1, cents=1000), desk(2, cents=1000)], "organisation")
    assert printed(ten) == [(2, 8_333_300, 1667)], "four decimals where two cannot hold it"
    assert (ten["net_cents"], ten["vat_cents"], ten["payable_cents"]) == (1667, 333, 2000)


def test_a_consumer_reads_prices_with_vat_whatever_the_tariff():
    found = document([desk(1, cents=751, basis="ht"), desk(2, cents=751, basis="ht")])
    assert (found["basis"], printed(found)) == ("ttc", [(2, 9_012_000, 1802)])
    assert (found["net_cents"], found["vat_cents"], found["payable_cents"]) == (1502, 300, 1802)


@pytest.mark.parametrize(("kind", "basis"), [("person", "ttc"), ("organisation", "ht")])
def test_prices_of_both_kinds_stand_on_one_document(kind, basis):
    plan = desk(1, cents=6000, family="subscription", unit="month", label="Mi-temps")
    found = document([plan, desk(2, cents=751, basis="ht"), desk(3, cents=751, basis="ht")], kind)
    assert found["basis"] == basis and found["payable_cents"] == 6000 + 1802
    assert sum(line["amount_cents"] for line in found["lines"]) == (
        found["payable_cents"] if basis == "ttc" else found["net_cents"]
    )
    assert [line["net_cents"] for line in found["lines"]] == [5000, 1502]


def test_many_of_a_price_that_four_decimals_cut_take_more_of_them():
    many = document([desk(1, cents=1000, quantity=600, amount_cents=600_000, unit="piece")], "organisation")
    assert printed(many) == [(600, 8_333_330, 500_000)]


def test_where_no_vat_is_charged_a_price_is_as_it_was_quoted():
    found = document([desk(1, cents=751, basis="ht", vat_rate_bp=0), desk(2, cents=751, vat_rate_bp=0)], "organisation")
    assert (found["basis"], printed(found)) == ("ttc", [(2, 7_510_000, 1502)])


CGI = "TVA non applicable, art. 293 B du CGI"
CIBS = "TVA non applicable, article L. 223-3 du Code des impositions sur les biens et services (CIBS)"
EXEMPT = "Exonération de TVA, art. 261, 7-1° b du CGI (association non lucrative)"
BY_THE_DIRECTIVE = "Exonération de TVA, article 132 de la directive 2006/112/CE (association non lucrative)"


@pytest.mark.parametrize(
    ("status", "on", "words"),
    [
        ("taxable", date(2026, 11, 2), None),
        ("franchise", date(2026, 8, 31), CGI),
        ("franchise", date(2026, 9, 1), CIBS),
        ("franchise", date(2028, 1, 1), CIBS),
        ("exempt", date(2026, 8, 31), EXEMPT),
        ("exempt", date(2027, 12, 31), EXEMPT),
        ("exempt", date(2028, 1, 1), BY_THE_DIRECTIVE),
    ],
)
def test_the_reason_for_no_vat_follows_status_and_day_of_issue(status, on, words):
    assert mentions.exemption(mentions.InvoiceTerms(status), on) == words


def test_own_words_replace_one_mention_only():
    terms = mentions.InvoiceTerms("franchise", {"franchise": "Mes mots", "recovery": "Quarante"})
    day = date(2026, 11, 2)
    assert mentions.exemption(terms, day) == "Mes mots"
    said = mentions.notes(terms, day, organisation=True, adhesion=False)
    assert said[-1] == "Quarante" and said[0].startswith("Nature de l’opération")


def test_no_mention_names_the_cgi_once_that_is_not_tolerated_any_more():
    for mention in mentions.MENTIONS.values():
        assert "CGI" not in mention.usual(date(2028, 1, 1)), mention.key
        assert [wording.since for wording in mention.wordings] == sorted({w.since for w in mention.wordings})


def test_the_forty_euros_stand_between_professionals_only():
    assert not any("40\u00a0€" in note for note in document([desk()])["notes"])
    assert any("40\u00a0€" in note for note in document([desk()], "organisation")["notes"])


def test_a_late_hour_changes_no_sum():
    with pytest.raises(rules.AmountsDisagree):
        document([desk(amount_cents=901)])


@pytest.mark.parametrize("name", ["net_cents", "vat_cents", "gross_cents", "rounding_cents", "payable_cents"])
def test_a_document_that_does_not_add_up_is_refused(name):
    right = document([desk()])
    with pytest.raises(rules.AmountsDisagree):
        documents.check_amounts(right | {name: right[name] + 1})


def test_vat_half_a_euro_off_is_refused():
    right = document([desk(cents=1200)])
    (group,) = right["taxes"]
    wrong = right | {"taxes": [group | {"vat_cents": group["vat_cents"] + 50, "net_cents": group["net_cents"] - 50}]}
    with pytest.raises(rules.AmountsDisagree):
        documents.check_amounts(wrong)


@pytest.mark.parametrize(
    ("kind", "payable", "paid", "credited", "due", "state"),
    [
        ("invoice", 900, 0, 0, date(2026, 11, 24), "open"),
        ("invoice", 900, 0, 0, date(2026, 11, 23), "overdue"),
        ("invoice", 900, 100, 0, date(2026, 11, 24), "partial"),
        ("invoice", 900, 100, 0, date(2026, 11, 23), "overdue"),
        ("invoice", 900, 900, 0, date(2026, 11, 1), "paid"),
        ("invoice", 900, 900, 900, date(2026, 11, 1), "credited"),
        ("invoice", 900, 500, 400, date(2026, 11, 1), "paid"),
        ("invoice", 900, 0, 400, date(2026, 11, 24), "partial"),
        ("credit_note", -900, 0, 0, date(2026, 11, 1), "credit_note"),
    ],
)
def test_the_state_of_a_document(kind, payable, paid, credited, due, state):
    assert rules.state_of(kind, payable, paid, credited, due, date(2026, 11, 24)) == state


# Property: whatever is charged, the sums agree


@given(st.lists(st.tuples(items, st.sampled_from(["ttc", "ht"])), min_size=1, max_size=3), st.booleans())
def test_documents_come_to_what_was_charged(quoted, organisation):
    found = [replace(item, basis=basis) for some, basis in quoted for item in some]
    invoice = document(found, "organisation" if organisation else "person")
    documents.check_amounts(invoice)
    owed = sum(item.amount_cents for item in found if item.basis == "ttc")
    for rate in {item.vat_rate_bp for item in found}:
        net = sum(item.amount_cents for item in found if item.basis == "ht" and item.vat_rate_bp == rate)
        owed += net + vat_of(net, rate)
    assert invoice["payable_cents"] == owed
    assert invoice["net_cents"] == sum(line["net_cents"] for line in invoice["lines"])
    documents.check_amounts(undone(invoice))


def test_documents_of_the_first_schema_still_add_up():
    """What was issued before stays as it is: one basis, prices in cents, no net on its lines."""
    new = document([desk(1), desk(2)])
    lines = [{**line, "unit_cents": 900} for line in new["lines"]]
    for line in lines:
        del line["unit_micros"], line["net_cents"]
    old = new | {"schema": "invoice/1", "lines": lines}
    documents.check_amounts(old)
    documents.check_amounts(undone(old))
    with pytest.raises(rules.AmountsDisagree):
        documents.check_amounts(old | {"lines": [lines[0] | {"unit_cents": 901}]})
