"""Possible duplicates: near-identical names in one town; the lead merges two, undoes it, or keeps both."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Gone, NotFound
from coworking.core.units import write_unit
from coworking.network.head import (
    directory_import,
    directory_queries,
    duplicate_queries,
    enrolment,
    entries,
    merging,
    queries,
)
from coworking.network.head.census_rules import read
from coworking.network.head.directory_queries import Narrowing
from coworking.network.head.duplicate_rules import Listed, proposals
from coworking.network.head.entry_rules import EntryChanged, fingerprint, stated
from coworking.network.head.models import JOIN, LieuMerge, NetworkLieu, ReceivedReturn, TwoPlaces
from coworking.network.head.overview import overview
from tests.network.head.census import a_census, file_of, row
from tests.network.head.lieux import OCTOBER, make_lieu, plain, put, say
from tests.support.threads import at_once

PAGE = "/network/directory/duplicates"


def proposed(*rows: tuple[Any, ...]) -> list[tuple[int, int]]:
    """Of rows (name, address, postcode, town, INSEE code), numbered from 1."""
    return proposals(Listed(number, *one) for number, one in enumerate(rows, 1))


@pytest.mark.parametrize(
    ("one", "other", "is_proposed"),
    [
        ("La Station", "LA  STATION !", True),
        ("Troquet Numérique", "Le Troquet Numerique", True),
        ("La Loco", "la Loco Coworking", True),
        ("Fablab Thiers", "Coworking de Thiers", False),
        ("La Capsule", "La Capsule by Thiers Coworking", True),
        ("BTCoworking", "BT Coworking", True),
        ("Platforme C", "Plateforme C", True),
        ("Espace Oasis 1", "Espace Oasis 2", False),
        ("Espace Oasis", "Espace Oasis 2", False),
        ("Start-Way", "Start-Way Bastille", False),
        ("Le 10", "Le 12", False),
        ("Dojo", "Mojo", False),
    ],
)
def test_names_are_near_identical_or_not(one, other, is_proposed):
    where = (None, "63300", "Thiers", "63430")
    assert bool(proposed((one, *where), (other, *where))) is is_proposed


@pytest.mark.parametrize(
    ("one", "other", "is_proposed"),
    [
        ((None, "63300", "Thiers", "63430"), (None, None, None, "63430"), True),
        ((None, "63300", "Thiers", None), (None, "63300", None, None), True),
        ((None, "63300", "Thiers", None), (None, None, "THIERS", "63430"), True),
        ((None, None, "Thiers", None), (None, None, "Thiers", None), False),
        ((None, None, "Saint-Denis", "93066"), (None, "97400", "Saint-Denis", None), False),
        ((None, "75010", "Paris", "75110"), (None, "75003", "Paris", "75103"), False),
        (
            ("77 avenue de la République", "75010", "Paris", "75110"),
            ("77 Avenue de la Republique", "75011", "Paris", "75111"),
            True,
        ),
    ],
)
def test_a_town_is_a_commune_and_one_address_is_one_place(one, other, is_proposed):
    assert bool(proposed(("Dojo", *one), ("Dojo", *other))) is is_proposed


def test_of_the_census_nineteen_pairs_are_proposed(inside, count_statements):
    reading = read(a_census())
    directory_import.import_places(reading)
    with count_statements() as statements:
        found = duplicate_queries.possible_duplicates()
    assert len(statements) == 3
    if any(entry.name == "Anticafé" for entry in reading.places):  # the census itself
        names = {(pair.one.name, pair.other.name) for pair in found}
        assert len(found) == 19
        assert ("Platforme C", "Plateforme C") in names and ("Les Docks Numériques", "Docks Numériques") in names
        assert ("Anticafé", "Anticafé") not in names


@pytest.fixture
def pair(app, place, cast):
    """Two entries of one place: one says more, the other has the address; their public ids."""
    with app.app_context():
        one = put(
            "La Loco", address=None, website="https://loco.example", external_id="cget-2019:1", phone="04 73 00 00 01"
        )
        other = put("la Loco Coworking", address="4 rue du Pont", latitude=45.5, longitude=3.7, notes="Demander Odile")
        return one, other


def rows_of(*public: str) -> list[NetworkLieu]:
    return [queries.lieu(one) for one in public]


def seen(one: str, other: str) -> str:
    kept, gone = merging.order(*rows_of(one, other), duplicate_queries.ties([row.id for row in rows_of(one, other)]))
    return merging.pair_fingerprint(kept, gone)


def listed() -> list[str]:
    return [entry.lieu.name for entry in directory_queries.list_lieux(Narrowing()).entries]


def test_the_lead_sees_both_chooses_and_merges(app, cast, pair, sign_in):
    lead = sign_in(cast.lead)
    assert f"{PAGE}/{pair[0]}/{pair[1]}" in lead.get(PAGE).text
    page = lead.get(f"{PAGE}/{pair[0]}/{pair[1]}").text
    assert "4 rue du Pont" in page and "04 73 00 00 01" in page
    word = re.findall(r'name="seen" value="([^"]+)"', page)[0]
    data = {"seen": word, "name": "gone", "address": "gone", "notes": "gone", "phone": "kept", "website": "kept"}
    done = lead.post(f"{PAGE}/{pair[0]}/{pair[1]}/merge", data=data, follow_redirects=True)
    words = plain(done.text)
    assert "Les deux fiches sont fusionnées : la Loco Coworking." in words and "4 rue du Pont, 63600 Ambert" in words
    assert "Fusionnées dans cette fiche la Loco Coworking" in words
    assert lead.get(f"/network/lieux/{pair[1]}").headers["Location"].endswith(pair[0])
    edited = lead.post(f"/network/lieux/{pair[1]}/edit", data={"name": "X", "region": "", "kind": "", "seen": "x"})
    assert edited.status_code == 404
    with app.app_context():
        (kept,) = db.session.scalars(select(NetworkLieu).where(NetworkLieu.merged_into_id.is_(None)))
        assert (kept.public_id, kept.latitude, kept.phone, kept.notes) == (
            pair[0],
            45.5,
            "04 73 00 00 01",
            "Demander Odile",
        )
        assert {"name", "address", "notes"} <= set(kept.edited)
        assert listed() == ["la Loco Coworking"] and duplicate_queries.possible_duplicates() == []
        (told,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "network.lieux_merged"))
        assert told.details["changed"]["address"] == [None, "4 rue du Pont"] and "Odile" not in str(told.details)


def test_undoing_makes_both_as_they_were_but_for_what_was_edited_since(app, cast, pair, sign_in):
    actor = cast.lead.actor()
    with app.app_context():
        before = [stated(one) for one in rows_of(*pair)]
        merge = merging.merge(actor, *pair, ["address", "notes"], seen=seen(*pair))
        number = merge.id
        kept = stated(queries.lieu(pair[0]))
        entries.edit(actor, pair[0], kept | {"notes": "Neuf"}, seen=fingerprint(kept))
    lead = sign_in(cast.lead)
    undo = f"/network/lieux/{pair[0]}/merges/{number}/undo"
    words = plain(lead.post(undo, follow_redirects=True).text)
    assert "Modifiés depuis la fusion et laissés tels quels : Notes." in words
    assert lead.post(undo).status_code == 303
    assert lead.post(f"/network/lieux/{pair[1]}/merges/{number}/undo").status_code == 404
    with app.app_context():
        assert [stated(one) for one in rows_of(*pair)] == [before[0] | {"notes": "Neuf"}, before[1]]
        assert sorted(listed()) == ["La Loco", "la Loco Coworking"]
        actions = db.session.scalars(select(AuditEntry.action)).all()
        assert actions.count("network.merge_undone") == 1


def test_who_sends_remains_with_its_returns(app, cast, pair):
    with app.app_context():
        sender = make_lieu("La Loco !", postcode="63600")
        say(sender, offered=100, booked=40, attended=30, known=40, desk_absent_halfdays=10)
        merging.merge(cast.lead.actor(), pair[0], sender.public_id, ["phone"], seen=seen(pair[0], sender.public_id))
        kept = queries.lieu(sender.public_id)
        assert (kept.merged_into_id, kept.phone) == (None, "04 73 00 00 01")
        assert queries.lieu(pair[0]).merged_into_id == kept.id
        assert [one.name for one in overview(OCTOBER).rows] == ["La Loco !"]
        assert db.session.scalars(select(ReceivedReturn.network_lieu_id)).all() == [kept.id]


@pytest.mark.parametrize("way", ["software", "link", None])
def test_two_senders_are_never_merged(app, cast, place, sign_in, way):
    with app.app_context():
        first, second = (
            make_lieu("La Loco", postcode="63600"),
            make_lieu("La Loco Coworking", postcode="63600", way=way),
        )
        if way is None:  # it sent once, and belongs no more
            say(second, offered=1, booked=1, attended=1, known=1, desk_absent_halfdays=0)
        one, other = first.public_id, second.public_id
    lead = sign_in(cast.lead)
    page = lead.get(f"{PAGE}/{one}/{other}")
    assert page.status_code == 200 and "Les deux fiches envoient des chiffres" in plain(page.text)
    assert "Fusionner en un seul lieu" not in page.text
    answer = lead.post(f"{PAGE}/{one}/{other}/merge", data={"seen": "x"})
    assert answer.status_code == 409 and "Les deux fiches envoient des chiffres" in plain(answer.text)
    with app.app_context():
        assert db.session.scalar(select(func.count(LieuMerge.id))) == 0


def test_the_link_of_what_went_opens_nothing_until_it_is_undone(app, cast, pair):
    actor = cast.lead.actor()
    with app.app_context():
        put_back = enrolment.invite(actor, pair[0], JOIN)
        token = enrolment.invite(actor, pair[1], JOIN)
        merge = merging.merge(actor, *pair, [], seen=seen(*pair))
        number, kept = merge.id, pair[0]
        assert enrolment.opened(put_back, JOIN)[1].public_id == kept
        with pytest.raises(Gone):
            enrolment.opened(token, JOIN)
        with pytest.raises(NotFound):
            enrolment.invite(actor, pair[1], JOIN)
        merging.undo(actor, kept, number)
        assert enrolment.opened(token, JOIN)[1].public_id == pair[1]


def test_two_places_are_remembered(app, cast, pair, sign_in):
    lead = sign_in(cast.lead)
    for path in (f"{pair[0]}/{pair[1]}", f"{pair[1]}/{pair[0]}"):
        assert lead.post(f"{PAGE}/{path}/two").status_code == 303
    assert "Aucun doublon à examiner" in plain(lead.get(PAGE).text)
    with app.app_context():
        assert db.session.scalar(select(func.count(TwoPlaces.id))) == 1
        assert db.session.scalars(select(AuditEntry.action)).all().count("network.two_places") == 1


def test_what_changed_since_the_page_was_opened_is_not_merged(app, cast, pair, sign_in):
    with app.app_context():
        word = seen(*pair)
        old = stated(queries.lieu(pair[1]))
        entries.edit(cast.lead.actor(), pair[1], old | {"city": "Thiers"}, seen=fingerprint(old))
        with pytest.raises(EntryChanged):
            merging.merge(cast.lead.actor(), *pair, [], seen=word)
    answer = sign_in(cast.lead).post(f"{PAGE}/{pair[0]}/{pair[1]}/merge", data={"seen": word})
    assert answer.status_code == 409 and "entre-temps" in answer.text


def test_of_sixteen_at_once_one_merges(app, cast, pair):
    actor = cast.lead.actor()
    with app.app_context():
        word = seen(*pair)

    def merge(number: int) -> str:
        with app.app_context():
            try:
                merging.merge(actor, *(pair if number % 2 else reversed(pair)), [], seen=word)
            except (NotFound, EntryChanged):
                return "refused"
            return "merged"

    assert sorted(at_once([lambda number=number: merge(number) for number in range(16)])) == [
        "merged",
        *["refused"] * 15,
    ]


def test_an_import_knows_what_was_merged(app, cast, place):
    with app.app_context():
        directory_import.import_places(read(file_of(row(1), row(4, NOM_TL="L’Étape n° 1 !"))))
        one, other = db.session.scalars(select(NetworkLieu.public_id).order_by(NetworkLieu.id)).all()
        merging.merge(cast.lead.actor(), one, other, ["name"], seen=seen(one, other))
        again = directory_import.import_places(read(file_of(row(1), row(4, NOM_TL="Tout autre chose"))))
        assert (again.added, again.changed) == (0, 0) and len(listed()) == 1
        assert queries.lieu(other).name == "L’Étape n° 1 !"


def test_a_merge_into_what_was_merged_further_is_undone_in_turn(app, cast, pair):
    actor = cast.lead.actor()
    with app.app_context():
        third = put("La Loco Ambert")
        first = merging.merge(actor, *pair, [], seen=seen(*pair)).id
        with write_unit():
            queries.lieu(third).way = "link"
        second = merging.merge(actor, pair[0], third, [], seen=seen(pair[0], third)).id
        with pytest.raises(merging.MergedFurther):
            merging.undo(actor, pair[0], first)
        merging.undo(actor, third, second)
        merging.undo(actor, pair[0], first)
        assert len(listed()) == 3


def test_only_the_lead_merges(cast, pair, sign_in, client):
    paths = [PAGE, f"{PAGE}/{pair[0]}/{pair[1]}"]
    posts = [f"{paths[1]}/merge", f"{paths[1]}/two", f"/network/lieux/{pair[0]}/merges/1/undo"]
    for person in (cast.member, cast.host, cast.manager, cast.accountant):
        browser = sign_in(person)
        assert {browser.get(path).status_code for path in paths} == {403}
        assert {browser.post(path).status_code for path in posts} == {403}
    lead = sign_in(cast.lead)
    for path in (f"{PAGE}/{pair[0]}/{pair[0]}", f"{PAGE}/{pair[0]}/nobody"):
        assert {
            lead.get(path).status_code,
            lead.post(f"{path}/merge").status_code,
            lead.post(f"{path}/two").status_code,
        } == {404}
    assert {client.get(path).status_code for path in paths} == {302}
