"""Signing up: nobody learns from it who has an account."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from tests.factories import PASSWORD, make_person

ANNE = {
    "first_name": "Anne",
    "last_name": "Marchand",
    "email": "Anne@Demo.Example",
    "password": "une phrase courte",
}


def _said(answer):
    """The page without what differs from one to the next: the form's token, and whose address it is."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text.replace("lise", "anne"))


def _people(app):
    with app.app_context():
        return db.session.scalars(select(Person).order_by(Person.id)).unique().all()


def test_signing_up_sends_an_email_and_allows_signing_in(app, client, place, run_outbox, mailbox):
    answer = client.post("/sign-up", data=ANNE)
    assert answer.status_code == 200
    (person,) = _people(app)
    assert (person.name, person.email, person.email_confirmed_at) == ("Anne Marchand", "anne@demo.example", None)
    run_outbox()
    (email,) = mailbox()
    assert email["To"] == "anne@demo.example"

    answer = client.post("/sign-in", data={"email": "anne@demo.example", "password": ANNE["password"]})
    assert answer.status_code == 303
    assert "pas encore confirmée" in client.get("/me").text

    link = re.search(r"http://lieu\.test(/confirm/\S+)", email.get_body(("plain",)).get_content())[1]
    client.get(link)
    assert _people(app)[0].email_confirmed_at is None, "looking at the page confirms nothing"
    assert client.post(link).status_code == 303
    assert _people(app)[0].email_confirmed_at is not None
    assert client.post(link).status_code == 303
    assert "pas encore confirmée" not in client.get("/me").text


def test_a_known_address_gets_the_same_page_and_another_email(app, client, place, run_outbox, mailbox):
    with app.app_context():
        make_person("Anne", "Marchand", "anne@demo.example")
    known = client.post("/sign-up", data=ANNE | {"email": "anne@demo.example"})
    fresh = client.post("/sign-up", data=ANNE | {"email": "lise@demo.example"})
    assert known.status_code == fresh.status_code == 200
    assert _said(known) == _said(fresh)
    assert [name for name, _ in known.headers] == [name for name, _ in fresh.headers]

    run_outbox()
    emails = {email["To"]: email["Subject"] for email in mailbox()}
    assert emails["anne@demo.example"] == "Vous avez déjà un compte"
    assert len(_people(app)) == 2
    assert client.post("/sign-in", data={"email": "anne@demo.example", "password": PASSWORD}).status_code == 303


def test_repeated_requests_send_one_email(app, client, place):
    with app.app_context():
        make_person("Anne", "Marchand", "anne@demo.example")
    for _ in range(3):
        client.post("/sign-up", data=ANNE)
        client.post("/forgotten", data={"email": "anne@demo.example"})
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(OutboxRow)) == 2


def _confirm_link(run_outbox, mailbox):
    run_outbox()
    return re.search(r"http://lieu\.test(/confirm/\S+)", mailbox()[-1].get_body(("plain",)).get_content())[1]


def test_confirming_on_the_browser_that_signed_up_signs_in(app, client, place, run_outbox, mailbox):
    client.post("/sign-up", data=ANNE)
    assert client.get("/me").status_code == 302
    answer = client.post(_confirm_link(run_outbox, mailbox))
    assert answer.status_code == 303
    assert client.get("/me").status_code == 200


def test_confirming_on_another_browser_does_not_sign_in(app, client, place, run_outbox, mailbox):
    """A stranger signed up with my address: I confirm it, and must not find myself in an account they know the way into."""
    client.post("/sign-up", data=ANNE)
    mine = app.test_client()
    assert mine.post(_confirm_link(run_outbox, mailbox)).headers["Location"] == "/sign-in"
    assert mine.get("/me").status_code == 302


def test_a_link_to_confirm_signs_in_once(app, client, place, run_outbox, mailbox):
    client.post("/sign-up", data=ANNE)
    link = _confirm_link(run_outbox, mailbox)
    client.post(link)
    client.post("/sign-out")
    assert client.post(link).status_code == 303
    assert client.get("/me").status_code == 302


def _go_on(client, email="anne@demo.example"):
    return client.post("/sign-up/go-on", data={"email": email})


def test_confirmed_on_a_phone_one_goes_on_where_one_signed_up(app, client, place, run_outbox, mailbox):
    sent = client.post("/sign-up", data=ANNE)
    assert "/sign-up/go-on" in sent.text
    early = _go_on(client)
    assert early.status_code == 409
    assert "pas encore confirmée" in early.text
    phone = app.test_client()
    phone.post(_confirm_link(run_outbox, mailbox))
    assert _go_on(phone).status_code == 409, "the phone knows no password"
    assert _go_on(client, " Anne@Demo.Example ").status_code == 303
    assert client.get("/me").status_code == 200


