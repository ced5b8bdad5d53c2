"""A new address counts once its reader confirms it; nobody takes an account over by typing their own."""

from __future__ import annotations

import re

import pytest

from coworking.accounts import api_tokens, email_changes, staff
from coworking.accounts.models import Person
from coworking.accounts.rules import EmailNeeded
from coworking.core.db import db
from tests.factories import PASSWORD, actor, make_person

NEW = "am@demo.example"
OLD = "member@demo.example"
DETAILS = {"first_name": "Anne", "last_name": "Marchand", "email": NEW}


def ask_as_host(sign_in, cast):
    assert sign_in(cast.host).post(f"/people/{cast.member.public_id}", data=DETAILS).status_code == 303


def link_to(run_outbox, mailbox, receiver, path):
    run_outbox()
    bodies = [m.get_body(("plain",)).get_content() for m in mailbox() if m["To"] == receiver]
    found = [match[0] for body in bodies if (match := re.search(rf"/{path}/\S+", body))]
    return found[-1] if found else None


def person_of(app, cast):
    with app.app_context():
        return db.session.get(Person, cast.member.id)


def test_a_host_cannot_turn_a_members_account_over_to_themselves(
    app, cast, place, sign_in, client, run_outbox, mailbox
):
    ask_as_host(sign_in, cast)
    assert person_of(app, cast).email == OLD
    for address in (NEW, OLD):
        assert client.post("/forgotten", data={"email": address}).status_code == 200
    assert link_to(run_outbox, mailbox, NEW, "reset") is None, "a new password is asked for at the old address only"
    assert link_to(run_outbox, mailbox, OLD, "reset") is not None
    assert "am@demo.example" in next(m for m in mailbox() if m["To"] == OLD).get_body(("plain",)).get_content()


def test_the_new_address_counts_once_it_confirms(app, cast, place, sign_in, client, run_outbox, mailbox):
    ask_as_host(sign_in, cast)
    assert "doit encore être confirmée" in sign_in(cast.host).get(f"/people/{cast.member.public_id}").text
    link = link_to(run_outbox, mailbox, NEW, "confirm-address")
    assert client.get(link).status_code == 200
    assert person_of(app, cast).email == OLD, "looking at the page confirms nothing"
    for _ in range(2):
        assert client.post(link).status_code == 303
    assert person_of(app, cast).email == NEW
    assert person_of(app, cast).email_confirmed_at is not None
    assert client.post("/sign-in", data={"email": OLD, "password": PASSWORD}).status_code == 422
    assert client.post("/sign-in", data={"email": NEW, "password": PASSWORD}).status_code == 303


def test_the_old_address_stops_a_change_that_waits(app, cast, place, sign_in, client, run_outbox, mailbox):
    ask_as_host(sign_in, cast)
    new, old = (link_to(run_outbox, mailbox, *pair) for pair in ((NEW, "confirm-address"), (OLD, "keep-address")))
    assert client.get(old).status_code == 200
    assert client.post(old).status_code == 303
    assert client.post(new).status_code == 410
    assert person_of(app, cast).email == OLD
    assert client.post("/sign-in", data={"email": OLD, "password": PASSWORD}).status_code == 303


def test_the_old_address_undoes_a_change_that_was_made(app, cast, place, sign_in, client, run_outbox, mailbox):
    """Someone at an open computer changed the address and confirmed it, and went on to a third one."""
    thief = sign_in(cast.member)
    thief.post("/me/email", data={"email": NEW})
    client.post(link_to(run_outbox, mailbox, NEW, "confirm-address"))
    old = link_to(run_outbox, mailbox, OLD, "keep-address")
    thief.post("/me/email", data={"email": "third@demo.example"})
    client.post(link_to(run_outbox, mailbox, "third@demo.example", "confirm-address"))
    with app.app_context():
        token = api_tokens.issue(actor(cast.member), name="x", scopes=frozenset({"lieu:read"}))
    assert client.post(old).status_code == 303
    back = person_of(app, cast)
    assert (back.email, back.password_hash) == (OLD, None)
    assert thief.get("/me").status_code == 302
    with app.app_context():
        assert api_tokens.owner(token) is None
    reset = link_to(run_outbox, mailbox, OLD, "reset")
    assert any(one["Subject"].startswith("Vous gardez votre adresse") and one["To"] == OLD for one in mailbox())
    assert client.post(reset, data={"password": "encore une phrase"}).status_code == 303
    assert client.get("/me").status_code == 200


def test_who_was_put_out_objects_to_nothing_any_more(app, cast, place, sign_in, client, run_outbox, mailbox):
    """The thief reads the address in between, and so has a link that objects to going on from there."""
    thief = sign_in(cast.member)
    thief.post("/me/email", data={"email": NEW})
    client.post(link_to(run_outbox, mailbox, NEW, "confirm-address"))
    owners = link_to(run_outbox, mailbox, OLD, "keep-address")
    thief.post("/me/email", data={"email": "third@demo.example"})
    client.post(link_to(run_outbox, mailbox, "third@demo.example", "confirm-address"))
    thiefs = link_to(run_outbox, mailbox, NEW, "keep-address")
    assert client.post(owners).status_code == 303
    assert client.post(thiefs).status_code == 410
    assert person_of(app, cast).email == OLD
    assert link_to(run_outbox, mailbox, NEW, "reset") is None


def test_a_new_password_through_an_e_mail_withdraws_the_change_that_waits(
    app, cast, place, sign_in, client, run_outbox, mailbox
):
    """Whoever knew the old password has nothing left, not even an address that could still be confirmed."""
    sign_in(cast.member).post("/me/email", data={"email": NEW})
    thiefs = link_to(run_outbox, mailbox, NEW, "confirm-address")
    client.post("/forgotten", data={"email": OLD})
    reset = link_to(run_outbox, mailbox, OLD, "reset")
    assert client.post(reset, data={"password": "encore une phrase"}).status_code == 303
    assert client.post(thiefs).status_code == 410
    assert person_of(app, cast).email == OLD


