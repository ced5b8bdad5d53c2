"""Closings add up: lines to days, days to months and years; the perpetual totals go on for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coworking.accounting import closing_rules as rules
from coworking.accounting.closing_rules import (
    CreditMoved,
    DepositGivenBack,
    DrawerCounted,
    DrawerMoved,
    PaidInvoice,
    PaidOrGivenBack,
    SoldDocument,
    TaxedAmount,
)

CENTS = st.integers(-100_000, 100_000).filter(bool)
METHODS = st.sampled_from(["cash", "card", "cheque", "transfer"])
RATES = st.sampled_from([0, 550, 1000, 2000])


@st.composite
def documents(draw) -> SoldDocument:
    kind = draw(st.sampled_from(["receipts", "invoices", "credit_notes"]))
    sign = {"invoices": 1, "credit_notes": -1}.get(kind, draw(st.sampled_from([1, -1])))
    taxes = [
        TaxedAmount(rate, sign * draw(st.integers(0, 50_000)), sign * draw(st.integers(0, 9_000)), 0)
        for rate in draw(st.lists(RATES, unique=True, max_size=3))
    ]
    sales = sum(tax.net_cents + tax.vat_cents for tax in taxes)
    if kind != "receipts":
        return SoldDocument(kind, sales, taxes)
    deposit = sign * draw(st.sampled_from([0, 2000]))
    return SoldDocument(kind, sales, taxes, draw(METHODS), deposit, is_undoing=sign < 0)


FACTS = st.one_of(
    documents(),
    st.builds(PaidInvoice, CENTS, st.booleans()),
    st.builds(PaidOrGivenBack, st.one_of(METHODS, st.just("credit")), CENTS),
    st.builds(DepositGivenBack, METHODS, st.integers(1, 5000)),
    st.builds(CreditMoved, st.sampled_from(["received", "given"]), CENTS),
    st.builds(DrawerMoved, st.sampled_from(["receipt", "float", "difference"]), CENTS),
    st.builds(DrawerCounted, st.integers(1, 9), st.just("opened"), st.just(0), st.just(0)),
)
YEAR = st.lists(st.lists(FACTS, max_size=6), min_size=1, max_size=12)


def leaves(figures, name=()):
    for key, value in figures.items():
        if isinstance(value, dict):
            yield from leaves(value, (*name, key))
        else:
            yield (*name, key), value


@given(YEAR, st.integers(1, 12))
def test_days_months_and_years_are_the_sum_of_their_lines(days, cut):
    by_day = [rules.closing_figures(facts) for facts in days]
    months = [rules.summed(by_day[:cut]), rules.summed(by_day[cut:])]
    every_line = rules.closing_figures(fact for facts in days for fact in facts)
    assert rules.summed(months) == rules.summed(by_day) == every_line


@given(YEAR)
def test_perpetual_totals_grow_by_each_period_and_the_gross_one_never_falls(days):
    total, seen = rules.PerpetualTotal(), []
    for facts in days:
        figures = rules.closing_figures(facts)
        after = total.after(figures)
        assert after.gross_cents >= total.gross_cents and after.gross_cents >= after.sales_cents
        assert after.sales_cents - total.sales_cents == figures["sales_cents"]
        total = after
        seen.append(figures)
    every = rules.summed(seen)
    assert (total.sales_cents, total.gross_cents) == (every["sales_cents"], every["gross_cents"])


@given(st.lists(FACTS, max_size=12))
def test_what_is_said_of_sales_by_document_by_rate_and_by_means_agrees(facts):
    figures = rules.closing_figures(facts)
    kinds = ("receipts", "invoices", "credit_notes")
    assert figures["sales_cents"] == sum(figures[kind]["sales_cents"] for kind in kinds)
    assert figures["sales_cents"] == figures["net_cents"] + figures["vat_cents"] + figures["rounding_cents"]
    for name in ("net_cents", "vat_cents"):
        assert figures[name] == sum(tax[name] for tax in figures["taxes"].values())
    assert figures["taken_cents"] == sum(way["in_cents"] - way["out_cents"] for way in figures["means"].values())
    deposits = figures["deposits"]
    assert deposits["taken_cents"] - deposits["returned_cents"] == sum(deposits["means"].values())


def test_nothing_recorded_is_nothing():
    figures = rules.closing_figures([])
    assert figures == rules.NOTHING and all(value == 0 for _, value in leaves(figures))
    figures["taken_cents"] = 5
    assert rules.NOTHING["taken_cents"] == 0, "each has an object of its own"


def test_a_deposit_is_no_sale_and_no_taking():
    both = SoldDocument("receipts", 900, [TaxedAmount(2000, 750, 150, 0)], "cash", 2000)
    alone = SoldDocument("receipts", 0, [], "card", 2000)
    figures = rules.closing_figures([both, alone, DepositGivenBack("cash", 2000)])
    assert (figures["sales_cents"], figures["gross_cents"], figures["taken_cents"]) == (900, 900, 900)
    assert figures["means"] == {"cash": {"count": 1, "in_cents": 900, "out_cents": 0}}
    assert figures["deposits"] == {"taken_cents": 4000, "returned_cents": 2000, "means": {"cash": 0, "card": 2000}}


def test_a_credit_pays_without_money():
    figures = rules.closing_figures([PaidOrGivenBack("credit", 700), CreditMoved("received", 900)])
    assert (figures["taken_cents"], figures["from_credit_cents"], figures["means"]) == (0, 700, {})
    assert figures["credits"] == {"received_cents": 900, "given_cents": 0}


def test_a_month_ends_with_its_last_day_and_the_year_with_december():
    assert rules.ended_with(date(2026, 11, 29)) == []
    assert rules.ended_with(date(2026, 11, 30)) == ["month"]
    assert rules.ended_with(date(2028, 2, 28)) == [] and rules.ended_with(date(2028, 2, 29)) == ["month"]
    assert rules.ended_with(date(2026, 12, 31)) == ["month", "year"]


def test_a_longer_period_covers_the_entries_of_its_days():
    start = datetime(2026, 11, 29, 23, tzinfo=UTC)
    one = rules.ClosedPeriod("day", date(2026, 11, 30), date(2026, 11, 30), start, start + timedelta(days=1), 4, 9)
    other = rules.ClosedPeriod("day", date(2026, 12, 1), date(2026, 12, 1), one.ends_at, one.ends_at, 10, 9)
    both = rules.joined("month", [one, other])
    assert (both.first_entry, both.last_entry, both.first_day, both.last_day) == (
        4,
        9,
        one.first_day,
        other.last_day,
    )
