"""Records that may be one person, for programs of managers: compared, made one with what was shown, or said to be two."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.accounts.twin_models import TwoPeople
from coworking.core.audit import AuditEntry
from coworking.core.clock import now
from coworking.core.db import db
from tests import factories
from tests.support.api import Program
from tests.support.billing import use


@pytest.fixture
def records(app, place, cast) -> tuple[str, str]:
    """Odette as the host wrote her down, and as she signed up (public ids)."""
    with app.app_context():
        old = factories.make_person("Odette", "Faure", None, phone="06 12 34 56 78")
        new = factories.make_person("odette", "FAURE", "odette@demo.example", commune="Felletin")
        return old.public_id, new.public_id


@pytest.fixture
def manager(program, cast) -> Program:
    return program(cast.manager)


def compared(manager: Program, one: str, other: str, keep: str) -> dict:
    answer = manager.get(f"/duplicates/{one}/{other}")
    assert answer.status_code == 200, answer.get_json()
    return next(way for way in answer.get_json()["directions"] if way["kept_id"] == keep)


def merged_into(app, public_id: str) -> str | None:
    with app.app_context():
        gone = db.session.scalars(select(Person).where(Person.public_id == public_id)).unique().one()
        into = gone.merged_into_person_id
        return None if into is None else db.session.get_one(Person, into).public_id


def test_a_pair_is_proposed_compared_and_made_one(app, records, manager, cast):
    old, new = records
    listed = manager.get("/duplicates").get_json()
    assert (listed["total"], listed["next"]) == (1, None)
    (pair,) = listed["items"]
    assert ({pair["one"]["id"], pair["other"]["id"]}, pair["reasons"]) == ({old, new}, ["name"])
    way = compared(manager, old, new, keep=old)
    assert (way["gone_id"], way["first"]) == (new, [])
    assert [(one["name"], one["kept"], one["gone"], one["may_take"], one["is_taken"]) for one in way["differing"]] == [
        ("name", "Odette Faure", "odette FAURE", True, False),
        ("email", None, "odette@demo.example", True, True),
        ("commune", None, "Felletin", True, True),
    ]
    body = {"gone_id": new, "seen": way["seen"]}
    done = manager.post(f"/people/{old}/merge", body, key="m1")
    assert done.status_code == 200, done.get_json()
    kept = done.get_json()
    assert (kept["id"], kept["first_name"], kept["email"], kept["phone"], kept["commune"]) == (
        old,
        "Odette",
        "odette@demo.example",
        "06 12 34 56 78",
        "Felletin",
    )
    again = manager.post(f"/people/{old}/merge", body, key="m1")
    assert again.get_json() == kept and again.headers["Idempotent-Replayed"] == "true"
    assert manager.post(f"/people/{old}/merge", body).get_json() == kept, "twice is fine"
    assert merged_into(app, new) == old
    assert manager.get("/duplicates").get_json()["items"] == []
    gone = manager.get(f"/duplicates/{old}/{new}")
    assert (gone.status_code, gone.get_json()["code"]) == (409, "already_merged")
    with app.app_context():
        said = db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("person.merged%"))).all()
        assert [(row.action, row.actor_id) for row in said] == [
            ("person.merged", cast.manager.id),
            ("person.merged_into", cast.manager.id),
        ]


def test_what_is_chosen_is_taken(records, manager):
    old, new = records
    seen = compared(manager, old, new, keep=new)["seen"]
    kept = manager.post(f"/people/{new}/merge", {"gone_id": old, "take": ["name"], "seen": seen}).get_json()
    assert (kept["first_name"], kept["phone"], kept["email"]) == ("Odette", "06 12 34 56 78", "odette@demo.example")


@pytest.mark.parametrize("seen", ["", "0" * 32, "other way", "former"])
def test_nothing_is_merged_but_what_was_shown(app, records, manager, host, seen):
    old, new = records
    if seen == "other way":
        seen = compared(manager, old, new, keep=new)["seen"]
    elif seen == "former":
        seen = compared(manager, old, new, keep=old)["seen"]
        host.post(f"/people/{new}/figures", {"commune": "Aubusson"})
    answer = manager.post(f"/people/{old}/merge", {"gone_id": new, "seen": seen})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "record_changed")
    assert merged_into(app, new) is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"seen": None}, "seen"),
        ({"take": ["password"]}, "take.0"),
        ({"take": "name"}, "take"),
        ({"gone_id": 7}, "gone_id"),
    ],
)
def test_a_merge_that_cannot_be_read_is_refused(app, records, manager, wrong, field):
    old, new = records
    answer = manager.post(f"/people/{old}/merge", {"gone_id": new, "seen": "0" * 32} | wrong)
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["field"]) == (422, "invalid_input", field)
    missing = manager.post(f"/people/{old}/merge", {"gone_id": new})
    assert (missing.status_code, missing.get_json()["field"]) == (422, "seen")
    assert merged_into(app, new) is None


def test_what_must_be_done_first_is_said_for_each_direction(app, records, place, manager):
    old, new = records
    with app.app_context():
        who = db.session.scalars(select(Person).where(Person.public_id == new)).unique().one()
        factories.make_subscription(who)
        use(place, who, now().date() - timedelta(days=3))
    there, back = compared(manager, old, new, keep=old), compared(manager, old, new, keep=new)
    assert len(there["first"]) >= 1 and back["first"] == []
    facts = {one["person"]["id"]: one for one in manager.get(f"/duplicates/{old}/{new}").get_json()["records"]}
    assert (facts[old]["plans"], facts[new]["plans"]) == ([], ["Dix demi-journées"])
    answer = manager.post(f"/people/{old}/merge", {"gone_id": new, "seen": there["seen"]})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "cannot_merge")
    assert answer.get_json()["first"] == there["first"]
    assert merged_into(app, new) is None


def test_two_people_are_said_to_be_two_once(app, records, manager):
    old, new = records
    path = f"/duplicates/{old}/{new}/two-people"
    said = manager.post(path, key="t1")
    assert (said.status_code, said.get_json()) == (200, {"one_id": old, "other_id": new})
    assert manager.post(path, key="t1").get_json() == said.get_json()
    assert manager.post(path).get_json() == said.get_json(), "twice is fine"
    assert manager.get("/duplicates").get_json()["items"] == []
    with app.app_context():
        assert len(db.session.scalars(select(TwoPeople)).all()) == 1


def test_who_is_not_there_is_compared_with_nobody(records, manager):
    old, _new = records
    for other in ("2222222222222222", old):
        assert manager.get(f"/duplicates/{old}/{other}").status_code == 404
        assert manager.post(f"/duplicates/{old}/{other}/two-people").status_code == 404
        assert manager.post(f"/people/{old}/merge", {"gone_id": other, "seen": "x"}).status_code == 404


@pytest.mark.parametrize("who", ["member", "stranger", "host", "accountant", "lead"])
def test_duplicates_are_the_managers(app, records, program, cast, who):
    other, (old, new) = program(getattr(cast, who)), records
    for answer in (
        other.get("/duplicates"),
        other.get(f"/duplicates/{old}/{new}"),
        other.post(f"/duplicates/{old}/{new}/two-people"),
        other.post(f"/people/{old}/merge", {"gone_id": new, "seen": "x"}),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    assert merged_into(app, new) is None
