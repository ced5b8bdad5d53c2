"""Passkeys: both steps in one touch, on this site alone, each answer once."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from coworking.accounts import passkey_answers, passkeys, tokens
from coworking.accounts.devices import Browser
from coworking.accounts.factor_models import Passkey
from coworking.accounts.models import Device as Signed
from coworking.accounts.models import EmailChange, Person
from coworking.core.db import db
from coworking.core.errors import DomainError
from tests.factories import PASSWORD, make_person
from tests.support.codes_app import set_up
from tests.support.passkeys import AT, UP, UV, Device, text

EMAIL = "anne@demo.example"


@pytest.fixture(autouse=True)
def under_a_name(app):
    """Browsers make passkeys under https, or on one's own machine by its name."""
    kept = app.extensions["settings"]
    app.extensions["settings"] = replace(kept, base_url="http://localhost")
    yield
    app.extensions["settings"] = kept


@pytest.fixture
def anne(app, place):
    with app.app_context():
        return make_person("Anne", "Marchand", EMAIL)


def typed_password(app, email=EMAIL):
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    assert client.post("/sign-in", data={"email": email, "password": PASSWORD}).status_code == 303
    return client


def make(client, device=None, name="Mon téléphone", **wrong):
    """A passkey made in a browser whose owner is proved; the device and the answer."""
    device = device or Device()
    options = client.get("/me/passkeys/options")
    assert options.headers["Cache-Control"] == "no-store"
    return device, client.post("/me/passkeys", data={"name": name, "answer": device.make(options.json, **wrong)})


@pytest.fixture
def phone(app, anne):
    """Anne's phone, with a passkey of hers."""
    device, answer = make(typed_password(app))
    assert answer.status_code == 303, answer.text
    return device


def touch(client, device, data=None, **wrong):
    """Sign in with a passkey."""
    options = client.get("/sign-in/passkey/options").json
    return client.post("/sign-in/passkey", data={"answer": device.answer(options, **wrong), **(data or {})})


def visitor(app):
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    return client


def is_in(client):
    return client.get("/me").status_code == 200


# Making


def test_it_is_made_listed_used_and_removed(app, anne, clock, run_outbox, mailbox):
    client = typed_password(app)
    device, answer = make(client)
    assert answer.status_code == 303
    assert "Mon téléphone" in client.get("/me/security").text
    other = visitor(app)
    assert touch(other, device, {"next": "/me/security"}).headers["Location"] == "/me/security"
    assert is_in(other)
    with app.app_context():
        kept = db.session.scalars(select(Passkey)).one()
    assert kept.last_used_at == clock.now
    assert client.post(f"/me/passkeys/{kept.public_id}/remove").status_code == 303
    refused = touch(visitor(app), device)
    assert refused.status_code == 422
    assert "Cette clé d’accès n’ouvre rien ici" in refused.text
    run_outbox()
    assert [message["Subject"] for message in mailbox()] == [
        "Une clé d’accès a été ajoutée",
        "Une clé d’accès a été retirée",
    ]


def test_what_the_browser_is_asked(app, anne, phone):
    options = typed_password(app).get("/me/passkeys/options").json
    assert options["rp"] == {"id": "localhost", "name": "La Fabrique du Pont"}
    assert options["user"]["id"] == text(anne.public_id.encode())
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == [text(phone.credential_id)]
    asked = visitor(app).get("/sign-in/passkey/options").json
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    assert not asked["allowCredentials"], "it tells nobody who has a passkey"


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost.evil.example"},
        {"origin": "https://localhost"},
        {"rp_id": "evil.example"},
        {"flags": UP},
        {"flags": UV},
        {"type": "webauthn.get"},
        {"cross_origin": True},
        {"challenge": text(b"of my own")},
    ],
)
def test_what_is_made_elsewhere_or_for_nobody_is_not_kept(app, anne, wrong):
    client = typed_password(app)
    _, answer = make(client, **wrong)
    assert answer.status_code in (409, 422)
    with app.app_context():
        assert db.session.scalars(select(Passkey.id)).all() == []


