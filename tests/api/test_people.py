"""People for programs: their figures, their reduced prices, and the copy of one's own data."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from coworking.accounts import erasing
from coworking.accounts.models import Person
from coworking.api.schemas.bookings import Unit
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.security import SecurityEvent
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.models import Quote
from tests.factories import make_group, make_reduced


def test_what_somebody_does_and_where_they_live_is_written_by_staff(app, host, cast):
    path = f"/people/{cast.member.public_id}"
    assert (host.get(path).get_json()["status"], host.get(path).get_json()["commune"]) == (None, None)
    said = host.post(f"{path}/figures", {"status": "jobseeker", "commune": "Felletin"})
    assert (said.status_code, said.get_json()["status"], said.get_json()["commune"]) == (200, "jobseeker", "Felletin")
    kept = host.post(f"{path}/figures", {"status": ""}).get_json()
    assert (kept["status"], kept["commune"]) == (None, "Felletin"), "what is left out stays"
    assert host.get(path).get_json() == kept
    with app.app_context():
        fields = db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == "person.changed")).all()
        assert [one["fields"] for one in fields] == [["commune", "status"], ["status"]]


def test_figures_that_cannot_be_are_refused(host, cast):
    path = f"/people/{cast.member.public_id}/figures"
    for body, field in (({"status": "king"}, "status"), ({}, "status"), ({"commune": "x" * 200}, "commune")):
        answer = host.post(path, body)
        assert (answer.status_code, answer.get_json()["field"]) == (422, field)
    assert host.post(f"/people/{cast.manager.public_id}/figures", {"status": "other"}).status_code == 403
    assert host.post("/people/2222222222222222/figures", {"status": "other"}).status_code == 404


def test_who_was_erased_is_nobody(app, host, cast):
    with app.app_context():
        erasing.erase(cast.manager.actor(), cast.stranger.public_id)
    path = f"/people/{cast.stranger.public_id}"
    answers = [host.get(path), host.get(f"{path}/reduced-prices"), host.post(f"{path}/figures", {"status": "other"})]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


@pytest.fixture
def student(app, place, cast) -> str:
    with app.app_context():
        return make_group("étudiant").public_id


GIVEN = {
    "valid_from": "2026-11-24",
    "valid_until": "2027-06-30",
    "proof": " carte  d’étudiant",
    "seen_on": "2026-11-24",
}


def test_a_reduced_price_is_given_by_a_proof_and_ended(app, student, host, cast):
    path = f"/people/{cast.member.public_id}/reduced-prices"
    made = host.post(path, GIVEN | {"group_id": student}, key="g1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert (shown["group"], shown["last_day"], shown["proof"], shown["seen_by"]) == (
        "étudiant",
        "2027-06-30",
        "carte d’étudiant",
        cast.host.name,
    )
    assert host.post(path, GIVEN | {"group_id": student}, key="g1").get_json() == shown
    assert host.post(path, GIVEN | {"group_id": student}).get_json()["code"] == "given_already"
    assert host.get(path).get_json()["items"] == [shown]
    (group,) = host.get("/price-groups").get_json()["items"]
    assert group == {"id": student, "name": "étudiant", "people": 1}
    ended = host.post(f"{path}/{shown['id']}/end")
    assert (ended.status_code, ended.get_json()["last_day"]) == (200, "2026-11-23")
    assert host.post(f"{path}/{shown['id']}/end").get_json() == ended.get_json()
    assert host.get(path).get_json()["items"] == [], "it never counted"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valid_from": "2026-11-23"}, "given_in_past"),
        ({"seen_on": "2026-11-25"}, "proof_not_seen"),
        ({"valid_until": "2026-11-20"}, "dates_cross"),
        ({"proof": ""}, "invalid_input"),
        ({"proof": "x" * 121}, "invalid_input"),
        ({"group_id": "2222222222222222"}, "not_found"),
    ],
)
def test_a_reduced_price_that_cannot_be_is_refused(app, student, host, cast, more, code):
    answer = host.post(f"/people/{cast.member.public_id}/reduced-prices", GIVEN | {"group_id": student} | more)
    assert answer.get_json()["code"] == code
    with app.app_context():
        assert db.session.scalars(select(PriceGroupMember)).all() == []


def test_a_reduced_price_is_ended_under_its_own_person_alone(app, student, host, cast):
    with app.app_context():
        given = make_reduced(cast.member, make_group("autre")).public_id
    assert host.post(f"/people/{cast.stranger.public_id}/reduced-prices/{given}/end").status_code == 404
    with app.app_context():
        assert db.session.scalars(select(PriceGroupMember.ended_on)).one() is None


def test_the_copy_of_one_s_data_is_the_one_of_the_page(app, program, cast):
    answer = program(cast.member, "data:read").post("/me/data")
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Cache-Control"] == "no-store"
    with ZipFile(BytesIO(answer.get_data())) as archive:
        told = json.loads(archive.read("data.json"))
    assert (told["format"], told["person"]) == ("my-data/1", cast.member.public_id)
    with app.app_context():
        kinds = db.session.scalars(select(SecurityEvent.kind).where(SecurityEvent.person_id == cast.member.id)).all()
        assert "data_copied" in kinds, "the person is told, and it stands in the log"


def test_so_many_copies_and_no_more(program, cast):
    mine = program(cast.member)
    answers = [mine.post("/me/data") for _again in range(8)]
    last = answers[-1]
    assert (last.status_code, last.get_json()["code"]) == (429, "several_copies")
    assert int(last.headers["Retry-After"]) > 0
    assert answers[0].status_code == 200


def test_every_cover_of_a_price_is_described(app):
    """What the database lets a quote be, the description lets a unit say."""
    words = {text for text in Unit().fields["cover"].metadata["enum"] if text is not None}
    check = next(one for one in Quote.__table__.constraints if str(one.name or "").endswith("cover"))
    assert words == set(str(check.sqltext).partition("(")[2].rstrip(")").replace("'", "").split(", "))


def test_a_person_s_day_is_a_date(app, host, cast):
    assert date.fromisoformat(host.get(f"/people/{cast.member.public_id}").get_json()["created_at"][:10])
    with app.app_context():
        assert db.session.scalar(select(Person.status).where(Person.id == cast.member.id)) is None
