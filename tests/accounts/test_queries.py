"""Finding people, and which colleagues may see each other."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from coworking.accounts import queries
from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.units import write_unit
from tests.factories import LONG_AGO, make_person

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("maelle", ["Maëlle Chassagne"]),
        ("MAËLLE chass", ["Maëlle Chassagne"]),
        ("chassagne maelle", ["Maëlle Chassagne"]),
        ("ecole", ["Zoé École"]),
        ("l'hermite", ["Guy L’Hermite"]),
        ("host@", ["Maëlle Chassagne"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("maelle nobody", []),
    ],
)
def test_names_are_found_whatever_the_case_and_the_accents(cast, inside, typed, found):
    make_person("Zoé", "École", None)
    make_person("Guy", "L’Hermite", None)
    make_person("Maëlle", "Partie", None, deactivated_at=cast.host.created_at)
    assert [person.name for person in queries.search_people(typed)] == found


def test_people_are_listed_by_name_without_minding_accents(inside):
    for last in ("Zola", "Émile", "Duval", "Faure"):
        make_person("A", last, None)
    assert [person.last_name for person in queries.list_people().people] == ["Duval", "Émile", "Faure", "Zola"]
    assert len(queries.search_people("a", limit=2)) == 2


def test_a_cursor_goes_through_everyone_once(cast, inside):
    seen, cursor = [], None
    while True:
        people, cursor = queries.people_after(cursor, 3)
        seen += [person.id for person in people]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == 7
    with pytest.raises(NotFound):
        queries.people_after("nobody", 3)


def test_an_unknown_id_is_not_found(cast, inside):
    assert queries.person_by_public_id(cast.member.public_id).id == cast.member.id
    with pytest.raises(NotFound):
        queries.person_by_public_id("nobody")


def _colleagues(person, on=TODAY):
    db.session.expire_all()
    return sorted(db.session.get_one(Person, found).first_name for found in queries.colleague_ids(person.id, on))


def _hide(person):
    with write_unit():
        db.session.get(Person, person.id).visible_to_colleagues = False


def test_colleagues_see_each_other_when_both_agree(cast, inside):
    assert _colleagues(cast.member) == ["Karim"]
    assert _colleagues(cast.colleague) == ["Anne"]
    assert _colleagues(cast.stranger) == []


@pytest.mark.parametrize("who", ["member", "colleague"])
def test_one_who_does_not_agree_neither_sees_nor_is_seen(cast, inside, who):
    _hide(getattr(cast, who))
    assert _colleagues(cast.member) == []
    assert _colleagues(cast.colleague) == []


def test_only_while_both_belong_to_the_organisation(cast, inside):
    with write_unit():
        employer = Organisation(name="Papeterie")
        db.session.add(employer)
        db.session.flush()
        other = Person(first_name="Lou", last_name="Roux", visible_to_colleagues=True)
        db.session.add(other)
        db.session.flush()
        for person, until in ((other, None), (cast.member, TODAY)):
            db.session.add(
                OrganisationMember(
                    organisation_id=employer.id, person_id=person.id, since=LONG_AGO + timedelta(days=9), until=until
                )
            )
    assert _colleagues(cast.member) == ["Karim", "Lou"]
    assert _colleagues(cast.member, TODAY + timedelta(days=1)) == ["Karim"]
    assert _colleagues(cast.member, LONG_AGO) == ["Karim"]
    assert _colleagues(other) == ["Anne"]
