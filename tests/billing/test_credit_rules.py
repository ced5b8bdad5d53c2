"""What credit notes take back, line by line, together never more than the invoice and to the cent as much."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.billing import credit_rules, documents
from tests.billing.documents import credit, desk, document, items, undone


def whole(invoice) -> dict[int, int]:
    return credit_rules.left_of(invoice, {})


def test_a_number_of_units_stays_one_and_any_other_amount_is_a_piece():
    invoice = document([desk(1), desk(2), desk(5)])
    (half_days,) = credit(invoice, {0: 1800})["lines"]
    assert (half_days["quantity"], half_days["unit"], half_days["unit_micros"]) == (2, "half_day", 9_000_000)
    (piece,) = credit(invoice, {0: 500})["lines"]
    assert (piece["quantity"], piece["unit"], piece["unit_micros"]) == (1, "piece", 5_000_000)
    assert (piece["amount_cents"], piece["of_line"], piece["days"]) == (-500, 0, [])


def test_it_says_whether_something_is_left():
    invoice = document([desk(1), desk(2)])
    assert credit(invoice, {0: 900})["corrects"]["in_part"] is True
    assert undone(invoice)["corrects"]["in_part"] is False


@pytest.mark.parametrize("cents", [901, -1, 100_000])
def test_no_line_is_taken_back_beyond_what_is_left_of_it(cents):
    with pytest.raises(credit_rules.CreditTooMuch) as refused:
        credit_rules.check_taken({0: 900}, {0: cents})
    assert refused.value.at_field == "line-0"


def test_what_is_taken_back_already_is_refused():
    with pytest.raises(credit_rules.CreditTooMuch):
        credit_rules.check_taken({1: 900}, {0: 1})
    with pytest.raises(credit_rules.AlreadyCredited):
        credit_rules.check_taken({}, None)
    with pytest.raises(credit_rules.NothingCredited):
        credit_rules.check_taken({0: 900}, {0: 0})


def test_an_older_note_names_no_lines_and_took_each_at_its_own_place():
    note = undone(document([desk(1, cents=900), desk(2, cents=800)]))
    for line in note["lines"]:
        del line["of_line"]
    assert credit_rules.taken_by([note]) == {0: 800, 1: 900}


@given(
    items,
    st.sampled_from(["ttc", "ht"]),
    st.booleans(),
    st.lists(st.dictionaries(st.integers(0, 11), st.fractions(0, 1), max_size=4), max_size=4),
)
def test_notes_that_take_all_come_to_the_invoice_to_the_cent(found, basis, organisation, cuts):
    invoice = document([replace(item, basis=basis) for item in found], "organisation" if organisation else "person")
    notes = []
    for cut in cuts:
        before = credit_rules.taken_by(notes)
        left = credit_rules.left_of(invoice, before)
        wanted = {place: round(left[place] * part) for place, part in cut.items() if place in left}
        if not any(wanted.values()):
            continue
        notes.append(credit(invoice, credit_rules.check_taken(left, wanted), before))
    before = credit_rules.taken_by(notes)
    if left := credit_rules.left_of(invoice, before):
        notes.append(credit(invoice, credit_rules.check_taken(left, None), before))
    for note in notes:
        documents.check_amounts(note)
    assert credit_rules.left_of(invoice, credit_rules.taken_by(notes)) == {}
    assert sum(note["payable_cents"] for note in notes) == -invoice["payable_cents"]
    assert credit_rules.taken_by(notes) == whole(invoice)
