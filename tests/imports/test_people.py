"""People from a spreadsheet: who is new, who is here, what is in doubt; nobody twice, and no line stops the others."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select

from coworking.accounts.models import Person, PersonRole
from coworking.core import outbox, retention
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.imports import handlers, judging
from coworking.imports.models import ImportFile, ImportLine
from coworking.imports.person_rules import names_in
from coworking.imports.status_rules import StatusUnknown, status_of
from tests import factories
from tests.imports.uploads import HEAD, csv_file, xlsx_file


def people(app) -> dict[str, Person]:
    with app.app_context():
        return {person.email or person.name: person for person in db.session.scalars(select(Person)).unique()}


def line(first="", last="", email="", phone="", address="", postcode="", city="", note=""):
    return (first, last, email, phone, address, postcode, city, note)


@pytest.mark.parametrize("made", [csv_file, lambda rows: csv_file(rows, encoding="latin-1"), xlsx_file])
def test_sixty_members_move_in(app, steps, mailbox, made):
    lives = ("06 12 34 56 78", "1 rue Haute", 63300, "Thiers")
    rows = [line(f"Zoé{at}", "Lefèvre", f"Zoe{at}@Demo.Example", *lives) for at in range(60)]
    place = steps.whole(made([HEAD, *rows]))
    found = people(app)
    assert sum(email.startswith("zoe") for email in found) == 60
    zoe = found["zoe7@demo.example"]
    assert (zoe.name, zoe.phone, zoe.postcode, zoe.vouched, zoe.roles) == (
        "Zoé7 Lefèvre", "06 12 34 56 78", "63300", True, {"member"},
    )  # fmt: skip
    assert "60" in steps.browser.get(place).text
    assert mailbox() == []


def test_three_broken_lines_of_many_stop_nothing(app, steps):
    rows = [line(f"P{at}", "Roy", f"p{at}@demo.example") for at in range(500)]
    rows[7] = line("", "", "", "06 12 34 56 78")
    rows[210] = line("=HYPERLINK(1)", "Roy", "not an address")
    rows[499] = line("Ré", "x" * 300)
    place = steps.whole(csv_file([HEAD, *rows], encoding="latin-1"))
    report = {row[0]: row for row in steps.report(place)}
    assert len(report) == 500
    assert {number: row[2] for number, row in report.items() if row[2] != "ajouté·e"} == dict.fromkeys(
        ("9", "212", "501"), "laissé de côté"
    )
    assert "prénom" in report["9"][3] and "e-mail" in report["212"][3]
    assert len(people(app)) == 497 + 7


def test_who_is_here_already_is_found_by_the_address_whatever_its_case(app, steps, cast):
    email = str(cast.member.email)
    place = steps.whole(csv_file([HEAD, line("Autre", "Nom", f"  {email.upper()} ", "06 12 34 56 78", city="Thiers")]))
    found = people(app)[email]
    assert found.name == cast.member.name and found.city == "Thiers"
    assert steps.report(place)[0][2] == "complété·e"


def test_an_empty_cell_changes_nothing_and_values_give_way_only_when_asked(app, steps):
    with app.app_context():
        factories.make_person("Ines", "Roy", "ines@demo.example", phone="06 00 00 00 00", city="Thiers")
    steps.whole(csv_file([HEAD, line("Inès", "", "ines@demo.example", "07 11 11 11 11")]))
    ines = people(app)["ines@demo.example"]
    assert (ines.name, ines.phone, ines.city) == ("Ines Roy", "06 00 00 00 00", "Thiers")
    steps.whole(csv_file([HEAD, line("Inès", "", "ines@demo.example", "07 11 11 11 11", note="x")]), replaces="1")
    ines = people(app)["ines@demo.example"]
    assert (ines.name, ines.phone, ines.city) == ("Inès Roy", "07 11 11 11 11", "Thiers")


def test_nobody_with_rights_of_their_own_is_changed(app, steps, cast):
    rows = [line("Pirate", "X", str(person.email), "06 12 34 56 78") for person in (cast.manager, cast.host)]
    place = steps.whole(csv_file([HEAD, *rows]), replaces="1")
    found = people(app)
    assert (
        found[str(cast.manager.email)].name == cast.manager.name
        and found[str(cast.host.email)].phone == cast.host.phone
    )
    assert [row[2] for row in steps.report(place)] == ["déjà là"] * 2


def test_one_address_twice_by_case_accent_or_plus(app, steps):
    rows = [
        line("Eva", "Roy", "eva@demo.example"),
        line("Eva", "Roy", "EVA@demo.example"),
        line("Éva", "Roy", "éva@demo.example"),
        line("Eva", "R", "eva+asso@demo.example"),
    ]
    place = steps.whole(csv_file([HEAD, *rows]))
    assert [row[2] for row in steps.report(place)] == ["ajouté·e", *["laissé de côté"] * 3]
    assert "2" in steps.report(place)[1][3]


def test_a_plus_address_of_somebody_here_is_a_doubt_that_one_decides(app, steps):
    with app.app_context():
        factories.make_person("Eva", "Roy", "eva@demo.example")
    content = csv_file([HEAD, line("Eva", "R", "eva+asso@demo.example", "06 12 34 56 78")])
    place = steps.place(content)
    steps.choose(place, steps.chosen(place))
    page = steps.browser.get(f"{place}/check").text
    assert "eva@demo.example est presque la même adresse" in page
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "doubt-2": "same", "then": "check"})
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "doubt-2": "same", "then": "start"})
    steps.run_outbox()
    assert people(app)["eva@demo.example"].phone == "06 12 34 56 78"
    assert "eva+asso@demo.example" not in people(app)


@pytest.mark.parametrize("decision, outcome", [("skip", "laissé de côté"), ("new", "ajouté·e"), ("same", "complété·e")])
def test_a_namesake_is_a_doubt(app, steps, decision, outcome):
    with app.app_context():
        factories.make_person("Léa", "Roy", None)
    place = steps.whole(csv_file([HEAD, line("LEA", "ROY", "lea@demo.example")]), doubts=decision)
    assert steps.report(place)[0][2] == outcome


def test_a_namesake_with_the_same_telephone_is_the_same_person(app, steps):
    with app.app_context():
        factories.make_person("Léa", "Roy", None, phone="06 12 34 56 78")
    place = steps.whole(csv_file([HEAD, line("ROY", "Lea", "lea@demo.example", "0612345678")]))
    assert steps.report(place)[0][2] == "complété·e"
    assert "lea@demo.example" in people(app)


def test_a_closed_account_stays_closed(app, steps):
    with app.app_context():
        factories.make_person("Max", "Roy", "max@demo.example", deactivated_at=factories.now())
    place = steps.whole(csv_file([HEAD, line("Max", "Roy", "max@demo.example", "06 12 34 56 78")]), replaces="1")
    assert steps.report(place)[0][2] == "laissé de côté"
    assert people(app)["max@demo.example"].phone is None


def test_a_cell_that_is_no_telephone_is_left_out_and_said(app, steps):
    place = steps.whole(csv_file([HEAD, line("Tom", "Roy", "tom@demo.example", "demander", postcode="1000")]))
    [[_line, _name, outcome, why]] = steps.report(place)
    assert outcome == "ajouté·e" and "demander" in why
    assert people(app)["tom@demo.example"].postcode == "01000"


def test_whose_employer_pays_and_who_has_no_name_is_said_before(steps):
    rows = [("Lise", "Roux", "lise@demo.example", "Verdier"), ("", "", "a.marin@demo.example", "")]
    place = steps.place(csv_file([("Prénom", "Nom", "E-mail", "Employeur"), *rows]))
    assert steps.choose(place, ("first_name", "last_name", "email", "organisation")).status_code == 303
    page = steps.browser.get(f"{place}/check").text
    assert "rattachée dès aujourd’hui à Verdier, qui paie ce que couvre son accord, s’il y en a un" in page
    assert "la personne s’appellera «\u202fa.marin\u202f», d’après l’adresse" in page


def test_our_own_export_can_be_imported(app, steps, cast):
    content = steps.browser.get("/people?as=csv").get_data()
    before = len(people(app))
    place = steps.whole(content)
    assert {row[2] for row in steps.report(place)} == {"déjà là"}
    assert len(people(app)) == before


@pytest.mark.parametrize(
    "text, names",
    [
        ("Anne Marchand", ("Anne", "Marchand")),
        ("MARCHAND Anne Lise", ("Anne Lise", "MARCHAND")),
        ("Marchand, Anne", ("Anne", "Marchand")),
        ("Anne", ("Anne", "")),
        ("Anne de la Tour", ("Anne", "de la Tour")),
    ],
)
def test_a_whole_name_is_taken_apart(text, names):
    assert names_in(text) == names


# Resuming, stopping, nothing twice


def rows_of(count: int):
    return [HEAD, *[line(f"P{at}", "Roy", f"p{at}@demo.example") for at in range(count)]]


def begun(steps, content: bytes) -> str:
    place = steps.place(content)
    steps.choose(place, steps.chosen(place))
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start"})
    return place


def test_a_killed_worker_leaves_whole_units_and_another_goes_on(app, steps, monkeypatch):
    place = begun(steps, csv_file(rows_of(500)))
    real, done = handlers._carry_out, []

    def killed(actor, file, one):
        done.append(one.line)
        if len(done) == 250:
            raise SystemExit
        return real(actor, file, one)

    monkeypatch.setattr(handlers, "_carry_out", killed)
    with app.app_context(), pytest.raises(SystemExit):
        outbox.run_due()
    with app.app_context():
        assert db.session.scalar(select(ImportFile.done)) == judging.UNIT
        assert db.session.scalar(select(func.count()).select_from(ImportLine)) == judging.UNIT
    again = []

    def noted(actor, file, one):
        again.append(one.line)
        return real(actor, file, one)

    monkeypatch.setattr(handlers, "_carry_out", noted)
    with app.app_context():
        row = db.session.scalars(select(outbox.OutboxRow).where(outbox.OutboxRow.state == "waiting")).one()
        job = outbox.Job(row.public_id, row.topic, row.key, row.payload, 2)
        handlers.run(job)
        handlers.run(job)  # the lease was over and two came
    steps.run_outbox()
    assert again == list(range(judging.UNIT + 2, 502)), "no line is carried out a second time"
    assert len(people(app)) == 507
    assert [row[0] for row in steps.report(place)] == [str(at) for at in range(2, 502)]
    assert {row[2] for row in steps.report(place)} == {"ajouté·e"}


def test_the_same_file_again_is_the_same_import_and_adds_nobody(app, steps):
    content = csv_file(rows_of(30))
    place = steps.whole(content)
    assert steps.place(content) == place
    steps.browser.post(f"{place}/go-on")
    steps.run_outbox()
    assert len(people(app)) == 37


def test_a_file_that_is_done_can_be_imported_once_more(app, steps, mailbox):
    with app.app_context():
        factories.make_person("Léa", "Roy", None)
    content = csv_file([*rows_of(3), line("Lea", "Roy", "lea@demo.example")])
    place = steps.whole(content)
    assert [row[2] for row in steps.report(place)] == [*["ajouté·e"] * 3, "laissé de côté"]
    assert steps.whole(content, doubts="same") == place
    assert [row[2] for row in steps.report(place)] == [*["ajouté·e"] * 3, "complété·e"]
    steps.browser.post(f"{place}/invite")
    steps.run_outbox()
    assert len(mailbox()) == 3


def test_a_stopped_import_goes_on_when_the_file_is_uploaded_again(app, steps, clock, monkeypatch):
    content = csv_file(rows_of(450))
    place = begun(steps, content)
    monkeypatch.setattr(handlers, "UNITS", 1)
    with app.app_context():
        outbox.run_due(1)
    steps.browser.post(f"{place}/stop")
    steps.run_outbox()
    assert len(people(app)) == 207
    clock.advance(days=8)
    with app.app_context():
        retention.purge("import_contents", "import_reports", "import_names")
        assert db.session.scalar(select(ImportFile.content)) is None
    assert steps.browser.post(f"{place}/go-on").status_code == 409
    assert steps.place(content) == place
    assert steps.browser.post(f"{place}/go-on").status_code == 303
    steps.run_outbox()
    assert len(people(app)) == 457
    with app.app_context():
        assert db.session.scalar(select(ImportFile.content)) is None, "deleted once it is imported"


def test_one_whose_starter_is_no_manager_any_more_is_not_worked_through(app, steps, cast):
    begun(steps, csv_file(rows_of(5)))
    with app.app_context(), write_unit():
        db.session.execute(delete(PersonRole).where(PersonRole.person_id == cast.manager.id))
    steps.run_outbox()
    assert len(people(app)) == 7


# Afterwards


def test_people_are_invited_when_the_host_says_so_and_once(app, steps, mailbox):
    place = steps.whole(csv_file(rows_of(3)))
    assert mailbox() == []
    assert steps.browser.post(f"{place}/invite").status_code == 303
    assert steps.browser.post(f"{place}/invite").status_code == 409
    steps.run_outbox()
    assert sorted(mail["To"] for mail in mailbox()) == [f"p{at}@demo.example" for at in range(3)]
    again = steps.whole(csv_file([*rows_of(3), line("P9", "Roy", "p9@demo.example")]))
    steps.browser.post(f"{again}/invite")
    steps.run_outbox()
    assert sorted(mail["To"] for mail in mailbox()) == [*[f"p{at}@demo.example" for at in range(3)], "p9@demo.example"]


def test_each_person_stands_in_the_audit_trail(app, steps, cast):
    steps.whole(csv_file(rows_of(2)))
    with app.app_context():
        actions = db.session.execute(select(AuditEntry.action, AuditEntry.actor_id)).all()
    assert [row for row in actions if row[0] == "person.created"] == [("person.created", cast.manager.id)] * 2
    assert {row[0] for row in actions} >= {"import.started", "import.done"}


def test_a_file_and_its_report_are_kept_no_longer_than_said(app, steps, clock):
    place = steps.whole(csv_file(rows_of(2)))
    waiting = steps.place(csv_file(rows_of(3)))
    clock.advance(days=8)
    with app.app_context():
        assert retention.purge("import_contents", "import_reports", "import_names") == 1
    assert "Choisissez-le à nouveau" in steps.browser.get(waiting).text.replace("\u202f", " ")
    clock.advance(days=23)
    with app.app_context():
        retention.purge("import_contents", "import_reports", "import_names")
        assert db.session.scalar(select(func.count()).select_from(ImportLine)) == 0
        assert set(db.session.scalars(select(ImportFile.file_name))) == {""}
        assert retention.purge("import_contents", "import_reports", "import_names") == 0
    assert steps.browser.get(place).status_code == 200


@pytest.mark.parametrize("who", ["host", "accountant", "member", "lead"])
def test_imports_are_for_managers(steps, sign_in, cast, who):
    place = steps.place(csv_file(rows_of(2)))
    browser = sign_in(getattr(cast, who))
    for path in ("/imports", place, f"{place}/check", f"{place}?as=csv"):
        assert browser.get(path).status_code == 403
    for path in (
        "/imports",
        f"{place}/columns",
        f"{place}/start",
        f"{place}/stop",
        f"{place}/invite",
        f"{place}/forget",
    ):
        assert browser.post(path, data={}).status_code == 403


def test_a_file_that_cannot_be_read_says_why(steps):
    for content, words in (
        (b"", "aucune ligne"),
        (b"PK\x03\x04 no workbook", "ne se lit pas"),
        (b"Nom\n" + b"x\n" * 10_001, "plus de 10000 lignes"),
        (b"Nom;\n" + b"x" * (10 * 1024 * 1024), "10 Mo"),
    ):
        answer = steps.upload(content)
        assert answer.status_code in {413, 422} and words in answer.text.replace("\u202f", "").replace("\u00a0", " ")
    assert steps.browser.post("/imports", data={"subject": "people"}).status_code == 422


# What the figures need -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("Salariée", "employee"),
        ("salarié·e", "employee"),
        ("SALARIÉ(E)", "employee"),
        ("Télétravailleuse", "employee"),
        ("Auto-entrepreneur", "self_employed"),
        ("Indépendante", "self_employed"),
        ("freelance", "self_employed"),
        ("Demandeur d’emploi", "jobseeker"),
        ("étudiants", "student"),
        ("association ou bénévole", "association"),
        ("Retraitée", "other"),
        ("self_employed", "self_employed"),
        ("  ", None),
    ],
)
def test_what_somebody_does_is_read_as_people_write_it(written, status):
    assert status_of(written) == status


def test_what_is_no_status_is_said_to_be_none():
    with pytest.raises(StatusUnknown):
        status_of("licorne")


def test_what_people_do_and_where_they_live_come_with_them(app, steps):
    head = ("Prénom", "Nom", "E-mail", "Statut", "Commune de résidence", "Ville")
    rows = [
        ("Zoé", "Roy", "zoe@demo.example", "Indépendante", "Celles-sur-Durolle", "Thiers"),
        ("Léo", "Roy", "leo@demo.example", "licorne", "", "Thiers"),
    ]
    place = steps.whole(csv_file([head, *rows]))
    found = people(app)
    zoe, leo = found["zoe@demo.example"], found["leo@demo.example"]
    assert (zoe.status, zoe.commune, zoe.city) == ("self_employed", "Celles-sur-Durolle", "Thiers")
    assert (leo.status, leo.commune) == (None, None)
    assert "licorne" in steps.report(place)[1][3]


def test_what_is_known_already_stays_unless_the_file_is_to_replace_it(app, steps):
    head = ("E-mail", "Statut", "Commune de résidence")
    with app.app_context():
        factories.make_person("Zoé", "Roy", "zoe@demo.example", status="student")
    steps.whole(csv_file([head, ("zoe@demo.example", "salariée", "Thiers")]))
    zoe = people(app)["zoe@demo.example"]
    assert (zoe.status, zoe.commune) == ("student", "Thiers")
    steps.whole(csv_file([head, ("zoe@demo.example", "Salariée", "Thiers")]), replaces="1")
    assert people(app)["zoe@demo.example"].status == "employee"
