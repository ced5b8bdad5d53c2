"""A copy of what the lieu holds about somebody: what the files are, who may make one, and who hears of it."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import pytest
from sqlalchemy import select, update

from coworking.accounts import erasing, my_data
from coworking.accounts.models import Person
from coworking.billing import services as billing
from coworking.billing.models import Invoice, InvoicePdf
from coworking.core import holdings, outbox, security
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.security import SecurityEvent
from coworking.core.units import write_unit
from coworking.pricing.models import Quote
from tests import factories
from tests.support.billing import OCTOBER


@pytest.fixture
def lieu(inside, billing_lieu):
    return billing_lieu


def copy_of(actor, person) -> zipfile.ZipFile:
    return zipfile.ZipFile(my_data.copy_of(actor, person.public_id))


def document(archive: zipfile.ZipFile) -> dict:
    return json.loads(archive.read("data.json"))


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    text = archive.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def set_person(person: Person, **values) -> None:
    with write_unit():
        db.session.execute(update(Person).where(Person.id == person.id).values(**values))


def test_the_document_and_the_tables_say_the_same(lieu):
    person = lieu.cast.stranger
    billing.run(lieu.manager, OCTOBER)
    set_person(person, staff_note="=Aime le poste 3", phone="+33600000000")
    archive = copy_of(person.actor(), person)
    found = document(archive)
    assert archive.testzip() is None
    assert (found["format"], found["person"], found["lieu"]) == ("my-data/1", person.public_id, "La Fabrique du Pont")
    account = found["kinds"]["account"]
    assert account["words"]["staff_note"] == "Note de l’équipe à mon sujet"
    assert account["rows"][0]["staff_note"] == "=Aime le poste 3" and account["rows"][0]["email"] == person.email
    assert account["rows"][0]["created_at"].endswith("Z")
    (line,) = table(archive, "mon-compte.csv")
    assert line["Note de l’équipe à mon sujet"] == "'=Aime le poste 3", "no formula"
    (invoice,) = found["kinds"]["invoices"]["rows"]
    (row,) = table(archive, "mes-factures-et-avoirs.csv")
    assert invoice["payable_cents"] == 6600 and row["À payer"] == "66,00" and row["Établie par"] == "quelqu’un d’autre"
    assert invoice["issued_by"] == "somebody else"
    for one in holdings.declared():
        rows = found["kinds"][one.kind]["rows"]
        assert all(row.keys() == found["kinds"][one.kind]["words"].keys() for row in rows)
    assert {one["what"] for one in found["left_out"]} >= {"Lignes de la banque du lieu", "Mon compte"}


def test_the_words_are_in_the_language_of_the_person(lieu):
    person = lieu.cast.stranger
    set_person(person, locale="en")
    archive = copy_of(person.actor(), person)
    assert {"Read me first.txt", "my-account.csv"} <= set(archive.namelist())
    assert b"Given name" not in archive.read("my-account.csv") and b"First name" in archive.read("my-account.csv")
    assert "bank_line" not in archive.read("Read me first.txt").decode(), "plain words"


def page_of(archive: zipfile.ZipFile) -> str:
    (name,) = [name for name in archive.namelist() if name.endswith(".html")]
    return archive.read(name).decode()


def test_a_page_says_all_of_it_in_words(lieu):
    person = lieu.cast.stranger
    billing.run(lieu.manager, OCTOBER)
    set_person(person, staff_note="<b>Aime</b> le poste 3", phone="+33600000000")
    archive = copy_of(person.actor(), person)
    page, found = page_of(archive), document(archive)
    assert "&lt;b&gt;Aime&lt;/b&gt; le poste 3" in page and "<b>" not in page, "nothing that was typed is markup"
    for one in holdings.declared():
        rows = found["kinds"][one.kind]["rows"]
        said = page.partition(f'<section id="{one.kind}">')[2].partition("</section>")[0]
        assert said.count("<article>") == (0 if one.paper is not None else len(rows)), one.kind
    invoice = page.partition('<section id="invoices">')[2].partition("</section>")[0]
    assert "<dt>À payer</dt><dd>66,00\xa0€</dd>" in invoice
    assert "<dt>Établie par</dt><dd>quelqu’un d’autre</dd>" in invoice
    assert "C’est dans data.json" in invoice, "the whole document is for programs; its PDF is beside it"
    assert "2026-10" not in invoice.partition("<dd>C’est dans")[0], "days are written as people write them"


def test_the_page_needs_nothing_but_itself(lieu):
    """No script, no picture, no address: who opens it years later, without a network, reads the same."""
    person = lieu.cast.stranger
    set_person(person, locale="en", first_name='"><script src="https://x.example/x.js">')
    page = page_of(copy_of(person.actor(), person))
    assert page.startswith("<!doctype html>") and '<html lang="en">' in page
    asked = re.findall(r"""<[^>]*?\s(?:src|href|action)="([^"]*)""", page)
    assert asked and all(one.startswith("#") for one in asked), "it points to itself alone"
    assert "<script" not in page and "@import" not in page and "url(" not in page
    assert "default-src 'none'" in page
    assert "What La Fabrique du Pont holds about" in page


def test_the_page_names_nobody_else(lieu):
    person = lieu.cast.stranger
    billing.run(lieu.manager, OCTOBER)
    page = page_of(copy_of(person.actor(), person))
    for other in (lieu.cast.member, lieu.cast.manager, lieu.cast.host):
        assert other.name not in page and (other.email or "?") not in page


def test_pdfs_that_were_drawn_are_in_it_as_they_are(lieu):
    person = lieu.cast.stranger
    billing.run(lieu.manager, OCTOBER)
    invoice = db.session.scalars(select(Invoice).where(Invoice.payer_person_id == person.id)).one()
    other = db.session.scalars(select(Invoice).where(Invoice.payer_person_id != person.id)).first()
    assert other is not None
    with write_unit():
        for one, content in ((invoice, b"%PDF mine"), (other, b"%PDF another's")):
            db.session.add(InvoicePdf(invoice_id=one.id, sha256="0" * 64, content=content))
    archive = copy_of(person.actor(), person)
    pdfs = {name: archive.read(name) for name in archive.namelist() if name.endswith(".pdf")}
    assert pdfs == {f"pdf-de-mes-factures/{invoice.number.lower()}.pdf": b"%PDF mine"}


def test_what_an_employer_pays_is_given_without_its_price(lieu):
    person = lieu.cast.member
    paid = db.session.scalars(
        select(Quote).where(Quote.person_id == person.id, Quote.payer_organisation_id.is_not(None))
    ).first()
    assert paid is not None and paid.amount_cents > 0
    rows = {row["id"]: row for row in document(copy_of(person.actor(), person))["kinds"]["prices"]["rows"]}
    assert rows[paid.public_id]["amount_cents"] is None and rows[paid.public_id]["payer_organisation"]
    own = db.session.scalars(select(Quote).where(Quote.payer_person_id == person.id)).first()
    assert own is not None and rows[own.public_id]["amount_cents"] == own.amount_cents


def test_where_a_wrong_password_came_from_is_not_told(lieu):
    """It may have been typed by somebody else."""
    person = lieu.cast.stranger
    with write_unit():
        for kind in ("sign_in_failed", "signed_in"):
            security.record(kind, person_id=person.id)
        db.session.execute(update(SecurityEvent).values(address="192.0.2.0/24"))
    rows = document(copy_of(person.actor(), person))["kinds"]["security_events"]["rows"]
    assert [(row["kind"], row["address"]) for row in rows] == [
        ("sign_in_failed", None),
        ("signed_in", "192.0.2.0/24"),
    ]


def test_an_address_that_nobody_confirmed_shows_nothing_that_was_sent_there(lieu, run_outbox):
    """Whoever signs up with a stranger's address must not read what waits for them."""
    person = factories.make_person("Ève", "Faux", "victime@demo.example", email_confirmed_at=None)
    with write_unit():
        outbox.enqueue("mail", "one", {"to": "victime@demo.example"})
    assert document(copy_of(person.actor(), person))["kinds"]["emails"]["rows"] == []


