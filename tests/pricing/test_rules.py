"""Prices and sums: exact for every amount, rate and sign."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.money import divide_half_up
from coworking.pricing.rules import (
    NO_PRICES,
    PricedLine,
    PriceInvalid,
    Prices,
    RateInvalid,
    cents_of,
    rate_of,
    room_amount,
    totals,
    vat_rate,
)

rates = st.sampled_from([0, 210, 550, 850, 1000, 2000]) | st.integers(0, 10_000)
cents = st.integers(-10_000_000, 10_000_000)
lines = st.lists(st.builds(PricedLine, cents, rates, st.sampled_from(["ttc", "ht"])), max_size=12)
with_vat = st.lists(st.builds(PricedLine, cents, rates), max_size=12)
without_vat = st.lists(st.builds(PricedLine, cents, rates, st.just("ht")), max_size=12)


@given(lines)
def test_every_group_is_taxed_once_and_by_the_rule(of):
    found = totals(of)
    assert [group.vat_rate_bp for group in found.groups] == sorted({line.vat_rate_bp for line in of}, reverse=True)
    for group in found.groups:
        assert group.vat_cents == divide_half_up(group.net_cents * group.vat_rate_bp, 10_000)
        assert abs(group.rounding_cents) <= 1


@given(with_vat)
def test_what_was_quoted_with_vat_is_what_is_owed_to_the_cent(of):
    found = totals(of)
    assert found.payable_cents == sum(line.amount_cents for line in of)
    assert found.payable_cents == found.net_cents + found.vat_cents + found.rounding_cents
    assert found.gross_cents == found.net_cents + found.vat_cents


@given(without_vat)
def test_what_was_quoted_without_vat_is_the_net_and_needs_no_rounding(of):
    found = totals(of)
    assert found.net_cents == sum(line.amount_cents for line in of)
    assert found.rounding_cents == 0


@given(lines)
def test_of_both_bases_each_is_owed_as_if_it_were_alone(of):
    apart = [totals([line for line in of if line.basis == basis]).payable_cents for basis in ("ttc", "ht")]
    assert totals(of).payable_cents == sum(apart)


@given(st.integers(-1_000_000, 1_000_000), rates)
def test_a_cent_is_left_over_only_where_no_net_can_express_the_sum(amount, rate):
    (group,) = totals([PricedLine(amount, rate)]).groups
    if group.rounding_cents:
        reachable = {
            net + divide_half_up(net * rate, 10_000) for net in range(group.net_cents - 3, group.net_cents + 4)
        }
        assert amount not in reachable


@given(lines)
def test_a_credit_note_undoes_its_invoice_to_the_cent(of):
    there = totals(of)
    back = totals([replace(line, amount_cents=-line.amount_cents) for line in of])
    for one, other in zip(there.groups, back.groups, strict=True):
        assert (one.net_cents, one.vat_cents, one.rounding_cents) == (
            -other.net_cents,
            -other.vat_cents,
            -other.rounding_cents,
        )


def test_worked_examples():
    nine = [PricedLine(900, 2000)] * 3
    (group,) = totals(nine).groups
    assert (group.net_cents, group.vat_cents, group.rounding_cents) == (2250, 450, 0)
    (group,) = totals([PricedLine(303, 2000)]).groups
    assert (group.net_cents, group.vat_cents, group.rounding_cents) in {(252, 50, 1), (253, 51, -1)}
    both = totals([PricedLine(900, 2000), PricedLine(1000, 0)])
    assert (both.net_cents, both.vat_cents, both.payable_cents) == (1750, 150, 1900)
    mixed = totals([PricedLine(900, 2000), PricedLine(751, 2000, "ht")])
    assert (mixed.net_cents, mixed.vat_cents, mixed.payable_cents) == (1501, 300, 900 + 901)
    assert totals([]).payable_cents == 0


@given(st.integers(0, 100_000), st.integers(1, 1440))
def test_rooms_cost_by_the_minute_to_the_nearest_cent(cents, minutes):
    assert abs(room_amount(cents, minutes) * 60 - cents * minutes) <= 30
    assert room_amount(cents, 60) == cents


def test_halves_of_a_cent_go_up():
    assert room_amount(1501, 30) == 751


def test_a_resource_s_own_price_comes_before_its_kind_s_and_nothing_is_free():
    prices = Prices({"desk": 900, "room": 1500}, {7: 2500, 8: 0})
    assert [prices.price_of("room", 6), prices.price_of("room", 7), prices.price_of("room", 8)] == [1500, 2500, 0]
    assert prices.price_of("office", 9) == NO_PRICES.price_of("desk", 1) == 0


def test_vat_only_where_the_lieu_is_taxable():
    assert [vat_rate(2000, status) for status in ("taxable", "franchise", "exempt")] == [2000, 0, 0]


@pytest.mark.parametrize(
    ("text", "cents"),
    [("9", 900), ("12,5", 1250), ("12.50 €", 1250), ("1\u202f234,56", 123456), ("0", 0), (" 7 ", 700)],
)
def test_prices_as_people_type_them(text, cents):
    assert cents_of(text) == cents


@pytest.mark.parametrize("text", ["", "-1", "neuf", "1,234", "1.2.3", "٣", "9" * 20, "100001", "1e3", "²"])
def test_what_is_no_price(text):
    with pytest.raises(PriceInvalid):
        cents_of(text)


def test_rates_as_people_type_them():
    assert [rate_of(text) for text in ("20", "5,5 %", "0", "2.1")] == [2000, 550, 0, 210]
    for text in ("", "vingt", "100.01", "-5"):
        with pytest.raises(RateInvalid):
            rate_of(text)
