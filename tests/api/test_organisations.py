"""Organisations for programs: the contact reads and does what her page lets her, and nothing beyond it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from coworking.accounts.models import Organisation, OrganisationInvitation, OrganisationMember
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Agreement
from tests import factories
from tests.support.billing import use


@pytest.fixture
def durand(app, place, cast) -> str:
    """The employer of Anne and Karim (a public id), who speaks for it; it pays eight half-days a month."""
    with app.app_context():
        agreement = factories.make_agreement(halfdays=8, order_number="BC-1")
        employer = db.session.get_one(Organisation, agreement.organisation_id)
        public_id = employer.public_id
        with write_unit():
            db.session.execute(
                update(OrganisationMember)
                .where(OrganisationMember.person_id == cast.colleague.id)
                .values(is_contact=True)
            )
            db.session.execute(update(Organisation).values(siren="123456782", email="compta@durand.example"))
            other = Organisation(name="Papeterie Roux")
            db.session.add(other)
            db.session.flush()
            member = OrganisationMember(
                organisation_id=other.id, person_id=cast.stranger.id, since=factories.LONG_AGO, is_contact=True
            )
            db.session.add(member)
        for day in (3, 5, 23):
            use(
                place,
                cast.member,
                date(2026, 11, day),
                agreement_id=agreement.id,
                organisation_id=agreement.organisation_id,
            )
        use(place, cast.member, date(2026, 11, 9))
    return public_id


@pytest.fixture
def contact(program, cast, durand):
    return program(cast.colleague)


def agreement_of(app: Any) -> str:
    with app.app_context():
        return db.session.scalars(select(Agreement.public_id)).one()


def test_the_contact_reads_her_own_organisation_and_no_line_of_its_invoices(durand, contact, program, cast):
    (one,) = contact.get("/organisations").get_json()["items"]
    assert (one["id"], one["siren"], one["email"]) == (durand, None, None)
    assert contact.get(f"/organisations/{durand}").get_json() == one
    every = program(cast.manager).get("/organisations").get_json()["items"]
    assert {row["name"]: row["siren"] for row in every} == {
        "Coutellerie Durand SA": "123456782",
        "Papeterie Roux": None,
    }
    assert program(cast.member).get("/organisations").get_json()["items"] == []
    assert program(cast.host).get("/organisations").get_json()["items"] == [], "the team's hosts do not speak for it"


def test_organisations_are_read_in_pages(durand, program, cast, contact):
    manager = program(cast.manager)
    first = manager.get("/organisations", limit=1).get_json()
    second = manager.get("/organisations", limit=1, cursor=first["next"]).get_json()
    assert [page["items"][0]["name"] for page in (first, second)] == ["Coutellerie Durand SA", "Papeterie Roux"]
    assert second["next"] is None
    for stray in ("x", first["next"][:-2], "WyJub2JvZHkiXQ"):
        assert contact.get("/organisations", cursor=stray).get_json()["code"] == "invalid_cursor"
    theirs = manager.get("/organisations", limit=1).get_json()["next"]
    assert program(cast.stranger).get("/organisations", cursor=theirs).get_json()["code"] == "invalid_cursor"


def test_the_contact_reads_counts_and_dates_only_where_the_person_agreed(app, durand, contact, cast, sign_in):
    def anne() -> Any:
        page = contact.get(f"/organisations/{durand}/people", month="2026-11").get_json()
        return next(row for row in page["items"] if row["person"]["name"] == "Anne Marchand")

    assert (anne()["used"], anne()["left"], anne()["dates"]) == (3, 5, None)
    assert anne()["person"]["id"] == cast.member.public_id
    sign_in(cast.member).post(f"/me/employer/{durand}/dates", data={"shown": "yes"})
    days = [{"day": f"2026-11-{day:02}", "halfdays": 1} for day in (3, 5, 23)]
    assert anne()["dates"] == days, "never the day she paid herself"
    earlier = contact.get(f"/organisations/{durand}/people", month="2026-10").get_json()
    assert {row["used"] for row in earlier["items"]} == {0} and earlier["month"] == "2026-10"
    for far in ("2024-10", "2026-12"):
        assert contact.get(f"/organisations/{durand}/people", month=far).status_code == 404


READS = ("", "/people", "/invitations", "/agreements")


@pytest.mark.parametrize("who", ["member", "stranger", "host", "accountant"])
def test_nobody_else_learns_that_it_is_there(app, durand, program, cast, who):
    other, person, agreement = program(getattr(cast, who)), cast.member.public_id, agreement_of(app)
    writes = {
        f"/people/{person}/end": {"last_day": "2026-12-31"},
        "/invitations": {"email": "zoe@demo.example"},
        "/invitations/2222222222222222/withdraw": {},
        f"/agreements/{agreement}/order-number": {"order_number": "X"},
    }
    for at in (durand, "2222222222222222"):
        answers = [other.get(f"/organisations/{at}{path}") for path in READS]
        answers += [other.post(f"/organisations/{at}{path}", body) for path, body in writes.items()]
        assert [(answer.status_code, answer.get_json()["code"]) for answer in answers] == [(404, "not_found")] * 8
    with app.app_context():
        assert db.session.scalars(select(OrganisationMember.until)).all() == [None] * 3
        assert db.session.scalars(select(OrganisationInvitation)).all() == []
        assert db.session.scalars(select(Agreement.order_number)).one() == "BC-1"


def test_what_managers_alone_do_the_contact_does_not(app, durand, contact, cast):
    agreement = agreement_of(app)
    for path, body in {
        "/people": {"person_id": cast.stranger.public_id, "since": "2026-11-24"},
        "/agreements": {"valid_from": "2026-11-24"},
        f"/agreements/{agreement}/end": {"last_day": "2026-12-31"},
        "/details": {"email": "anne@demo.example"},
    }.items():
        answer = contact.post(f"/organisations/{durand}{path}", body)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden"), path
    assert contact.post("/organisations", {"name": "Atelier Roux"}).get_json()["code"] == "forbidden"


def test_the_contact_ends_somebody_from_today_on_once(app, durand, contact, program, cast):
    path = f"/organisations/{durand}/people/{cast.member.public_id}/end"
    past = contact.post(path, {"last_day": "2026-11-01"})
    assert (past.status_code, past.get_json()["code"]) == (422, "ends_in_the_past")
    ended = contact.post(path, {"last_day": "2026-11-30"}, key="e1")
    assert ended.status_code == 200 and ended.get_json()["until"] == "2026-11-30", ended.get_json()
    again = contact.post(path, {"last_day": "2026-11-30"}, key="e1")
    assert again.get_json() == ended.get_json() and again.headers["Idempotent-Replayed"] == "true"
    last = contact.post(f"/organisations/{durand}/people/{cast.colleague.public_id}/end", {"last_day": "2026-11-24"})
    assert (last.status_code, last.get_json()["code"]) == (409, "last_contact")
    with app.app_context():
        row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "organisation.left")).one()
        assert row.actor_id == cast.colleague.id
    assert (
        contact.post(
            f"/organisations/{durand}/people/{cast.stranger.public_id}/end", {"last_day": "2026-11-30"}
        ).status_code
        == 404
    )


def test_who_belongs_to_it_no_longer_is_not_brought_back(app, durand, contact, clock, cast):
    path = f"/organisations/{durand}/people/{cast.member.public_id}/end"
    assert contact.post(path, {"last_day": "2026-11-24"}).status_code == 200
    clock.now += timedelta(days=1)
    assert contact.post(path, {"last_day": "2027-11-24"}).status_code == 404


def test_who_left_and_came_back_is_ended_where_they_are_now(app, durand, contact, program, clock, cast):
    path = f"/organisations/{durand}/people"
    assert contact.post(f"{path}/{cast.member.public_id}/end", {"last_day": "2026-11-24"}).status_code == 200
    clock.now += timedelta(days=2)
    back = program(cast.manager).post(path, {"person_id": cast.member.public_id, "since": "2026-11-26"})
    assert back.status_code == 201
    ended = contact.post(f"{path}/{cast.member.public_id}/end", {"last_day": "2026-12-31"})
    assert (ended.status_code, ended.get_json()["since"], ended.get_json()["until"]) == (
        200,
        "2026-11-26",
        "2026-12-31",
    )


def test_inviting_tells_nothing_of_the_address_and_is_withdrawn(durand, contact, cast):
    path = f"/organisations/{durand}/invitations"
    new, known = (contact.post(path, {"email": email}) for email in ("zoe@demo.example", cast.host.email))
    assert (new.status_code, known.status_code) == (201, 201)
    assert new.get_json().keys() == known.get_json().keys()
    assert [row["email"] for row in contact.get(path).get_json()["items"]] == [cast.host.email, "zoe@demo.example"]
    gone = f"{path}/{new.get_json()['id']}/withdraw"
    assert contact.post(gone).get_json()["withdrawn_at"] is not None
    assert contact.post(gone).status_code == 200
    assert [row["email"] for row in contact.get(path).get_json()["items"]] == [cast.host.email]
    wrong = contact.post(path, {"email": "no address"})
    assert (wrong.status_code, wrong.get_json()["field"]) == (422, "email")


def test_an_agreement_is_made_read_and_ended(app, durand, contact, program, cast):
    manager, path = program(cast.manager), f"/organisations/{durand}/agreements"
    wanted = {
        "valid_from": "2026-12-01",
        "weekdays": [1, 4],
        "cap_cents": 9000,
        "cap_of": "organisation",
        "share_percent": 70,
        "pays_rooms": True,
        "beyond": "refuse",
    }
    made = manager.post(path, wanted, key="a1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert {name: shown[name] for name in wanted} == wanted
    assert (shown["order_number"], shown["spent_cents"], shown["forecast_cents"]) == (None, 0, 0)
    assert manager.post(path, wanted, key="a1").get_json() == shown
    old = agreement_of_first = contact.get(path).get_json()["items"]
    assert [row["spent_cents"] for row in old] == [0, 2700], agreement_of_first
    ended = manager.post(f"{path}/{old[1]['id']}/end", {"last_day": "2026-11-24"})
    assert ended.get_json()["valid_until"] == "2026-11-24"
    number = contact.post(f"{path}/{shown['id']}/order-number", {"order_number": "BC-2"})
    assert number.get_json()["order_number"] == "BC-2"
    assert contact.post(f"{path}/{shown['id']}/order-number", {}).get_json()["order_number"] is None
    foreign = manager.get("/organisations").get_json()["items"][1]["id"]
    assert (
        manager.post(f"/organisations/{foreign}/agreements/{shown['id']}/end", {"last_day": "2026-12-31"}).status_code
        == 404
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"weekdays": [0]}, "weekdays.0"),
        ({"weekdays": [1, 1]}, "weekdays"),
        ({"weekdays": []}, "weekdays"),
        ({"share_percent": 101}, "share_percent"),
        ({"cap_cents": 0}, "cap_cents"),
        ({"beyond": "later"}, "beyond"),
        ({"valid_from": "2026-13-01"}, "valid_from"),
        ({"valid_from": "20261201"}, "valid_from"),
        ({"valid_from": "1999-12-01"}, "valid_from"),
        ({"valid_until": "2026-11-30"}, None),
    ],
)
def test_an_agreement_that_cannot_be_is_refused(app, durand, program, cast, more, field):
    answer = program(cast.manager).post(f"/organisations/{durand}/agreements", {"valid_from": "2026-12-01"} | more)
    assert answer.status_code == 422, answer.get_json()
    assert field is None or answer.get_json()["field"] == field
    agreement_of(app)


def test_somebody_is_added_by_a_manager_once(durand, program, cast):
    manager, path = program(cast.manager), f"/organisations/{durand}/people"
    body = {"person_id": cast.stranger.public_id, "since": "2026-11-24", "until": "2027-01-31"}
    made = manager.post(path, body, key="p1")
    assert made.status_code == 201, made.get_json()
    assert made.get_json() == {
        "person": {"id": cast.stranger.public_id, "name": cast.stranger.name},
        "is_contact": False,
        "since": "2026-11-24",
        "until": "2027-01-31",
    }
    assert manager.post(path, body, key="p1").get_json() == made.get_json()
    assert manager.post(path, body).get_json()["code"] == "already_member"
    assert manager.post(path, body | {"person_id": "2222222222222222"}).status_code == 404


NEW = {
    "name": " Atelier  Roux ",
    "siret": "552 100 554 00013",
    "email": "COMPTA@roux.example",
    "address": "1 rue Haute\nBP 4",
    "postcode": "63300",
    "domain": "@roux.example",
    "is_public": True,
}


def test_an_organisation_is_added_once_and_its_details_change(app, durand, program, cast):
    manager = program(cast.manager)
    made = manager.post("/organisations", NEW, key="o1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert {name: shown[name] for name in (*NEW, "siren")} == {
        "name": "Atelier Roux",
        "siren": "552100554",
        "siret": "55210055400013",
        "email": "compta@roux.example",
        "address": "1 rue Haute\nBP 4",
        "postcode": "63300",
        "domain": "roux.example",
        "is_public": True,
    }
    again = manager.post("/organisations", NEW, key="o1")
    assert again.get_json() == shown and again.headers["Idempotent-Replayed"] == "true"
    path = f"/organisations/{shown['id']}"
    changed = manager.post(f"{path}/details", {"city": "Thiers", "siret": "", "domain": ""}, key="o2")
    assert changed.status_code == 200, changed.get_json()
    assert changed.get_json() == shown | {"city": "Thiers", "siret": None, "domain": None}, "what is left out stays"
    assert manager.get(path).get_json() == changed.get_json()
    assert manager.post(f"{path}/details", {"city": "Thiers", "siret": "", "domain": ""}, key="o2").status_code == 200
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("organisation.c%"))).all()
        assert [(row.action, row.actor_id, row.details.get("fields")) for row in entries] == [
            ("organisation.created", cast.manager.id, None),
            ("organisation.changed", cast.manager.id, ["siret", "city", "domain"]),
        ]


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"name": ""}, 422, "invalid_input", "name"),
        ({"name": "Coutellerie Durand SA"}, 409, "organisation_taken", "name"),
        ({"siren": "123456789"}, 422, "siren_invalid", "siren"),
        ({"siret": "1"}, 422, "siret_invalid", "siret"),
        ({"siren": "123456782"}, 422, "siret_of_another", "siret"),
        ({"vat_number": "12"}, 422, "vat_number_invalid", "vat_number"),
        ({"email": "compta"}, 422, "email_invalid", "email"),
        ({"postcode": "633"}, 422, "postcode_invalid", "postcode"),
        ({"domain": "orange.fr"}, 422, "domain_of_many", "domain"),
        ({"address": "x" * 301}, 422, "invalid_input", "address"),
        ({"address": "a\u0000b"}, 422, "invalid_input", "address"),
        ({"city": None}, 422, "invalid_input", "city"),
        ({"owner": "x"}, 422, "invalid_input", "owner"),
    ],
)
def test_an_organisation_that_cannot_be_is_refused(app, durand, program, cast, wrong, status, code, field):
    manager = program(cast.manager)
    with app.app_context(), write_unit():
        db.session.execute(update(Organisation).where(Organisation.name == "Papeterie Roux").values(siret=NEW["siret"]))
    other = manager.get("/organisations").get_json()["items"][1]
    for answer in (
        manager.post("/organisations", {**NEW, **wrong}),
        manager.post(f"/organisations/{other['id']}/details", wrong),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.get_json()
        assert answer.get_json()["field"] == field
    assert manager.get("/organisations").get_json()["items"][1] == other
    assert len(manager.get("/organisations").get_json()["items"]) == 2


def test_details_of_nothing_are_refused(durand, program, cast):
    manager = program(cast.manager)
    nothing = manager.post(f"/organisations/{durand}/details", {})
    assert (nothing.status_code, nothing.get_json()["field"]) == (422, "name")
    assert manager.post("/organisations/2222222222222222/details", {"city": "Thiers"}).status_code == 404