def test_a_challenge_of_another_person_makes_none(app, anne, cast):
    device = Device()
    options = typed_password(app, "member@demo.example").get("/me/passkeys/options").json
    answer = typed_password(app).post("/me/passkeys", data={"name": "x", "answer": device.make(options)})
    assert answer.status_code == 409
    with app.app_context():
        assert db.session.scalars(select(Passkey.id)).all() == []


def test_one_answer_makes_one(app, anne):
    client, device = typed_password(app), Device()
    sent = {"name": "x", "answer": device.make(client.get("/me/passkeys/options").json)}
    assert client.post("/me/passkeys", data=sent).status_code == 303
    assert client.post("/me/passkeys", data=sent).status_code == 409
    with app.app_context():
        assert len(db.session.scalars(select(Passkey.id)).all()) == 1


def test_what_another_has_already_is_refused(app, anne, phone, cast):
    _, answer = make(typed_password(app, "member@demo.example"), phone)
    assert answer.status_code == 422


def test_making_and_removing_want_a_proof(app, anne, phone, clock):
    client = typed_password(app)
    with app.app_context():
        kept = db.session.scalars(select(Passkey.public_id)).one()
    clock.advance(minutes=11)
    for answer in (
        client.get("/me/passkeys/new"),
        client.get("/me/passkeys/options"),
        client.post("/me/passkeys", data={"name": "x", "answer": "{}"}),
        client.post(f"/me/passkeys/{kept}/remove"),
    ):
        assert "/me/proof" in answer.headers["Location"]
    stranger_sees = client.get("/me/proof")
    assert 'data-options="/me/proof/passkey-options"' in stranger_sees.text
    options = client.get("/me/proof/passkey-options").json
    assert [one["id"] for one in options["allowCredentials"]] == [text(phone.credential_id)]
    assert client.post("/me/proof", data={"answer": phone.answer(options)}).status_code == 303
    assert client.get("/me/passkeys/new").status_code == 200


def test_before_the_address_is_confirmed_nobody_makes_one(app, place):
    with app.app_context():
        make_person("Anne", "Marchand", EMAIL, email_confirmed_at=None)
    client = typed_password(app)
    assert "Confirmez d’abord votre adresse" in client.get("/me/passkeys/new", follow_redirects=True).text
    assert client.get("/me/passkeys/options").status_code == 409


def test_a_strangers_passkey_is_not_there(app, anne, phone, cast):
    with app.app_context():
        kept = db.session.scalars(select(Passkey.public_id)).one()
    assert typed_password(app, "member@demo.example").post(f"/me/passkeys/{kept}/remove").status_code == 404


def test_a_name_is_wanted_and_what_was_typed_stays(app, anne):
    client, device = typed_password(app), Device()
    answer = client.post(
        "/me/passkeys", data={"name": " ", "answer": device.make(client.get("/me/passkeys/options").json)}
    )
    assert answer.status_code == 422
    assert "Écrivez un nom ici." in answer.text


# Signing in


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://localhost:8000"},
        {"rp_id": "evil.example"},
        {"flags": UP},
        {"flags": UV},
        {"type": "webauthn.create"},
        {"cross_origin": True},
        {"handle": "somebodyelse1234"},
        {"challenge": text(b"of my own")},
    ],
)
def test_an_answer_that_is_not_for_us_signs_nobody_in(app, phone, wrong):
    client = visitor(app)
    assert touch(client, phone, **wrong).status_code in (409, 422)
    assert not is_in(client)


def test_a_challenge_works_once(app, phone):
    client, thief = visitor(app), visitor(app)
    options = client.get("/sign-in/passkey/options").json
    first, again = phone.answer(options), phone.answer(options)
    assert client.post("/sign-in/passkey", data={"answer": first}).status_code == 303
    for replayed in (first, again):
        refused = thief.post("/sign-in/passkey", data={"answer": replayed})
        assert refused.status_code in (409, 422)
        assert not is_in(thief)


def test_a_challenge_works_for_five_minutes_and_for_its_purpose(app, anne, phone, clock):
    client = visitor(app)
    options = client.get("/sign-in/passkey/options").json
    clock.advance(minutes=5, seconds=1)
    late = client.post("/sign-in/passkey", data={"answer": phone.answer(options)})
    assert late.status_code == 409
    assert "trop tard" in late.text
    signed_in = typed_password(app)
    other = signed_in.get("/me/proof/passkey-options").json
    assert client.post("/sign-in/passkey", data={"answer": phone.answer(other)}).status_code == 409
    assert not is_in(client)


