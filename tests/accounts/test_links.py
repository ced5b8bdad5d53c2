"""Links in e-mails: for one purpose, one address, once, and not for ever."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from coworking.accounts import email_changes, staff, tokens
from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from tests.factories import PASSWORD, actor, make_person

NEW = "encore une phrase"


@pytest.fixture
def anne(app, place):
    with app.app_context():
        return make_person("Anne", "Marchand", "anne@demo.example")


@pytest.fixture
def link(anne, client, run_outbox, mailbox):
    """The path of the link in the e-mail Anne asked for."""
    client.post("/forgotten", data={"email": "ANNE@demo.example"})
    run_outbox()
    (email,) = mailbox()
    return re.search(r"http://lieu\.test(/reset/\S+)", email.get_body(("plain",)).get_content())[1]


def _reload(app, person):
    with app.app_context():
        return db.session.get(Person, person.id)


def test_a_password_reset_by_email_signs_in_here_and_out_elsewhere(app, client, anne, link, sign_in):
    elsewhere = sign_in(anne)
    assert elsewhere.get("/me").status_code == 200
    assert "anne@demo.example" in client.get(link).text
    assert client.post(link, data={"password": NEW}).status_code == 303
    assert client.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 302
    fresh = app.test_client()
    assert fresh.post("/sign-in", data={"email": anne.email, "password": PASSWORD}).status_code == 422
    assert fresh.post("/sign-in", data={"email": anne.email, "password": NEW}).status_code == 303


def test_it_works_once(app, client, anne, link):
    assert client.post(link, data={"password": NEW}).status_code == 303
    gone = client.get(link)
    assert gone.status_code == 410
    assert 'action="/forgotten"' in gone.text, "one asks for another link on the spot"
    assert client.post(link, data={"password": "someone else’s"}).status_code == 410
    answer = app.test_client().post("/sign-in", data={"email": anne.email, "password": NEW})
    assert answer.status_code == 303


def test_it_works_for_two_hours(client, link, clock):
    clock.advance(hours=2)
    assert client.get(link).status_code == 200
    clock.advance(seconds=1)
    assert client.get(link).status_code == 410


def test_a_bad_password_keeps_the_link(client, link):
    answer = client.post(link, data={"password": "court"})
    assert answer.status_code == 422
    assert "10 caractères au moins" in answer.text
    assert client.post(link, data={"password": NEW}).status_code == 303


@pytest.mark.parametrize("broken", ["/reset/x", "/reset/a.b.c", "/confirm/x", "/reset/%00"])
def test_an_unsigned_link_is_gone(client, place, broken):
    assert (client.post if "confirm" in broken else client.get)(broken).status_code == 410


def test_a_link_for_one_purpose_serves_no_other(app, client, anne):
    with app.app_context():
        confirm = tokens.make_link(tokens.CONFIRM, anne)
        reset = tokens.make_link(tokens.RESET, anne)
    assert client.get(f"/reset/{confirm}").status_code == 410
    assert client.post(f"/confirm/{reset}").status_code == 410


def test_it_dies_with_the_address_it_was_sent_to(app, client, anne, link):
    with app.app_context():
        manager = make_person("Olivier", "Fayolle", "manager@demo.example", "manager")
        typed = {"first_name": "Anne", "last_name": "Marchand", "phone": "", "note": "", "status": "", "commune": ""}
        staff.update_person(actor(manager), anne.public_id, **typed, email="other@demo.example")
        change = email_changes.waiting(anne.id)
        email_changes.confirm(tokens.make_change_link(tokens.ADDRESS, change.public_id))
    assert client.post(link, data={"password": NEW}).status_code == 410
    assert _reload(app, anne).email == "other@demo.example"


def test_it_dies_with_the_account(app, client, anne, link):
    with app.app_context():
        staff.deactivate(actor(make_person("Maëlle", "Chassagne", "host@demo.example", "host")), anne.public_id)
    assert client.post(link, data={"password": NEW}).status_code == 410


def test_choosing_a_password_ends_the_wait_of_guessing(app, client, anne, link):
    for _ in range(6):
        client.post("/sign-in", data={"email": anne.email, "password": "wrong password"})
    assert client.post(link, data={"password": NEW}).status_code == 303
    assert app.test_client().post("/sign-in", data={"email": anne.email, "password": NEW}).status_code == 303


def test_asking_for_an_unknown_address_says_the_same_and_sends_nothing(app, client, anne):
    known = client.post("/forgotten", data={"email": "anne@demo.example"})
    unknown = client.post("/forgotten", data={"email": "lise@demo.example"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace("anne", "lise") == unknown.text
    with app.app_context():
        assert len(db.session.scalars(select(OutboxRow)).all()) == 1


def test_the_outbox_holds_no_secret(app, client, anne):
    client.post("/forgotten", data={"email": "anne@demo.example"})
    with app.app_context():
        row = db.session.scalars(select(OutboxRow)).one()
    assert row.payload == {"letter": "reset", "person": anne.public_id}