def test_it_is_written_down_and_told(lieu, run_outbox, mailbox):
    person = lieu.cast.stranger
    copy_of(person.actor(), person)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.data_copied")).one()
    assert (entry.actor_id, entry.person_id) == (person.id, person.id)
    event = db.session.scalars(select(SecurityEvent).where(SecurityEvent.kind == security.DATA_COPIED)).one()
    assert (event.actor_id, event.person_id) == (person.id, person.id)
    run_outbox()
    told = [message for message in mailbox() if message["To"] == person.email]
    assert told[-1]["Subject"] == "Une copie de vos données a été faite"


def test_a_manager_makes_it_for_who_has_no_address_and_for_nobody_else(lieu):
    manager = lieu.manager
    with pytest.raises(my_data.MakeItThemselves):
        my_data.copy_of(manager, lieu.cast.stranger.public_id)
    for who in ("host", "accountant", "stranger"):
        with pytest.raises(Forbidden):
            my_data.copy_of(getattr(lieu.cast, who).actor(), lieu.cast.member.public_id)
    person = factories.make_person("Odette", "Blanc", None)
    assert document(copy_of(manager, person))["kinds"]["account"]["rows"][0]["first_name"] == "Odette"
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.data_copied")).one()
    assert (entry.actor_id, entry.person_id) == (manager.person_id, person.id)
    with pytest.raises(Forbidden):
        my_data.copy_of(lieu.cast.host.actor(), person.public_id)