def test_of_sixteen_with_one_answer_at_once_one_comes_in(app, phone):
    with app.app_context():
        before = db.session.scalar(select(func.count()).select_from(Signed))
        answer = phone.answer(passkeys.options_to_sign_in())
    outcomes, start = [], threading.Barrier(16)

    def come_in():
        with app.app_context():
            start.wait()
            try:
                passkeys.sign_in(answer, None, browser=Browser())
                outcomes.append("in")
            except DomainError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=come_in) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("in") == 1
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Signed)) == before + 1


def test_a_count_that_does_not_grow_is_a_copy(app, phone):
    assert touch(visitor(app), phone).status_code == 303
    copy = replace(phone, count=0)
    assert touch(visitor(app), copy).status_code == 422
    assert touch(visitor(app), phone).status_code == 303


def test_one_that_is_synced_counts_nothing(app, anne):
    device, _ = make(typed_password(app), Device(counts=False))
    assert [touch(visitor(app), device).status_code for _ in range(3)] == [303, 303, 303]


def test_another_devices_signature_is_refused(app, phone):
    forged = replace(phone, key=Device().key)
    client = visitor(app)
    assert touch(client, forged).status_code == 422
    assert not is_in(client)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[]",
        "null",
        '"x"',
        "{",
        '{"id": "x", "response": {}}',
        '{"id": 3, "response": {"clientDataJSON": "AAAA"}}',
        "x" * 20_000,
    ],
)
def test_what_is_no_answer_is_refused(app, anne, answer):
    refused = visitor(app).post("/sign-in/passkey", data={"answer": answer})
    assert refused.status_code == 422
    client = typed_password(app)
    assert client.post("/me/passkeys", data={"name": "x", "answer": answer}).status_code == 422
    assert client.post("/me/proof", data={"answer": answer or "x"}).status_code == 422


@pytest.mark.parametrize("part", ["authenticatorData", "signature", "clientDataJSON", "userHandle"])
def test_a_part_that_is_no_base64_or_broken_is_refused(app, phone, part):
    client = visitor(app)
    for broken in ("é", "AAAA", "", None, 3):
        options = client.get("/sign-in/passkey/options").json
        answer = json.loads(phone.answer(options))
        answer["response"][part] = broken
        assert client.post("/sign-in/passkey", data={"answer": json.dumps(answer)}).status_code in (409, 422)
        assert not is_in(client)


def test_a_broken_key_is_not_kept(app, anne):
    client, device = typed_password(app), Device()
    options = client.get("/me/passkeys/options").json
    answer = json.loads(device.make(options))
    answer["response"]["attestationObject"] = text(b"\xa3" + bytes([AT]) * 40)
    assert client.post("/me/passkeys", data={"name": "x", "answer": json.dumps(answer)}).status_code == 422


def test_a_closed_account_stays_closed(app, anne, phone):
    from coworking.core.units import write_unit

    with app.app_context(), write_unit():
        person = db.session.get_one(Person, anne.id)
        person.deactivated_at = person.created_at
    client = visitor(app)
    assert touch(client, phone).status_code == 422
    assert not is_in(client)


def test_trying_is_slowed_down(app, phone, anne):
    for _ in range(50):
        visitor(app).post("/sign-in/passkey", data={"answer": "{}"})
    assert touch(visitor(app), phone).status_code == 429


# Beside the second step


def test_it_is_both_steps(app, anne, phone):
    set_up(typed_password(app))
    client = visitor(app)
    assert touch(client, phone).headers["Location"] != "/second-step"
    assert is_in(client)


def test_somebody_elses_passkey_proves_nothing(app, anne, phone, cast, clock):
    client = typed_password(app, "member@demo.example")
    clock.advance(minutes=11)
    options = client.get("/me/proof/passkey-options").json
    assert client.post("/me/proof", data={"answer": phone.answer(options)}).status_code == 422
    assert "/me/proof" in client.get("/me/passkeys/new").headers["Location"]


