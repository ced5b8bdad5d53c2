"""Terms, house rules and consents for programs: published by managers, accepted by oneself, written down by the team."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from coworking.accounts import terms
from coworking.accounts.models import OrganisationMember, Person
from coworking.accounts.terms_models import ConsentChange, HouseText, TextAcceptance
from coworking.core.audit import AuditEntry
from coworking.core.db import db

TODAY = date(2026, 11, 24)
RULES = "# Calme\n\n- On range sa tasse."


@pytest.fixture
def rules(app, place, cast) -> str:
    """The house rules in force since today (a public id)."""
    with app.app_context():
        return terms.publish(cast.manager.actor(), "rules", text=RULES, news=None, from_day=TODAY).public_id


def rows(app, model):
    with app.app_context():
        return list(db.session.scalars(select(model).order_by(model.id)))


def test_a_manager_publishes_a_version_once_and_everyone_reads_it(app, rules, program, cast, member):
    manager = program(cast.manager)
    new = {"kind": "rules", "from_day": "2026-12-01", "text": f"{RULES}\r\n- On éteint.", "news": "La lumière."}
    made = manager.post("/terms", new, key="t1")
    assert made.status_code == 201, made.get_json()
    assert made.get_json() == {
        "id": "rules-2026-12-01",
        "kind": "rules",
        "from_day": "2026-12-01",
        "in_force": False,
        "text": f"{RULES}\n- On éteint.",
        "news": "La lumière.",
    }
    again = manager.post("/terms", new, key="t1")
    assert again.get_json() == made.get_json() and again.headers["Idempotent-Replayed"] == "true"
    assert manager.post("/terms", new).get_json()["code"] == "text_exists"
    heads = member.get("/terms").get_json()["items"]
    assert [(one["id"], one["in_force"]) for one in heads] == [("rules-2026-12-01", False), (rules, True)]
    assert member.get(f"/terms/{rules}").get_json()["text"] == RULES
    assert member.get("/terms/rules-1999-01-01").status_code == 404
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "text.published")).all()[-1]
        assert entry.actor_id == cast.manager.id


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"text": " \n"}, "text_missing", "text"),
        ({"from_day": "2026-11-23"}, "text_too_early", "from_day"),
        ({"kind": "law"}, "invalid_input", "kind"),
        ({"text": "a\u0007"}, "invalid_input", "text"),
        ({"text": "x" * 60_001}, "invalid_input", "text"),
        ({"news": None}, "invalid_input", "news"),
    ],
)
def test_a_version_that_cannot_be_is_refused(app, place, program, cast, wrong, code, field):
    answer = program(cast.manager).post("/terms", {"kind": "rules", "from_day": "2026-12-01", "text": RULES} | wrong)
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["field"]) == (422, code, field)
    assert rows(app, HouseText) == []


@pytest.mark.parametrize("who", ["member", "stranger", "host", "accountant", "lead"])
def test_nobody_but_a_manager_publishes(app, place, program, cast, who):
    answer = program(getattr(cast, who)).post("/terms", {"kind": "rules", "from_day": "2026-12-01", "text": RULES})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    assert rows(app, HouseText) == []


def test_one_accepts_what_is_in_force_oneself(app, rules, member, cast):
    before = member.get("/me/agreements").get_json()
    assert ([one["id"] for one in before["waiting"]], before["accepted"]) == ([rules], [])
    said = member.post("/me/agreements", {"text_ids": [rules]}, key="a1")
    assert said.status_code == 200, said.get_json()
    assert said.get_json()["waiting"] == []
    (accepted,) = said.get_json()["accepted"]
    assert (accepted["id"], accepted["way"], accepted["agreed_on"], accepted["written_by"]) == (
        rules,
        "online",
        "2026-11-24",
        cast.member.name,
    )
    assert member.post("/me/agreements", {"text_ids": [rules]}, key="a1").get_json() == said.get_json()
    assert member.post("/me/agreements", {"text_ids": [rules]}).get_json() == said.get_json(), "twice is fine"
    (row,) = rows(app, TextAcceptance)
    assert (row.person_id, row.way) == (cast.member.id, "online")


@pytest.mark.parametrize("wrong", [[], ["rules-2026-12-01"], "rules-2026-11-24", [None], ["a", "b", "c"], None])
def test_what_is_not_in_force_is_not_accepted(app, rules, member, wrong):
    answer = member.post("/me/agreements", {"text_ids": wrong})
    unknown = wrong == ["rules-2026-12-01"]
    assert (answer.status_code, answer.get_json()["code"]) == (
        (409, "texts_changed") if unknown else (422, "invalid_input")
    )
    assert rows(app, TextAcceptance) == []


def test_the_team_writes_down_a_paper_and_takes_back_a_mistake(app, rules, host, cast):
    path = f"/people/{cast.member.public_id}/agreements"
    signed = host.post(f"{path}/paper", {"signed_on": "2026-11-20"}, key="p1")
    assert signed.status_code == 200, signed.get_json()
    (accepted,) = signed.get_json()["accepted"]
    assert (accepted["way"], accepted["agreed_on"], accepted["written_by"]) == ("paper", "2026-11-20", cast.host.name)
    assert host.post(f"{path}/paper", {"signed_on": "2026-11-20"}, key="p1").get_json() == signed.get_json()
    assert host.get(path).get_json() == signed.get_json()
    back = host.post(f"{path}/{rules}/take-back", key="p2")
    assert ([one["id"] for one in back.get_json()["waiting"]], back.get_json()["accepted"]) == ([rules], [])
    assert host.post(f"{path}/{rules}/take-back", key="p2").get_json() == back.get_json()
    assert host.post(f"{path}/{rules}/take-back").status_code == 404, "there is nothing left to take back"
    with app.app_context():
        said = db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("text.%paper%"))).all()
        assert said == ["text.accepted_on_paper", "text.paper_taken_back"]


def test_what_somebody_accepted_here_the_team_does_not_take_back(rules, member, host, cast):
    member.post("/me/agreements", {"text_ids": [rules]})
    path = f"/people/{cast.member.public_id}/agreements"
    assert host.post(f"{path}/{rules}/take-back").status_code == 404
    assert len(host.get(path).get_json()["accepted"]) == 1


def test_a_paper_of_tomorrow_and_of_the_team_is_refused(app, rules, host, cast):
    late = host.post(f"/people/{cast.member.public_id}/agreements/paper", {"signed_on": "2026-11-25"})
    assert (late.status_code, late.get_json()["field"]) == (422, "signed_on")
    day = {"signed_on": "2026-11-24"}
    assert host.post(f"/people/{cast.manager.public_id}/agreements/paper", day).status_code == 403
    assert host.post("/people/2222222222222222/agreements/paper", day).status_code == 404
    assert rows(app, TextAcceptance) == []


def test_one_says_whether_colleagues_see_when_one_comes(app, member, cast):
    said = member.post("/me/consents", {"kind": "colleagues", "given": False}, key="c1")
    assert said.status_code == 200, said.get_json()
    (seen,) = said.get_json()["consents"]
    assert (seen["kind"], seen["organisation"], seen["given"]) == ("colleagues", None, False)
    assert member.post("/me/consents", {"kind": "colleagues", "given": False}, key="c1").get_json() == said.get_json()
    with app.app_context():
        assert not db.session.get_one(Person, cast.member.id).visible_to_colleagues
    given = member.post("/me/consents", {"kind": "colleagues", "given": True}).get_json()
    assert [row["given"] for row in given["changes"]] == [True, False]


def test_one_alone_lets_one_s_employer_see_dates(app, member, program, cast):
    with app.app_context():
        held = db.session.scalars(
            select(OrganisationMember).where(OrganisationMember.person_id == cast.member.id)
        ).one()
        employer = held.organisation
        where = {"id": employer.public_id, "name": employer.name}
    wanted = {"kind": "employer_dates", "organisation_id": where["id"], "given": True}
    said = member.post("/me/consents", wanted, key="e1")
    assert said.status_code == 200, said.get_json()
    assert said.get_json()["consents"][1] | {"since": None} == {
        "kind": "employer_dates",
        "organisation": where,
        "given": True,
        "since": None,
    }
    assert member.post("/me/consents", wanted, key="e1").get_json() == said.get_json()
    assert program(cast.stranger).post("/me/consents", wanted).status_code == 404
    for wrong in ({"kind": "employer_dates", "given": True}, wanted | {"kind": "colleagues"}):
        answer = member.post("/me/consents", wrong)
        assert (answer.status_code, answer.get_json()["field"]) == (422, "organisation_id")
    assert len(rows(app, ConsentChange)) == 1


def test_the_team_writes_down_what_somebody_said_of_colleagues(app, host, cast):
    path = f"/people/{cast.member.public_id}/consents"
    said = host.post(path, {"given": False}, key="h1").get_json()
    assert [(row["given"], row["said_by"]) for row in said["changes"]] == [(False, cast.host.name)]
    assert host.post(path, {"given": False}, key="h1").get_json() == said
    assert host.post(f"/people/{cast.manager.public_id}/consents", {"given": True}).status_code == 403
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "consent.withdrawn")).one()
        assert (entry.actor_id, entry.person_id) == (cast.host.id, cast.member.id)


@pytest.mark.parametrize("who", ["member", "stranger", "accountant", "lead"])
def test_what_others_accepted_is_the_team_s_to_know(app, rules, program, cast, who):
    other, path = program(getattr(cast, who)), f"/people/{cast.colleague.public_id}"
    for answer in (
        other.get(f"{path}/agreements"),
        other.post(f"{path}/agreements/paper", {"signed_on": "2026-11-24"}),
        other.post(f"{path}/agreements/{rules}/take-back"),
        other.post(f"{path}/consents", {"given": True}),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    assert rows(app, TextAcceptance) == [] == rows(app, ConsentChange)


def test_a_version_waits_from_its_day_on(app, rules, program, cast, clock, member):
    member.post("/me/agreements", {"text_ids": [rules]})
    program(cast.manager).post("/terms", {"kind": "rules", "from_day": "2026-11-25", "text": "Autre"})
    assert member.get("/me/agreements").get_json()["waiting"] == []
    clock.now += timedelta(days=1)
    assert [one["id"] for one in member.get("/me/agreements").get_json()["waiting"]] == ["rules-2026-11-25"]