def test_a_squatter_of_the_old_address_gives_way(app, cast, place, sign_in, client, run_outbox, mailbox):
    sign_in(cast.member).post("/me/email", data={"email": NEW})
    client.post(link_to(run_outbox, mailbox, NEW, "confirm-address"))
    sign_up = {"first_name": "X", "last_name": "Y", "email": OLD, "password": "une phrase courte"}
    assert client.post("/sign-up", data=sign_up).status_code == 200
    assert client.post(link_to(run_outbox, mailbox, OLD, "keep-address")).status_code == 303
    assert person_of(app, cast).email == OLD


def test_links_last_seven_days(app, cast, place, sign_in, client, run_outbox, mailbox, clock):
    ask_as_host(sign_in, cast)
    new, old = (link_to(run_outbox, mailbox, *pair) for pair in ((NEW, "confirm-address"), (OLD, "keep-address")))
    clock.advance(days=7)
    for link in (new, old):
        assert client.get(link).status_code == 410
        assert client.post(link).status_code == 410


@pytest.mark.parametrize("path", ["confirm-address", "keep-address"])
def test_forged_and_exchanged_links_are_gone(app, cast, place, sign_in, client, run_outbox, mailbox, path):
    ask_as_host(sign_in, cast)
    other = {"confirm-address": ("keep-address", OLD), "keep-address": ("confirm-address", NEW)}[path]
    theirs = link_to(run_outbox, mailbox, other[1], other[0]).rpartition("/")[2]
    for token in ("x", "a.b.c", "%00", theirs):
        assert client.get(f"/{path}/{token}").status_code == 410
        assert client.post(f"/{path}/{token}").status_code == 410
    assert person_of(app, cast).email == OLD


def test_a_member_changes_their_own_address_with_their_password(
    app, cast, place, sign_in, client, run_outbox, mailbox, clock
):
    browser = sign_in(cast.member)
    clock.advance(minutes=10)
    refused = browser.post("/me/email", data={"email": NEW, "current_password": "not this one"})
    assert refused.status_code == 422
    assert NEW in refused.text
    assert browser.post("/me/email", data={"email": NEW, "current_password": PASSWORD}).status_code == 303
    assert NEW in browser.get("/me/security").text
    assert client.post(link_to(run_outbox, mailbox, NEW, "confirm-address")).status_code == 303
    assert person_of(app, cast).email == NEW
    assert browser.get("/me").status_code == 200


def test_a_member_withdraws_a_change(app, cast, place, sign_in, client, run_outbox, mailbox):
    browser = sign_in(cast.member)
    browser.post("/me/email", data={"email": NEW})
    link = link_to(run_outbox, mailbox, NEW, "confirm-address")
    assert browser.post("/me/email/withdraw").status_code == 303
    assert client.post(link).status_code == 410


def test_a_member_does_not_learn_who_has_an_account(app, cast, place, sign_in, client, run_outbox, mailbox):
    browser = sign_in(cast.member)
    answers = [browser.post("/me/email", data={"email": email}) for email in ("stranger@demo.example", NEW)]
    assert answers[0].status_code == answers[1].status_code == 303
    link = link_to(run_outbox, mailbox, "stranger@demo.example", "confirm-address")
    assert link is None, "the second request took its place"
    browser.post("/me/email", data={"email": "stranger@demo.example"})
    taken = client.post(link_to(run_outbox, mailbox, "stranger@demo.example", "confirm-address"))
    assert taken.status_code == 409
    assert person_of(app, cast).email == OLD


def test_changes_of_address_are_throttled(app, cast, place, sign_in):
    browser = sign_in(cast.member)
    answers = [browser.post("/me/email", data={"email": f"p{n}@demo.example"}).status_code for n in range(6)]
    assert answers == [303] * 5 + [429]


@pytest.mark.parametrize("email", ["", "nonsense", OLD])
def test_what_is_no_new_address_is_said_at_its_field(app, cast, place, sign_in, email):
    answer = sign_in(cast.member).post("/me/email", data={"email": email})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_only_a_manager_changes_a_managers_address(app, cast, place, sign_in):
    path = f"/people/{cast.manager.public_id}"
    assert sign_in(cast.host).post(path, data=DETAILS).status_code == 403
    with app.app_context():
        assert email_changes.waiting(cast.manager.id) is None


def test_staff_correct_an_address_that_was_never_used(app, cast, place, sign_in):
    """Written down wrong at the desk: there is nobody yet to take anything from."""
    with app.app_context():
        typo = staff.create_person(actor(cast.host), first_name="Luc", email="lcu@demo.example")
    sign_in(cast.host).post(f"/people/{typo.public_id}", data={"first_name": "Luc", "email": "luc@demo.example"})
    with app.app_context():
        assert db.session.get(Person, typo.id).email == "luc@demo.example"


def test_who_signs_in_with_an_address_keeps_one(app, cast, place, inside):
    typed = {"first_name": "Anne", "last_name": "Marchand", "phone": "", "note": "", "status": "", "commune": ""}
    with pytest.raises(EmailNeeded):
        staff.update_person(actor(cast.host), cast.member.public_id, **typed, email="")
    unused = make_person("Luc", "Moreau", "luc@demo.example", email_confirmed_at=None, password_hash=None)
    staff.update_person(actor(cast.host), unused.public_id, **typed, email="")
    assert db.session.get(Person, unused.id).email is None
