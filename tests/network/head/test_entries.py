"""Editing an entry of the directory: what is typed is checked, two leads at once lose nothing, and notes stay here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.units import write_unit
from coworking.network.head import entries
from coworking.network.head.entry_rules import EntryChanged, fingerprint, stated
from coworking.network.head.lieux import AlreadyListed
from coworking.network.head.models import NetworkLieu
from tests.network.head.lieux import make_lieu, plain, put, say
from tests.support.api import Program
from tests.support.threads import at_once

TYPED = {
    "name": "Le Vieux Lavoir",
    "address": "3 rue du Pont",
    "postcode": "63 120",
    "city": "Courpière",
    "code_insee": "63125",
    "region": "84",
    "kind": "coworking",
    "website": "www.lavoir.example",
    "siret": "73282932000074",
    "contact_email": "Lavoir@Example.org",
    "phone": "04 73 00 00 01",
    "notes": "Demander Odile.\r\nPas le lundi.",
}
KEPT = TYPED | {
    "postcode": "63120",
    "website": "https://www.lavoir.example",
    "contact_email": "lavoir@example.org",
    "notes": "Demander Odile.\nPas le lundi.",
}


@pytest.fixture
def entry(app, place, cast):
    """The public id of an entry that says little."""
    with app.app_context():
        return put("Lavoir")


def opened(browser: Any, entry: str) -> str:
    """What the page sends back to say what it showed."""
    page = browser.get(f"/network/lieux/{entry}/edit")
    assert page.status_code == 200
    return re.findall(r'name="seen" value="([^"]+)"', page.text)[0]


def values(entry: str) -> dict[str, Any]:
    return stated(db.session.scalars(select(NetworkLieu).where(NetworkLieu.public_id == entry)).one())


def test_every_field_is_typed_checked_and_kept(app, cast, entry, sign_in):
    lead = sign_in(cast.lead)
    done = lead.post(f"/network/lieux/{entry}/edit", data=TYPED | {"seen": opened(lead, entry)}, follow_redirects=True)
    page = plain(done.text)
    assert "La fiche de Le Vieux Lavoir est enregistrée." in page
    assert "3 rue du Pont, 63120 Courpière, Auvergne-Rhône-Alpes, Coworking" in page
    assert 'href="tel:0473000001"' in done.text and "Demander Odile." in page
    with app.app_context():
        said = values(entry)
        assert said | {"notes": said["notes"].replace("\r\n", "\n")} == KEPT
        row = db.session.scalars(select(NetworkLieu)).one()
        assert set(row.edited) == set(TYPED)


def test_the_trail_tells_old_and_new_but_never_whom_to_ask(app, cast, entry, sign_in):
    lead = sign_in(cast.lead)
    for typed in (TYPED, TYPED | {"city": "Thiers", "phone": "", "notes": "Odile est partie."}):
        lead.post(f"/network/lieux/{entry}/edit", data=typed | {"seen": opened(lead, entry)})
    with app.app_context():
        told = select(AuditEntry).where(AuditEntry.action == "network.lieu_edited").order_by(AuditEntry.id)
        first, second = db.session.scalars(told)
        assert first.details["changed"]["name"] == ["Lavoir", "Le Vieux Lavoir"]
        assert first.details["changed"]["phone"] == [False, True]
        assert second.details["changed"] == {
            "city": ["Courpière", "Thiers"],
            "phone": [True, False],
            "notes": [True, True],
        }
        assert first.actor_id == cast.lead.id
        assert not re.search(r"odile|lavoir@|04 73", str([first.details, second.details]), re.IGNORECASE)


def test_what_is_typed_wrong_is_said_at_its_field_and_nothing_is_written(app, cast, entry, sign_in):
    lead = sign_in(cast.lead)
    wrong = {
        "name": " ",
        "postcode": "6312",
        "code_insee": "2C004",
        "region": "99",
        "kind": "casino",
        "website": "javascript:alert(1)",
        "siret": "123",
        "contact_email": "odile",
        "phone": "?",
        "notes": "x" * 2001,
        "address": "y" * 301,
    }
    for field, text in wrong.items():
        answer = lead.post(f"/network/lieux/{entry}/edit", data=TYPED | {field: text, "seen": opened(lead, entry)})
        assert answer.status_code == 422, field
        assert (f'id="{field}-err"' in answer.text and "Pas le lundi." in answer.text) or field == "notes"
    with app.app_context():
        assert values(entry)["name"] == "Lavoir"
        assert db.session.scalars(select(AuditEntry.action)).all().count("network.lieu_edited") == 0


def test_nothing_changed_is_no_edit(app, cast, entry, sign_in):
    lead = sign_in(cast.lead)
    shown = {"name": "Lavoir", "city": "Ambert", "postcode": "63600", "region": "", "kind": ""}
    assert lead.post(f"/network/lieux/{entry}/edit", data=shown | {"seen": opened(lead, entry)}).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(NetworkLieu.edited)).one() == []
        assert "network.lieu_edited" not in db.session.scalars(select(AuditEntry.action)).all()


def test_the_second_of_two_leads_gets_a_conflict_and_overwrites_nothing(app, cast, entry, sign_in):
    one, other = sign_in(cast.lead), sign_in(cast.lead)
    seen = opened(one, entry)
    assert other.post(f"/network/lieux/{entry}/edit", data=TYPED | {"seen": seen}).status_code == 303
    mine = {"name": "Lavoir neuf", "city": "Ambert", "postcode": "63600", "region": "", "kind": "", "notes": "À moi."}
    answer = one.post(f"/network/lieux/{entry}/edit", data=mine | {"seen": seen})
    assert answer.status_code == 409
    page = plain(answer.text)
    assert "Une autre personne a modifié cette fiche entre-temps." in page
    assert 'value="Lavoir neuf"' in answer.text and "À moi." in page
    assert "Valeur enregistrée entre-temps : Le Vieux Lavoir" in page and "Demander Odile." in page
    assert 'value="Courpière"' in answer.text  # what I did not touch is shown as it is now
    with app.app_context():
        assert values(entry)["name"] == "Le Vieux Lavoir"
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', answer.text)
    again = one.post(f"/network/lieux/{entry}/edit", data=TYPED | {"name": "Lavoir neuf", "seen": seen})
    assert again.status_code == 303
    with app.app_context():
        assert values(entry)["name"] == "Lavoir neuf" and values(entry)["city"] == "Courpière"


def test_the_same_form_twice_is_one_edit(app, cast, entry, sign_in):
    lead = sign_in(cast.lead)
    seen = opened(lead, entry)
    for _ in range(2):
        assert lead.post(f"/network/lieux/{entry}/edit", data=TYPED | {"seen": seen}).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(AuditEntry.action)).all().count("network.lieu_edited") == 1


def test_of_sixteen_at_once_one_saves_and_the_others_get_a_conflict(app, cast, entry):
    with app.app_context():
        old = values(entry)
    actor, seen = cast.lead.actor(), fingerprint(old)

    def save(number: int) -> str:
        with app.app_context():
            try:
                entries.edit(actor, entry, old | {"city": f"Ville {number}"}, seen=seen)
            except EntryChanged:
                return "told"
            return "saved"

    ended = at_once([lambda number=number: save(number) for number in range(16)])
    assert sorted(ended) == ["saved", *["told"] * 15]


def test_a_siret_is_one_place(inside, cast, entry):
    with write_unit():
        db.session.add(NetworkLieu(name="Autre", source="hand", siret="73282932000074"))
    old = values(entry)
    with pytest.raises(AlreadyListed):
        entries.edit(cast.lead.actor(), entry, old | {"siret": "73282932000074"}, seen=fingerprint(old))
    with pytest.raises(NotFound):
        entries.edit(cast.lead.actor(), "nobody", old, seen=fingerprint(old))


def test_notes_never_leave_the_head(app, cast, place, sign_in):
    with app.app_context():
        row = make_lieu("Manufacture", notes="ZQNOTE", phone="04 00 00 00 99", kind="fablab", region="84")
        say(row, offered=100, booked=40, attended=30, known=40, desk_absent_halfdays=10)
        public = row.public_id
    lead = sign_in(cast.lead)
    assert "ZQNOTE" in lead.get(f"/network/lieux/{public}").text
    table = lead.get("/network/directory.csv").get_data(as_text=True)
    assert "ZQNOTE" not in table and "04 00 00 00 99;" in table and "Auvergne-Rhône-Alpes;Fablab;" in table
    for path in ("/network", "/network/directory", "/network/returns.csv?month=2026-10"):
        assert "ZQNOTE" not in lead.get(path).get_data(as_text=True), path
    assert "ZQNOTE" not in Program(app, cast.lead).get("/network/returns", month="2026-10").get_data(as_text=True)


def test_the_list_is_narrowed_by_type_and_region(app, cast, place, sign_in):
    with app.app_context():
        put("Un", kind="fablab", region="84")
        put("Deux", kind="fablab", region="75")
        put("Trois", kind="coworking", region="84")
    lead = sign_in(cast.lead)

    def names(query: str) -> list[str]:
        return re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', lead.get(f"/network/directory?{query}").text)

    assert names("kind=fablab") == ["Deux", "Un"]
    assert names("kind=fablab&region=84") == ["Un"]
    assert names("region=84&q=tro") == ["Trois"]
    assert names("kind=casino&region=99") == ["Deux", "Trois", "Un"]
    assert len(lead.get("/network/directory.csv?kind=fablab&region=84").text.splitlines()) == 2
    page = lead.get("/network/directory?kind=fablab").text
    assert 'href="/network/directory?kind=fablab"' not in page or 'value="fablab" selected' in page


def test_only_the_lead_edits(cast, entry, sign_in, client):
    path = f"/network/lieux/{entry}/edit"
    for person in (cast.member, cast.host, cast.manager, cast.accountant):
        browser = sign_in(person)
        assert (browser.get(path).status_code, browser.post(path, data=TYPED).status_code) == (403, 403)
    assert client.get(path).status_code == 302
    assert sign_in(cast.lead).get("/network/lieux/nobody/edit").status_code == 404
    assert sign_in(cast.lead).post("/network/lieux/nobody/edit", data=TYPED).status_code == 404
