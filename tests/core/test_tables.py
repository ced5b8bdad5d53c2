"""What anyone typed stays text in a spreadsheet; amounts stay numbers."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.tables import csv_text, without_controls


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_text_that_would_be_a_formula_gets_a_quote(sign: str):
    assert cells(csv_text([[f"{sign}HYPERLINK(1)"]])) == [[f"'{sign}HYPERLINK(1)"]]


def test_negative_amounts_and_counts_stay_numbers():
    assert csv_text([["-12,50", "-3", -7, None, "a-b"]]) == "-12,50;-3;-7;;a-b\r\n"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1))
def test_no_cell_begins_a_formula_and_nothing_is_lost(typed: str):
    [[cell]] = cells(csv_text([[typed]]))
    said = without_controls(typed)
    assert cell in (said, f"'{said}") and not cell.startswith(("=", "+", "@", "\t", "\r"))
