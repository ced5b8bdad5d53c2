"""Signing in and out: throttled in the database, ended by the epoch, remembered on one's phone."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from flask import url_for
from sqlalchemy import select

from coworking.accounts import passwords, rules, services
from coworking.accounts.models import Person
from coworking.accounts.pages import home_of
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.factories import PASSWORD, make_person

EMAIL = "anne@demo.example"


@pytest.fixture
def anne(app, place):
    with app.app_context():
        return make_person("Anne", "Marchand", EMAIL)


def attempt(client, password=PASSWORD, email=EMAIL, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def test_members_land_on_a_page_of_theirs(client, anne):
    answer = attempt(client, email="  Anne@DEMO.example ")
    assert answer.status_code == 303
    assert client.get("/me").status_code == 200


def test_staff_land_on_today_and_members_on_their_week(app, cast):
    with app.test_request_context():
        assert home_of(cast.member) == (url_for("week.show") if "week.show" in app.view_functions else "/me")
        if "frontdesk.today" in app.view_functions:
            assert home_of(cast.host) == home_of(cast.manager) == url_for("frontdesk.today")


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong password"), ("nobody@demo.example", PASSWORD), ("", ""), ("a\x00b@demo.example", "x\x00")],
)
def test_wrong_is_wrong_in_the_same_words(client, anne, email, password):
    answer = attempt(client, password, email)
    assert answer.status_code == 422
    assert "L’adresse ou le mot de passe est faux." in answer.text
    assert email.replace("\x00", "") in answer.text


def test_a_closed_account_stays_outside_and_says_nothing_else(app, client, anne):
    with app.app_context():
        make_person("Karim", "Benali", "karim@demo.example", deactivated_at=anne.created_at)
    assert attempt(client, email="karim@demo.example").status_code == 422


def test_an_unknown_address_costs_the_same_work(app, anne, monkeypatch, inside):
    verified = []
    real = passwords._hasher.verify
    monkeypatch.setattr(
        passwords,
        "_hasher",
        type(
            "Counting",
            (),
            {
                "verify": staticmethod(lambda kept, typed: verified.append(kept) or real(kept, typed)),
            },
        ),
    )
    with pytest.raises(rules.SignInRefused):
        services.authenticate("nobody@demo.example", "whatever it is", None)
    assert len(verified) == 1


def test_an_old_hash_is_renewed(app, anne, inside):
    before = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    with write_unit():
        db.session.get(Person, anne.id).password_hash = before
    services.authenticate(EMAIL, PASSWORD, None)
    db.session.rollback()
    kept = db.session.scalar(select(Person.password_hash).where(Person.email == EMAIL))
    assert kept != before
    assert not passwords.is_outdated(kept)
    services.authenticate(EMAIL, PASSWORD, None)


# Sessions


def test_only_local_addresses_are_followed_after_signing_in(app, anne):
    for target in ("//evil.example", "https://evil.example/", "/\\evil.example"):
        answer = attempt(app.test_client(), next=target)
        assert answer.status_code == 303
        assert "evil" not in answer.headers["Location"]
    assert attempt(app.test_client(), next="/me?x=1").headers["Location"] == "/me?x=1"


def test_a_page_asked_for_comes_after_signing_in(client, anne):
    answer = client.get("/me")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/me"
    page = client.get(answer.headers["Location"])
    assert 'name="next" value="/me"' in page.text


def test_nothing_of_the_visitors_session_goes_along(client, anne):
    with client.session_transaction() as kept:
        kept["planted"] = "by someone else"
    attempt(client)
    with client.session_transaction() as kept:
        assert "planted" not in kept


def test_guessing_the_present_password_is_throttled_too(client, anne):
    attempt(client)
    for _ in range(5):
        client.post("/me/password", data={"current_password": "not this one", "password": "encore une phrase"})
    answer = client.post("/me/password", data={"current_password": PASSWORD, "password": "encore une phrase"})
    assert answer.status_code == 429


def test_visitors_and_people_choose_their_language(app, client, anne):
    assert 'lang="fr"' in client.get("/sign-in").text
    client.post("/language", data={"locale": "en", "next": "/sign-in"})
    assert "Create an account" in client.get("/sign-in").text
    attempt(client)
    client.post("/language", data={"locale": "en", "next": "//evil.example"})
    with app.app_context():
        assert db.session.get(Person, anne.id).locale == "en"
    assert client.post("/language", data={"locale": "xx"}).status_code == 422
