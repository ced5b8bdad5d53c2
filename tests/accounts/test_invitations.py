"""Coming to belong to an organisation: an invitation accepted once by its reader, or an address at its domain."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from coworking.accounts import invitations, terms, terms_queries
from coworking.accounts.models import Organisation, OrganisationInvitation, OrganisationMember, Person
from coworking.core import retention
from coworking.core.db import db
from coworking.core.units import write_unit
from tests import factories
from tests.support import emails as golden
from tests.support.threads import at_once

TODAY = date(2026, 11, 24)


@pytest.fixture
def durand(app, place, cast):
    """The public id of the employer of Anne and Karim, for which Karim speaks."""
    with app.app_context():
        with write_unit():
            db.session.execute(
                update(OrganisationMember)
                .where(OrganisationMember.person_id == cast.colleague.id)
                .values(is_contact=True)
            )
        return db.session.scalars(select(Organisation.public_id)).one()


@pytest.fixture
def invited(durand, sign_in, cast, run_outbox, mailbox):
    """``invited(email)``: Karim invites someone; the address of the link in the e-mail."""

    def invite(email: str, **more: str) -> str:
        answer = sign_in(cast.colleague).post(f"/employer/{durand}/invitations", data={"email": email, **more})
        assert answer.status_code == 303
        run_outbox()
        return link_in(mailbox()[-1])

    return invite


def link_in(message) -> str:
    found = re.search(r"https?://[^/\s]+(/invitation/\S+)", golden.plain(message))
    assert found
    return found[1]


def members(app, email: str) -> list[tuple[date, date | None, bool]]:
    with app.app_context():
        rows = db.session.execute(
            select(OrganisationMember.since, OrganisationMember.until, OrganisationMember.is_contact)
            .join(Person, Person.id == OrganisationMember.person_id)
            .where(Person.email == email)
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    ("name", "asked"),
    [("accounts/organisation_invitation", {}), ("accounts/organisation_invitation-contact", {"as_contact": "1"})],
)
def test_the_invitation_reads(app, durand, cast, sign_in, run_outbox, mailbox, language, name, asked):
    with app.app_context():
        factories.make_person("Zoé", "Petit", "zoe@demo.example", locale=language)
    data = {"email": "zoe@demo.example"} | asked
    sign_in(cast.colleague).post(f"/employer/{durand}/invitations", data=data)
    run_outbox()
    (message,) = mailbox()
    assert message["To"] == "zoe@demo.example"
    golden.check(message, name)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_whom_the_contact_ends_is_told(app, durand, cast, sign_in, run_outbox, mailbox, language):
    with app.app_context():
        with write_unit():
            db.session.execute(update(Person).where(Person.id == cast.member.id).values(locale=language))
        member_id = db.session.scalars(
            select(OrganisationMember.id).where(OrganisationMember.person_id == cast.member.id)
        ).one()
    path = f"/employer/{durand}/members/{member_id}/end"
    assert sign_in(cast.colleague).post(path, data={"last_day": "2026-11-30"}).status_code == 303
    run_outbox()
    (message,) = mailbox()
    assert message["To"] == "member@demo.example"
    golden.check(message, "accounts/organisation_ended")


def test_someone_new_gets_an_account_by_accepting_and_is_signed_in(app, durand, invited):
    link = invited("New.Person@Demo.example")
    browser = app.test_client()
    page = browser.get(link).text
    assert "new.person@demo.example" in page
    assert members(app, "new.person@demo.example") == [], "opening the link accepts nothing"
    nameless = browser.post(link, data={"first_name": "", "last_name": "Petit"})
    assert nameless.status_code == 422
    assert nameless.text.count("Écrivez un nom ici.") == 1
    assert "Écrivez un nom ici." in nameless.text.split('name="first_name"')[1].split('name="last_name"')[0]
    assert 'value="Petit"' in nameless.text
    assert browser.post(link, data={"first_name": "Zoé", "last_name": "Petit"}).status_code == 303
    assert members(app, "new.person@demo.example") == [(TODAY, None, False)]
    assert browser.get("/me").status_code == 200


def test_who_has_an_account_signs_in_and_accepts(app, durand, invited, sign_in, cast):
    link = invited("STRANGER@demo.example")
    visitor = app.test_client()
    assert "/sign-in?next=" in visitor.get(link).text
    assert "/sign-in?next=" in visitor.post(link, data={"first_name": "X", "last_name": "Y"}).headers["Location"]
    assert members(app, "stranger@demo.example") == []
    assert sign_in(cast.stranger).post(link).status_code == 303
    assert members(app, "stranger@demo.example") == [(TODAY, None, False)]


@pytest.fixture
def rules_hold(app, place, cast):
    """House rules that hold from today on."""
    with app.app_context():
        text_row = terms.publish(cast.manager.actor(), "rules", text="# Calme", news=None, from_day=TODAY)
        return text_row.public_id


def accepted(app, email: str) -> list[tuple[str, date]]:
    with app.app_context():
        person_id = db.session.scalars(select(Person.id).where(Person.email == email)).one()
        return [(row.way, row.agreed_on) for row in terms_queries.accepted_by(person_id)]


def test_who_gets_an_account_by_an_invitation_accepts_the_house_rules_with_it(app, durand, invited, rules_hold):
    link, browser = invited("zoe@demo.example"), app.test_client()
    page = browser.get(link).text
    assert 'name="accepts"' in page and f'href="/terms/{rules_hold}"' in page
    data = {"first_name": "Zoé", "last_name": "Petit", "text": rules_hold}
    refused = browser.post(link, data=data)
    assert refused.status_code == 422 and 'value="Zoé"' in refused.text
    stale = browser.post(link, data=data | {"text": "rules-2026-01-01", "accepts": "1"})
    assert stale.status_code == 409
    assert members(app, "zoe@demo.example") == []
    assert browser.post(link, data=data | {"accepts": "1"}).status_code == 303
    assert accepted(app, "zoe@demo.example") == [("online", TODAY)]
    assert "règlement" not in browser.get("/week").text, "nobody is asked again"


def test_who_has_an_account_accepts_what_still_waits_for_them_and_sees_no_box_after_that(
    app, durand, invited, sign_in, cast, rules_hold
):
    link, browser = invited("stranger@demo.example"), sign_in(cast.stranger)
    assert 'name="accepts"' in browser.get(link).text
    assert 'name="accepts"' not in app.test_client().get(link).text, "they sign in first"
    assert browser.post(link).status_code == 422
    assert members(app, "stranger@demo.example") == []
    assert browser.post(link, data={"text": rules_hold, "accepts": "1"}).status_code == 303
    assert accepted(app, "stranger@demo.example") == [("online", TODAY)]
    second = invited("member@demo.example")
    member = sign_in(cast.member)
    member.post("/me/terms", data={"text": rules_hold, "accepts": "1"})
    assert 'name="accepts"' not in member.get(second).text
    assert member.post(second).status_code == 303
    assert len(accepted(app, "member@demo.example")) == 1


def test_an_invitation_is_accepted_by_nobody_else(app, durand, invited, sign_in, cast):
    link = invited("stranger@demo.example")
    for person in (cast.host, cast.manager, cast.colleague):
        refused = sign_in(person).post(link)
        assert refused.status_code == 403
        assert "Cette invitation est pour stranger@demo.example." in refused.text
    assert members(app, "stranger@demo.example") == []
    assert members(app, "host@demo.example") == []


def test_an_invitation_works_once_and_not_after_it_was_withdrawn_or_is_over(app, durand, invited, sign_in, cast, clock):
    link = invited("stranger@demo.example")
    browser = sign_in(cast.stranger)
    assert [browser.post(link).status_code for _ in range(2)] == [303, 410]
    used = app.test_client().get(link)
    assert used.status_code == 410 and 'href="/sign-in"' in used.text and "J’ai oublié mon mot de passe" in used.text
    assert len(members(app, "stranger@demo.example")) == 1
    other = invited("zoe@demo.example")
    with app.app_context():
        public_id = db.session.scalars(
            select(OrganisationInvitation.public_id).where(OrganisationInvitation.email == "zoe@demo.example")
        ).one()
    contact = sign_in(cast.colleague)
    for _ in range(2):
        assert contact.post(f"/employer/{durand}/invitations/{public_id}/withdraw").status_code == 303
    assert app.test_client().get(other).status_code == 410
    third = invited("zoe@demo.example")
    clock.advance(days=15)
    late = app.test_client().post(third, data={"first_name": "Zoé", "last_name": "Petit"})
    assert late.status_code == 410
    assert "Cette invitation n’est plus valable" in late.text
    assert app.test_client().get(f"{third}x").status_code == 410
    assert members(app, "zoe@demo.example") == []


def test_sixteen_who_accept_at_once_make_one_account_and_one_membership(app, durand, invited):
    link = invited("zoe@demo.example")
    data = {"first_name": "Zoé", "last_name": "Petit"}
    answers = at_once([lambda: app.test_client().post(link, data=data).status_code] * 16)
    assert answers.count(303) >= 1
    assert set(answers) <= {303, 410}
    assert len(members(app, "zoe@demo.example")) == 1
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Person.email == "zoe@demo.example")) == 1


def test_whoever_invites_learns_nothing_of_the_address(app, durand, cast, sign_in):
    contact = sign_in(cast.colleague)
    said = []
    for email in ("stranger@demo.example", "nobody@demo.example", "member@demo.example"):
        answer = contact.post(f"/employer/{durand}/invitations", data={"email": email}, follow_redirects=True)
        said.append(answer.text.replace(email, "…").split("<main")[1].count("…"))
        page = re.sub(r"\d+", "", answer.text.replace(email, "…"))
        assert "L’invitation part pour …" in page
    bad = contact.post(f"/employer/{durand}/invitations", data={"email": "zoe@"})
    assert bad.status_code == 422
    assert 'value="zoe@"' in bad.text


def test_asking_again_sends_it_again_and_keeps_one_invitation(app, durand, invited, clock):
    first = invited("zoe@demo.example")
    clock.advance(minutes=10)
    second = invited("ZOE@demo.example", as_contact="1")
    with app.app_context():
        rows = db.session.scalars(select(OrganisationInvitation)).all()
        assert [(row.email, row.as_contact) for row in rows] == [("zoe@demo.example", True)]
    data = {"first_name": "Zoé", "last_name": "Petit"}
    assert app.test_client().post(first, data=data).status_code == 303
    assert app.test_client().post(second, data=data).status_code == 410
    assert members(app, "zoe@demo.example") == [(TODAY, None, True)]


def test_the_database_keeps_one_open_invitation_for_an_address(app, durand, invited):
    invited("zoe@demo.example")
    copied = (
        "INSERT INTO organisation_invitation (public_id, organisation_id, email, as_contact, invited_at, ends_at) "
        "SELECT 'another', organisation_id, email, as_contact, invited_at, ends_at FROM organisation_invitation"
    )
    with app.app_context(), pytest.raises(IntegrityError), write_unit():
        db.session.execute(text(copied))


def test_a_contact_who_is_invited_lands_on_the_organisation_s_page(app, durand, invited):
    link = invited("rh@durand.example", as_contact="1")
    browser = app.test_client()
    accepted = browser.post(link, data={"first_name": "Rose", "last_name": "Hugon"}, follow_redirects=True)
    assert accepted.request.path == f"/employer/{durand}"
    assert "Coutellerie Durand SA" in accepted.text


def test_others_invite_and_withdraw_nothing(app, durand, invited, cast, sign_in):
    invited("zoe@demo.example")
    with app.app_context():
        public_id = db.session.scalars(select(OrganisationInvitation.public_id)).one()
        rival = factories.make_person("Nadia", "Roux", "nadia@demo.example")
        with write_unit():
            other = Organisation(name="Papeterie Roux")
            db.session.add(other)
            db.session.flush()
            db.session.add(
                OrganisationMember(
                    organisation_id=other.id, person_id=rival.id, since=factories.LONG_AGO, is_contact=True
                )
            )
            theirs = other.public_id
    for person in (cast.member, cast.stranger, cast.host, rival):
        browser = sign_in(person)
        asked = browser.post(f"/employer/{durand}/invitations", data={"email": "x@demo.example"})
        assert asked.status_code == 404
        assert browser.post(f"/employer/{durand}/invitations/{public_id}/withdraw").status_code == 404
    assert sign_in(rival).post(f"/employer/{theirs}/invitations/{public_id}/withdraw").status_code == 404
    with app.app_context():
        assert db.session.scalars(select(OrganisationInvitation)).one().is_open


def test_an_organisation_has_so_many_open_invitations_at_most(app, durand, cast, sign_in, monkeypatch):
    monkeypatch.setattr(invitations, "MOST_OPEN", 2)
    contact = sign_in(cast.colleague)
    answers = [
        contact.post(f"/employer/{durand}/invitations", data={"email": f"p{n}@demo.example"}).status_code
        for n in range(3)
    ]
    assert answers == [303, 303, 409]


# By address -----------------------------------------------------------------------------------------------------------


def test_a_manager_gives_an_organisation_its_domain(app, durand, cast, sign_in):
    manager = sign_in(cast.manager)
    path = f"/organisations/{durand}"
    values = {"name": "Coutellerie Durand SA"}
    assert manager.post(path, data=values | {"domain": "@Durand.example"}).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Organisation.domain)).one() == "durand.example"
    for wrong in ("gmail.com", "not a domain", "durand"):
        refused = manager.post(path, data=values | {"domain": wrong})
        assert refused.status_code == 422
        assert f'value="{wrong}"' in refused.text
    taken = manager.post("/organisations/new", data={"name": "Autre", "domain": "durand.example"})
    assert taken.status_code == 409
    assert "Une autre organisation a ce domaine." in taken.text


OTHERS = {
    "a@durand.example": {"email_confirmed_at": None},
    "b@sub.durand.example": {},
    "c@notdurand.example": {},
    None: {},
}
"""Whose address says nothing of Durand."""


def test_a_confirmed_address_at_the_domain_joins_by_itself_and_no_other_does(app, durand, sign_in):
    with app.app_context():
        with write_unit():
            db.session.execute(update(Organisation).values(domain="durand.example"))
        for email, more in OTHERS.items():
            factories.make_person("A", "A", email, **more)
        factories.make_person("Zoé", "Petit", "zoe@durand.example")
        people = {row.email: row for row in db.session.scalars(select(Person)).unique()}
    path = f"/me/employer/{durand}/join"
    for email in OTHERS:
        browser = sign_in(people[email])
        assert "Rejoindre" not in browser.get("/me/employer").text
        assert browser.post(path).status_code == 404
    browser = sign_in(people["zoe@durand.example"])
    assert "Rejoindre Coutellerie Durand SA" in browser.get("/me/employer").text
    assert [browser.post(path).status_code for _ in range(2)] == [303, 404]
    assert members(app, "zoe@durand.example") == [(TODAY, None, False)]


def test_whom_the_contact_ended_comes_back_by_an_invitation_only(app, durand, cast, sign_in, clock, invited):
    with app.app_context(), write_unit():
        db.session.execute(update(Organisation).values(domain="demo.example"))
        db.session.execute(
            update(OrganisationMember)
            .where(OrganisationMember.person_id == cast.member.id)
            .values(until=TODAY - timedelta(days=1))
        )
    browser = sign_in(cast.member)
    assert browser.post(f"/me/employer/{durand}/join").status_code == 404
    assert browser.post(invited("member@demo.example")).status_code == 303
    assert len(members(app, "member@demo.example")) == 2


def test_invitations_that_are_long_over_are_forgotten(app, durand, invited, clock):
    invited("zoe@demo.example")
    with app.app_context():
        assert retention.purge("invitations") == 0
        clock.advance(days=14 + 91)
        assert retention.purge("invitations") == 1