def test_signing_up_with_the_address_of_another_account_opens_nothing(app, client, place, run_outbox, mailbox):
    """The answers are those of a new account that is not confirmed yet."""
    with app.app_context():
        make_person("Anne", "Marchand", "anne@demo.example")
    known, fresh = app.test_client(), client
    pages = [known.post("/sign-up", data=ANNE), fresh.post("/sign-up", data=ANNE | {"email": "lise@demo.example"})]
    pages += [_go_on(known), _go_on(fresh, "lise@demo.example")]
    assert [page.status_code for page in pages] == [200, 200, 409, 409]
    assert _said(pages[2]) == _said(pages[3])
    assert known.get("/me").status_code == 302


def test_another_password_ends_what_the_browser_kept_of_signing_up(app, client, place, run_outbox, mailbox):
    client.post("/sign-up", data=ANNE)
    owner = app.test_client()
    owner.post("/forgotten", data={"email": "anne@demo.example"})
    run_outbox()
    (reset,) = (email for email in mailbox() if "/reset/" in email.as_string())
    link = re.search(r"http://lieu\.test(/reset/\S+)", reset.get_body(("plain",)).get_content())[1]
    owner.post(link, data={"password": "encore une phrase"})
    assert _go_on(client).status_code == 409
    assert client.get("/me").status_code == 302


@pytest.mark.parametrize("name", ["http://evil.example", "www.evil", "Anne evil.example", "evil.COM", "a@b.example"])
def test_a_name_is_no_link(app, client, place, name):
    answer = client.post("/sign-up", data=ANNE | {"first_name": name})
    assert answer.status_code == 422
    assert "ressemble à un lien" in answer.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"first_name": " "}, "Écrivez un nom ici."),
        ({"email": "anne"}, "Ce n’est pas une adresse e-mail."),
        ({"password": "court"}, "10 caractères au moins"),
        ({"password": "anne@demo.example"}, "se devine trop facilement"),
        ({"password": "password12"}, "parmi les premiers"),
        ({"password": "motdepasse"}, "parmi les premiers"),
        ({"password": "coworking2026"}, "parmi les premiers"),
        ({"password": "LaFabriqueDuPont"}, "se devinent trop facilement"),
        ({"password": "Anne.Marchand.1985"}, "se devinent trop facilement"),
        ({"first_name": "", "email": "", "password": ""}, "Ce n’est pas une adresse e-mail."),
    ],
)
def test_bad_input_is_named_keeps_what_was_typed_and_changes_nothing(app, client, place, wrong, said):
    answer = client.post("/sign-up", data=ANNE | {"email": "anne@demo.example"} | wrong)
    assert answer.status_code == 422
    assert said in answer.text
    assert "Marchand" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert ANNE["password"] not in answer.text, "a password is never sent back"
    assert _people(app) == []


def test_one_internet_address_cannot_flood_mailboxes(app, client, place, clock):
    for n in range(60):
        assert client.post("/forgotten", data={"email": f"p{n}@demo.example"}).status_code == 200
    refused = client.post("/forgotten", data={"email": "anne@demo.example"})
    assert refused.status_code == 429
    assert "anne@demo.example" in refused.text
    assert refused.headers["Retry-After"] == "30"
    clock.advance(seconds=30)
    assert client.post("/forgotten", data={"email": "anne@demo.example"}).status_code == 200


def test_password_managers_know_every_input(client, place, cast, sign_in):
    def purposes(page):
        return re.findall(r'autocomplete="([^"]+)"', page.text)

    assert purposes(client.get("/sign-up")) == ["given-name", "family-name", "email", "new-password"]
    assert purposes(client.get("/sign-in")) == ["username", "current-password"]
    member = sign_in(cast.member)
    assert {"given-name", "family-name", "tel"} <= set(purposes(member.get("/me")))
    assert {"username", "current-password", "new-password"} <= set(purposes(member.get("/me/security")))


def test_the_first_wrong_field_takes_the_focus_and_no_other(client, place):
    page = client.post("/sign-up", data={"first_name": "Anne", "email": "nothing", "password": "short"}).text
    assert page.count(" autofocus") == 1
    field = page[page.rindex("<input", 0, page.index(" autofocus")) :]
    assert field.startswith('<input id="last_name"')
