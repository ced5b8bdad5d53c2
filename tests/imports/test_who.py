"""Who a line of an import means is read alike, whatever the line is about."""

from __future__ import annotations

import pytest

from coworking.core.reading import EmailInvalid
from coworking.imports.balance_rules import balance_of
from coworking.imports.booking_rules import booking_of
from coworking.imports.person_rules import KnownPerson, LineUnreadable
from coworking.imports.subscription_rules import subscription_of
from coworking.imports.table_rules import TableLine
from coworking.imports.who_rules import NobodyOfThat, SeveralOfThat, WhoMeant, WhoNeeded, the_one, who_of

LINE = TableLine(2, ("",))
READERS = {
    balance_of: {"pack": "Carnet 10", "left": "4"},
    booking_of: {"day": "25/12/2026", "half": "am"},
    subscription_of: {"plan": "Nomade"},
}
WHO = [
    ({"email": " ANNE@demo.example "}, WhoMeant("anne@demo.example", "anne@demo.example", "", "")),
    ({"first_name": "Anne", "last_name": "Marchand"}, WhoMeant("Anne Marchand", None, "Anne", "Marchand")),
    ({"full_name": "MARCHAND Anne"}, WhoMeant("Anne MARCHAND", None, "Anne", "MARCHAND")),
    ({"full_name": "Marchand, Anne"}, WhoMeant("Anne Marchand", None, "Anne", "Marchand")),
    (
        {"full_name": "Marchand, Anne", "last_name": "Roux", "email": "anne@demo.example"},
        WhoMeant("Roux", "anne@demo.example", "", "Roux"),
    ),
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize(("fields", "who"), WHO)
def test_every_kind_of_line_reads_its_person_alike(read, fields, who):
    assert read(LINE, READERS[read] | fields).who == who == who_of(LINE, fields)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_every_kind_of_line_refuses_alike(read):
    for fields, refusal in (({}, WhoNeeded), ({"full_name": "  "}, WhoNeeded), ({"email": "anne@"}, EmailInvalid)):
        with pytest.raises(refusal):
            read(LINE, READERS[read] | fields)
    with pytest.raises(LineUnreadable):
        read(TableLine(2, None), READERS[read] | {"email": "anne@demo.example"})


def known(public_id: str) -> KnownPerson:
    return KnownPerson(
        public_id, "Anne", "Marchand", None, None, None, None, None, None, is_staff=False, is_closed=False
    )


def test_a_line_means_one_person_or_none():
    who = WhoMeant("Anne Marchand", None, "Anne", "Marchand")
    assert the_one(who, [known("a")]).public_id == "a"
    with pytest.raises(SeveralOfThat) as several:
        the_one(who, [known("a"), known("b")])
    assert several.value.params["said"] == "Anne Marchand"
    with pytest.raises(NobodyOfThat) as nobody:
        the_one(WhoMeant("Anne", "anne@demo.example", "Anne", ""), [])
    assert nobody.value.params["said"] == "anne@demo.example", "the address says more than the name beside it"