def test_nothing_is_made_for_who_was_erased(lieu):
    person = lieu.cast.host
    erasing.erase(lieu.manager, person.public_id)
    with pytest.raises(NotFound):
        my_data.copy_of(lieu.manager, person.public_id)
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.data_copied")).all() == []


def test_copies_are_throttled_by_who_makes_them(lieu, clock):
    person = lieu.cast.stranger
    for _ in range(5):
        my_data.copy_of(person.actor(), person.public_id).close()
    with pytest.raises(my_data.SeveralCopies):
        my_data.copy_of(person.actor(), person.public_id)
    my_data.copy_of(lieu.cast.member.actor(), lieu.cast.member.public_id).close()
    clock.advance(hours=1)
    my_data.copy_of(person.actor(), person.public_id).close()


def test_rows_are_read_some_at_a_time(lieu, monkeypatch, count_statements):
    """As many statements for a hundred times the rows: each kind is streamed twice, and nothing is asked row by row."""
    person = lieu.cast.stranger

    def statements() -> int:
        with count_statements() as counted:
            my_data.copy_of(person.actor(), person.public_id).close()
        return len(counted)

    statements()  # which writes down the first rows of some kinds
    few = statements()
    with write_unit():
        for _ in range(500):
            security.record("signed_in", person_id=person.id)
    assert statements() == few


def test_nobody_waits_while_it_is_made(lieu, monkeypatch):
    """The file is written in a snapshot: others write meanwhile."""
    person, written = lieu.cast.stranger, []
    real = my_data.copy_formats.write

    def write(*given) -> None:
        assert "snapshot" in db.session().info and "unit" not in db.session().info
        written.append(real(*given))

    monkeypatch.setattr(my_data.copy_formats, "write", write)
    my_data.copy_of(person.actor(), person.public_id).close()
    assert written == [None]


def test_the_page_gives_the_file(app, billing_lieu, sign_in):
    browser = sign_in(billing_lieu.cast.stranger)
    page = browser.get("/me/data").text
    assert "Télécharger mes données" in page and "Mes réservations" in page
    answer = browser.post("/me/data")
    assert answer.status_code == 200 and answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "donnees-de-lise-vidal-2026-11-24.zip" in answer.headers["Content-Disposition"]
    assert "mon-compte.csv" in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    for _ in range(5):
        answer = browser.post("/me/data")
    assert answer.status_code == 429 and "plusieurs copies" in answer.text


def test_a_proof_is_asked_first(app, billing_lieu, sign_in, clock):
    browser = sign_in(billing_lieu.cast.stranger)
    clock.advance(hours=1)
    for answer in (browser.get("/me/data"), browser.post("/me/data")):
        assert answer.status_code != 200 and answer.mimetype != "application/zip"


def test_a_manager_is_sent_to_whom_it_belongs(app, billing_lieu, sign_in):
    browser = sign_in(billing_lieu.cast.manager)
    stranger = billing_lieu.cast.stranger
    assert "Moi → Mes données" in browser.get(f"/people/{stranger.public_id}/data").text
    assert browser.post(f"/people/{stranger.public_id}/data").status_code == 409
    with app.app_context():
        person = factories.make_person("Odette", "Blanc", None)
    answer = browser.post(f"/people/{person.public_id}/data")
    assert answer.mimetype == "application/zip"
    assert sign_in(billing_lieu.cast.host).get(f"/people/{person.public_id}/data").status_code == 403