def test_for_the_team_it_is_a_second_step(app, place, cast, clock):
    manager = typed_password(app, "manager@demo.example")
    device, _ = make(manager)
    assert manager.post("/people/second-step", data={"days": "0"}).status_code == 303
    assert manager.get("/people").status_code == 200, "opened by a passkey's owner"
    kept = manager.get("/me/security").text
    (path,) = {part.split('"')[0] for part in kept.split('action="') if part.startswith("/me/passkeys/")}
    refused = manager.post(path, follow_redirects=True)
    assert "avant de retirer" in refused.text
    again = visitor(app)
    answer = again.post("/sign-in", data={"email": "manager@demo.example", "password": PASSWORD})
    assert answer.headers["Location"] == "/second-step", "a password alone is one step"
    page = again.get("/second-step").text
    assert 'data-passkey="get"' in page
    assert "six chiffres" not in page
    assert touch(again, device).status_code == 303
    assert again.get("/people").status_code == 200
    host = typed_password(app, "host@demo.example")
    assert "/me/passkeys/new" in host.get("/second-step").text
    _, made = make(host)
    assert made.status_code == 303
    assert host.get("/people").status_code == 200


def test_a_password_by_email_ends_passkeys_unless_a_second_step_guards_them(app, anne, phone):
    def chosen():
        with app.app_context():
            link = tokens.make_link(tokens.RESET, db.session.get_one(Person, anne.id))
        client = visitor(app)
        assert client.post(f"/reset/{link}", data={"password": "encore une phrase"}).status_code == 303

    set_up(typed_password(app))
    chosen()
    assert touch(visitor(app), phone).status_code == 303, "the mailbox alone takes no second step away"
    typed = visitor(app)
    touch(typed, phone)
    typed.post("/me/second-step/off")
    chosen()
    assert touch(visitor(app), phone).status_code == 422


def test_the_old_address_takes_back_a_passkey_made_behind_its_back(app, anne, clock):
    thief = typed_password(app)
    thief.post("/me/email", data={"email": "thief@demo.example"})
    with app.app_context():
        change = db.session.scalars(select(EmailChange)).one()
        confirm = tokens.make_change_link(tokens.ADDRESS, change.public_id)
        keep = tokens.make_change_link(tokens.OBJECT, change.public_id)
    clock.advance(seconds=5)
    thief.post(f"/confirm-address/{confirm}")
    device, _ = make(thief)
    visitor(app).post(f"/keep-address/{keep}")
    assert touch(visitor(app), device).status_code == 422


def test_a_manager_takes_them_away_with_the_second_step(app, anne, phone, cast):
    manager = typed_password(app, "manager@demo.example")
    assert manager.post(f"/people/{anne.public_id}/second-step/reset").status_code == 303
    assert touch(visitor(app), phone).status_code == 422


# Where


@pytest.mark.parametrize(
    ("base_url", "found"),
    [
        ("https://lieu.example", ("lieu.example", "https://lieu.example")),
        ("https://Lieu.example:443", ("lieu.example", "https://lieu.example")),
        ("https://lieu.example:8443", ("lieu.example", "https://lieu.example:8443")),
        ("http://localhost:5000", ("localhost", "http://localhost:5000")),
        ("http://lieu.example", None),
        ("http://127.0.0.1:5000", None),
        ("https://192.0.2.1", None),
        ("https://[::1]", None),
    ],
)
def test_where_browsers_make_passkeys(app, base_url, found):
    app.extensions["settings"] = replace(app.extensions["settings"], base_url=base_url)
    with app.app_context():
        site = passkey_answers.site()
    assert (site and (site.rp_id, site.origin)) == found


def test_where_they_make_none_the_pages_say_what_else_to_do(app, anne):
    client = typed_password(app)
    app.extensions["settings"] = replace(app.extensions["settings"], base_url="http://lieu.test")
    assert "data-passkey" not in visitor(app).get("/sign-in").text
    assert "codes d’une application" in client.get("/me/passkeys/new").text
    assert client.get("/me/passkeys/options").status_code == 409


def test_nothing_of_it_is_loaded_before_it_is_used():
    import subprocess
    import sys

    said = "import coworking.accounts.views, sys; print({'webauthn', 'OpenSSL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
