"""A link by e-mail instead of a password: once, for a quarter of an hour, and nobody learns from it who has an account."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from coworking.accounts import links, once, tokens
from coworking.accounts.devices import Browser
from coworking.accounts.models import Device, Person, UsedOnce
from coworking.core import retention
from coworking.core.db import db
from coworking.core.errors import Gone
from coworking.core.units import write_unit
from tests.factories import PASSWORD, make_person

EMAIL = "anne@demo.example"


@pytest.fixture
def anne(app, place):
    with app.app_context():
        return make_person("Anne", "Marchand", EMAIL)


def link_in(message):
    return re.search(r"http://lieu\.test(/sign-in/by-link/\S+)", message.get_body(("plain",)).get_content())[1]


@pytest.fixture
def ask(run_outbox, mailbox):
    def asked(client, email=EMAIL, **more):
        assert client.post("/sign-in/link", data={"email": email, **more}).status_code == 200
        run_outbox()
        return link_in(mailbox()[-1])

    return asked


def is_in(client):
    return client.get("/me").status_code == 200


def test_it_signs_in_by_a_button_and_leads_where_one_was_going(app, anne, client, ask):
    link = ask(client, next="/me/security")
    assert "anne@demo.example" in client.get(link).text
    assert not is_in(client), "looking at the page uses nothing up"
    answer = client.post(link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me/security")
    assert is_in(client)


def test_it_works_in_the_browser_that_the_mail_opens_and_once(app, anne, client, ask):
    link = ask(client)
    phone, other = app.test_client(), app.test_client()
    assert phone.post(link, data={"remember": "1"}).status_code == 303
    assert phone.get_cookie("lieu_device").max_age == 90 * 24 * 3600
    for again in (other.get(link), other.post(link)):
        assert again.status_code == 410
        assert "déjà servi" in again.text
        assert "/sign-in/link" in again.text, "the way to another one"
    assert not is_in(other)


def test_it_works_for_fifteen_minutes(app, anne, client, ask, clock):
    link = ask(client)
    clock.advance(minutes=15, seconds=1)
    assert client.get(link).status_code == 410
    assert client.post(link).status_code == 410
    assert not is_in(client)


def test_it_ends_with_a_new_password_and_with_the_account(app, anne, client, ask):
    link = ask(client)
    with app.app_context(), write_unit():
        db.session.get_one(Person, anne.id).session_epoch += 1
    assert client.post(link).status_code == 410
    with app.app_context(), write_unit():
        person = db.session.get_one(Person, anne.id)
        person.session_epoch -= 1
        person.deactivated_at = person.created_at
    assert client.post(link).status_code == 410


def test_a_link_for_another_purpose_does_not_sign_in(app, anne, client):
    with app.app_context():
        other = tokens.make_link(tokens.RESET, anne)
        mine = tokens.make_link(tokens.SIGN_IN, anne)
    assert client.post(f"/sign-in/by-link/{other}").status_code == 410
    assert client.post(f"/reset/{mine}", data={"password": "encore une phrase"}).status_code == 410


def test_an_unknown_address_gets_the_same_answer_and_no_email(app, anne, client, run_outbox, mailbox):
    known = client.post("/sign-in/link", data={"email": EMAIL}).text
    assert client.post("/sign-in/link", data={"email": "lise@demo.example"}).text.replace("lise", "anne") == known
    assert client.post("/sign-in/link", data={"email": "nothing"}).status_code == 422
    run_outbox()
    assert [message["To"] for message in mailbox()] == [EMAIL]


def test_asking_is_slowed_down_with_every_other_email(app, anne, client, clock):
    for n in range(60):
        client.post("/sign-in/link", data={"email": f"p{n}@demo.example"})
    refused = client.post("/sign-in/link", data={"email": EMAIL})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "30"


def test_soon_after_another_one_is_sent(app, anne, client, ask, clock):
    first = ask(client)
    client.post(first)
    clock.advance(minutes=1)
    second = ask(client)
    assert second != first
    assert client.post(second).status_code == 303


def test_a_strangers_password_ends_when_its_reader_signs_in(app, client, place, ask):
    """Somebody signed up with my address; I never confirmed it. By a link I come in, and they are out."""
    stranger = app.test_client()
    typed = {"first_name": "Anne", "last_name": "Marchand", "email": EMAIL, "password": "une phrase courte"}
    stranger.post("/sign-up", data=typed)
    assert stranger.post("/sign-in", data=typed).status_code == 303
    assert client.post(ask(client)).status_code == 303
    assert is_in(client)
    assert not is_in(stranger)
    assert stranger.post("/sign-in", data=typed).status_code == 422
    with app.app_context():
        assert db.session.scalar(select(Person.email_confirmed_at)) is not None


def test_where_one_signed_up_oneself_the_password_stays(app, client, place, ask):
    typed = {"first_name": "Anne", "last_name": "Marchand", "email": EMAIL, "password": "une phrase courte"}
    client.post("/sign-up", data=typed)
    assert client.post(ask(client)).status_code == 303
    client.post("/sign-out")
    assert client.post("/sign-in", data=typed).status_code == 303


def test_of_sixteen_at_once_one_is_signed_in(app, anne):
    with app.app_context():
        token = tokens.make_link(tokens.SIGN_IN, anne)
    outcomes, start = [], threading.Barrier(16)

    def follow():
        with app.app_context():
            start.wait()
            try:
                links.sign_in(token, browser=Browser())
                outcomes.append("in")
            except Gone:
                outcomes.append("gone")

    threads = [threading.Thread(target=follow) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["gone"] * 15 + ["in"]
    with app.app_context():
        assert len(db.session.scalars(select(Device.id)).all()) == 1


def test_what_was_used_is_forgotten_when_it_is_too_old_anyway(app, anne, clock):
    with app.app_context():
        with write_unit():
            once.use("a link", lasts=timedelta(minutes=15))
        assert retention.purge("used_links") == 0
        clock.advance(minutes=15, seconds=1)
        assert retention.purge("used_links") == 1
        assert db.session.scalars(select(UsedOnce.digest)).all() == []


def test_a_password_typed_wrong_leads_to_the_link(app, anne, client):
    page = client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD + "x"}).text
    assert 'href="/sign-in/link?email=anne@demo.example"' in page
