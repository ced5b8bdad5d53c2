"""Which records are proposed as one person."""

from __future__ import annotations

import pytest

from coworking.accounts.twin_rules import TwinCandidate, national, possible_twins, taken


def _pairs(*records, apart=()):
    rows = (TwinCandidate(at, *record) for at, record in enumerate(records, start=1))
    return [(pair.one, pair.other, tuple(pair.reasons)) for pair in possible_twins(rows, apart)]


@pytest.mark.parametrize("other", ["ANNE@demo.example", "anne+lieu@demo.example", "ânne@demo.example"])
def test_one_mailbox_is_one_person(other):
    assert _pairs(("Anne Duval", "anne@demo.example", None), ("A. D.", other, None)) == [(1, 2, ("email",))]


@pytest.mark.parametrize("other", ["+33 6 12 34 56 78", "0033612345678", "+33 (0)6 12 34 56 78", "06.12.34.56.78"])
def test_one_telephone_is_one_person(other):
    assert _pairs(("Anne Duval", None, "06 12 34 56 78"), ("Odette", None, other)) == [(1, 2, ("phone",))]


def test_names_are_compared_as_words_without_accents_in_any_order():
    assert _pairs(("Zoé Lé-Guen", None, None), ("LE GUEN zoe", None, None)) == [(1, 2, ("name",))]
    assert _pairs(("Anne", None, None), ("Anne", None, None)) == [], "a first name alone is many people's"
    assert _pairs(("Anne Duval", None, "12"), ("Karim Sadi", None, "12")) == [], "nor are two digits a telephone"


def test_the_surest_come_first_and_two_people_are_left_alone():
    records = [
        ("Anne Duval", "anne@demo.example", "0612345678"),
        ("Anne Duval", None, None),
        ("Karim Sadi", "anne+k@demo.example", None),
        ("Duval Anne", "autre@demo.example", "06 12 34 56 78"),
    ]
    assert _pairs(*records) == [
        (1, 3, ("email",)),
        (1, 4, ("phone", "name")),
        (1, 2, ("name",)),
        (2, 4, ("name",)),
    ]
    assert _pairs(*records, apart={(1, 3), (2, 4)}) == [(1, 4, ("phone", "name")), (1, 2, ("name",))]


def test_a_number_that_a_whole_company_gave_says_nothing():
    assert _pairs(*((f"Prénom{n} Nom{n}", None, "04 73 00 00 00") for n in range(21))) == []


def test_what_lacks_is_taken_and_the_rest_only_when_chosen():
    assert taken("phone", kept="", gone="06", chosen=())
    assert taken("phone", kept="07", gone="06", chosen=("phone",))
    assert not taken("phone", kept="07", gone="06", chosen=("email",))
    assert not taken("phone", kept="07", gone="", chosen=("phone",))
    assert national("+32 2 555 12 12") == "3225551212"
