"""The second step: a code of an app after the password, once; no way in goes round it."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from coworking.accounts import api_tokens, devices, second_step, tokens, totp_rules
from coworking.accounts.factor_models import Authenticator, RecoveryCode
from coworking.accounts.models import Device, Person
from coworking.core.audit import AuditEntry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError
from tests.factories import PASSWORD, make_person
from tests.support.codes_app import CodesApp, begin, set_up

EMAIL = "anne@demo.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"


@pytest.fixture
def anne(app, place):
    with app.app_context():
        return make_person("Anne", "Marchand", EMAIL)


def typed_password(app, email=EMAIL, **more):
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    answer = client.post("/sign-in", data={"email": email, "password": PASSWORD, **more})
    assert answer.status_code == 303
    return client, answer.headers["Location"]


@pytest.fixture
def with_app(app, anne, clock):
    """Anne's first browser, her codes app and her recovery codes; thirty seconds later."""
    client, _ = typed_password(app)
    codes_app, codes = set_up(client)
    clock.advance(seconds=30)
    return client, codes_app, codes


def is_in(client, path="/me"):
    return client.get(path).status_code == 200


def answer(client, **typed):
    return client.post("/second-step", data=typed)


# Setting it up


def test_it_counts_once_a_first_code_was_typed(app, anne, clock):
    client, _ = typed_password(app)
    codes_app = begin(client)
    page = client.get("/me/second-step")
    assert page.headers["Cache-Control"] == "no-store"
    assert typed_password(app)[1] != "/second-step", "not yet"
    refused = client.post("/me/second-step", data={"code": codes_app.wrong()})
    assert refused.status_code == 422
    assert "n’est pas le bon" in refused.text
    done = client.post("/me/second-step", data={"code": codes_app.code()})
    assert done.status_code == 200
    assert done.headers["Cache-Control"] == "no-store"
    codes = re.findall(r"<code>([a-z2-9-]{14})</code>", done.text)
    assert len(set(codes)) == 10
    assert typed_password(app)[1] == "/second-step"
    again = client.post("/me/second-step", data={"code": codes_app.code()})
    assert again.status_code == 303, "it is on: sending the form once more changes nothing"


def test_what_is_kept_is_encrypted_or_a_digest(app, with_app):
    _, codes_app, codes = with_app
    secret = re.search(r"secret=([A-Z2-7]+)", codes_app.address)[1]
    with app.app_context():
        kept = db.session.scalars(select(Authenticator.secret)).one()
        digests = db.session.scalars(select(RecoveryCode.digest)).all()
    assert secret not in kept
    assert len(digests) == 10
    assert not set(digests) & {code.replace("-", "") for code in codes}
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)


def test_beginning_anew_forgets_the_code_scanned_before(app, anne):
    client, _ = typed_password(app)
    first, second = begin(client), begin(client)
    assert first.address != second.address
    assert client.post("/me/second-step", data={"code": first.code()}).status_code == 422
    assert client.post("/me/second-step", data={"code": second.code()}).status_code == 200


def test_setting_it_up_wants_a_proof_and_does_not_wait_for_ever(app, anne, clock):
    client, _ = typed_password(app)
    codes_app = begin(client)
    clock.advance(minutes=10)
    assert "/me/proof" in client.post("/me/second-step/begin").headers["Location"]
    assert "/me/proof" in client.get("/me/second-step").headers["Location"]
    assert "/me/proof" in client.post("/me/second-step", data={"code": codes_app.code()}).headers["Location"]
    clock.advance(minutes=55)
    client.post("/me/proof", data={"current_password": PASSWORD})
    assert client.get("/me/second-step").status_code == 303
    assert client.post("/me/second-step", data={"code": codes_app.code()}).headers["Location"] == "/me/security"


def test_before_the_address_is_confirmed_nobody_sets_one_up(app, place):
    """Whoever signed up with my address would lock me out of it."""
    with app.app_context():
        make_person("Anne", "Marchand", EMAIL, email_confirmed_at=None)
    client, _ = typed_password(app)
    answer = client.post("/me/second-step/begin", follow_redirects=True)
    assert "Confirmez d’abord votre adresse" in answer.text
    with app.app_context():
        assert db.session.scalars(select(Authenticator.person_id)).all() == []


# Answering it


def test_it_is_asked_after_the_password_and_nothing_is_open_before(app, with_app):
    _, codes_app, _ = with_app
    client, leads_to = typed_password(app, next="/me/security", remember="1")
    assert leads_to == "/second-step"
    assert client.get_cookie("lieu_device") is None
    for path in ("/me", "/me/security", "/me/second-step", "/me/proof"):
        assert "/sign-in" in client.get(path).headers["Location"], path
    assert client.get("/second-step").status_code == 200
    come_in = answer(client, code=codes_app.code())
    assert come_in.headers["Location"] == "/me/security"
    assert is_in(client)
    assert client.get_cookie("lieu_device").max_age == 90 * 24 * 3600, "what was ticked beside the password"


def test_a_code_works_once(app, with_app):
    _, codes_app, _ = with_app
    code = codes_app.code()
    first, second = typed_password(app)[0], typed_password(app)[0]
    assert answer(first, code=code).status_code == 303
    replayed = answer(second, code=code)
    assert replayed.status_code == 422
    assert "déjà servi" in replayed.text
    assert not is_in(second)


def test_nor_does_an_earlier_one_or_the_one_of_setting_up(app, anne, clock):
    client, _ = typed_password(app)
    codes_app = begin(client)
    code = codes_app.code()
    client.post("/me/second-step", data={"code": code})
    other, _ = typed_password(app)
    assert answer(other, code=code).status_code == 422
    clock.advance(seconds=30)
    earlier = codes_app.code()
    clock.advance(seconds=30)
    assert answer(other, code=codes_app.code()).status_code == 303
    third, _ = typed_password(app)
    assert answer(third, code=earlier).status_code == 422
    assert not is_in(third)


def test_of_sixteen_with_one_code_at_once_one_comes_in(app, anne, with_app):
    _, codes_app, _ = with_app
    with app.app_context():
        before = db.session.scalar(select(func.count()).select_from(Device))
        epoch = db.session.get_one(Person, anne.id).session_epoch
    halfway = devices.Halfway(anne.public_id, epoch, "password", False)
    outcomes, start, code = [], threading.Barrier(16), codes_app.code()

    def come_in():
        with app.app_context():
            start.wait()
            try:
                second_step.finish(halfway, code=code, browser=devices.Browser())
                outcomes.append("in")
            except DomainError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=come_in) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("in") == 1
    assert set(outcomes) <= {"in", "code_used", "too_many_attempts"}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Device)) == before + 1


def test_guessing_is_slowed_down_wherever_it_is_done(app, with_app, clock):
    _, codes_app, _ = with_app
    for _ in range(5):
        assert answer(typed_password(app)[0], code=codes_app.wrong()).status_code == 422
    client, _ = typed_password(app)
    refused = answer(client, code=codes_app.code())
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "30"
    clock.advance(seconds=30)
    assert answer(client, code=codes_app.code()).status_code == 303


def test_recovery_codes_are_slowed_down_with_them(app, with_app):
    _, _, codes = with_app
    client, _ = typed_password(app)
    for _ in range(5):
        assert answer(client, recovery="abcd-efgh-jkmn").status_code == 422
    assert answer(client, recovery=codes[0]).status_code == 429


def test_ten_minutes_after_the_password_it_is_asked_again(app, with_app, clock):
    _, codes_app, _ = with_app
    client, _ = typed_password(app)
    clock.advance(minutes=10, seconds=1)
    assert "/sign-in" in answer(client, code=codes_app.code()).headers["Location"]
    assert not is_in(client)


def test_a_new_password_ends_who_is_halfway(app, with_app, clock):
    mine, codes_app, _ = with_app
    thief, _ = typed_password(app)
    mine.post("/me/password", data={"current_password": PASSWORD, "password": "encore une phrase"})
    assert "/sign-in" in answer(thief, code=codes_app.code()).headers["Location"]
    assert not is_in(thief)


def test_a_recovery_code_works_once_and_says_so(app, with_app, run_outbox, mailbox):
    _, _, codes = with_app
    run_outbox()
    before = len(mailbox())
    first, second = typed_password(app)[0], typed_password(app)[0]
    assert answer(first, recovery=codes[3].upper().replace("-", " ")).status_code == 303
    assert is_in(first)
    again = answer(second, recovery=codes[3])
    assert again.status_code == 422
    assert "il a déjà servi" in again.text
    assert not is_in(second)
    run_outbox()
    (told,) = mailbox()[before:]
    assert told["Subject"] == "Un code de secours a servi"
    assert "Il en reste 9" in told.get_body(("plain",)).get_content()


def test_of_sixteen_with_one_recovery_code_at_once_one_comes_in(app, anne, with_app):
    _, _, codes = with_app
    with app.app_context():
        halfway = devices.Halfway(anne.public_id, db.session.get_one(Person, anne.id).session_epoch, "password", False)
    outcomes, start = [], threading.Barrier(16)

    def come_in():
        with app.app_context():
            start.wait()
            try:
                second_step.finish(halfway, recovery=codes[0], browser=devices.Browser())
                outcomes.append("in")
            except DomainError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=come_in) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("in") == 1


def test_new_codes_end_the_old_ones(app, with_app):
    client, _, codes = with_app
    page = client.post("/me/recovery-codes")
    assert page.headers["Cache-Control"] == "no-store"
    fresh = re.findall(r"<code>([a-z2-9-]{14})</code>", page.text)
    assert not set(fresh) & set(codes)
    other, _ = typed_password(app)
    assert answer(other, recovery=codes[0]).status_code == 422
    assert answer(other, recovery=fresh[0]).status_code == 303


def test_somebody_elses_recovery_code_opens_nothing(app, with_app, clock):
    with app.app_context():
        make_person("Lise", "Vidal", "lise@demo.example")
    hers, _ = typed_password(app, "lise@demo.example")
    _, codes = set_up(hers)
    client, _ = typed_password(app)
    assert answer(client, recovery=codes[0]).status_code == 422
    assert not is_in(client)


# Nothing goes round it


def test_a_link_by_email_asks_for_it_too(app, with_app, anne):
    _, codes_app, _ = with_app
    with app.app_context():
        link = tokens.make_link(tokens.SIGN_IN, db.session.get_one(Person, anne.id))
    client = app.test_client()
    assert client.post(f"/sign-in/by-link/{link}").headers["Location"] == "/second-step"
    assert client.get_cookie("lieu_device") is None
    assert not is_in(client)
    assert answer(client, code=codes_app.code()).status_code == 303
    assert is_in(client)


def test_a_new_password_by_email_asks_for_it_too(app, with_app, anne):
    with app.app_context():
        link = tokens.make_link(tokens.RESET, db.session.get_one(Person, anne.id))
    client = app.test_client()
    assert client.post(f"/reset/{link}", data={"password": "encore une phrase"}).headers["Location"] == "/second-step"
    assert not is_in(client)


def test_without_password_or_link_there_is_no_second_step(app, with_app):
    _, codes_app, _ = with_app
    client = app.test_client()
    assert "/sign-in" in client.get("/second-step").headers["Location"]
    assert "/sign-in" in answer(client, code=codes_app.code()).headers["Location"]
    assert not is_in(client)


def test_a_forged_session_is_nobody(app, with_app):
    _, codes_app, _ = with_app
    client = app.test_client()
    client.set_cookie("lieu", "eyJoYWxmd2F5IjpbIngiLDAsInBhc3N3b3JkIixmYWxzZSw5OTk5OTk5OTk5LG51bGxdfQ.aaaa.bbbb")
    assert "/sign-in" in answer(client, code=codes_app.code()).headers["Location"]
    assert not is_in(client)


# Turning it off, and losing the phone


def test_turning_it_off_wants_a_proof_and_is_told(app, with_app, clock, run_outbox, mailbox):
    client, codes_app, _ = with_app
    clock.advance(minutes=11)
    assert "/me/proof" in client.post("/me/second-step/off").headers["Location"]
    assert typed_password(app)[1] == "/second-step"
    assert client.post("/me/proof", data={"code": codes_app.code()}).status_code == 303, "a code is a proof as well"
    assert client.post("/me/second-step/off").status_code == 303
    assert typed_password(app)[1] != "/second-step"
    run_outbox()
    assert [message["Subject"] for message in mailbox()] == [
        "La deuxième étape est active",
        "La deuxième étape est désactivée",
    ]
    with app.app_context():
        assert db.session.scalars(select(RecoveryCode.id)).all() == []


def test_a_manager_takes_it_away_with_an_email_and_a_trace(app, with_app, anne, cast, clock, run_outbox, mailbox):
    client, _, _ = with_app
    path = f"/people/{anne.public_id}/second-step/reset"
    host, _ = typed_password(app, "host@demo.example")
    assert host.post(path).status_code == 403
    manager, _ = typed_password(app, "manager@demo.example")
    assert "Le téléphone est perdu" in manager.get(f"/people/{anne.public_id}").text
    clock.advance(minutes=11)
    assert "/me/proof" in manager.post(path).headers["Location"]
    manager.post("/me/proof", data={"current_password": PASSWORD})
    assert manager.post(path).status_code == 303
    assert not is_in(client), "signed out everywhere"
    assert typed_password(app)[1] != "/second-step"
    run_outbox()
    assert [message["Subject"] for message in mailbox() if message["To"] == EMAIL][-1] == (
        "Votre deuxième étape a été retirée"
    )
    with app.app_context():
        (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.second_step_reset")).all()
        assert (entry.actor_id, entry.person_id) == (cast.manager.id, anne.id)


def test_nobody_takes_their_own_away_without_a_proof(app, cast):
    manager, _ = typed_password(app, "manager@demo.example")
    set_up(manager)
    assert manager.post(f"/people/{cast.manager.public_id}/second-step/reset").status_code == 403


def test_the_lone_manager_who_lost_the_phone_asks_the_server(app, with_app, run_outbox, mailbox):
    runner = app.test_cli_runner()
    done = runner.invoke(args=["reset-second-step", "Anne@demo.example"])
    assert done.exit_code == 0, done.output
    assert typed_password(app)[1] != "/second-step"
    assert runner.invoke(args=["reset-second-step", EMAIL]).exit_code == 1, "there is nothing left to take"
    run_outbox()
    assert mailbox()[-1]["Subject"] == "Votre deuxième étape a été retirée"


def test_without_the_keyring_recovery_codes_still_open(app, with_app):
    _, codes_app, codes = with_app
    key = app.extensions["settings"].data_dir / "keys" / "secrets.key"
    kept = key.read_bytes()
    key.unlink()
    try:
        client, _ = typed_password(app)
        assert answer(client, code=codes_app.code()).status_code == 422
        assert answer(client, recovery=codes[0]).status_code == 303
    finally:
        key.write_bytes(kept)


def test_the_old_address_takes_back_what_was_set_up_behind_its_back(app, anne, clock):
    """Somebody at an open computer: a new address, then a second step of theirs. The owner objects."""
    thief, _ = typed_password(app)
    thief.post("/me/email", data={"email": "thief@demo.example"})
    with app.app_context():
        from coworking.accounts.models import EmailChange

        change = db.session.scalars(select(EmailChange)).one()
        confirm = tokens.make_change_link(tokens.ADDRESS, change.public_id)
        keep = tokens.make_change_link(tokens.OBJECT, change.public_id)
    clock.advance(seconds=5)
    thief.post(f"/confirm-address/{confirm}")
    set_up(thief)
    owner = app.test_client()
    assert owner.post(f"/keep-address/{keep}").status_code == 303
    assert not is_in(thief)
    with app.app_context():
        assert db.session.scalars(select(Authenticator.person_id)).all() == []


# A new browser


def test_a_new_browser_is_told_of_and_a_known_one_is_not(app, anne, clock, run_outbox, mailbox):
    clock.advance(days=2)
    client, _ = typed_password(app)
    run_outbox()
    (told,) = mailbox()
    assert told["Subject"] == "Une connexion depuis un nouveau navigateur"
    assert "Firefox sur Linux" in told.get_body(("plain",)).get_content()
    client.post("/sign-out")
    client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    run_outbox()
    assert len(mailbox()) == 1


def test_on_the_day_on_which_the_account_is_made_nothing_is_said(app, anne, run_outbox, mailbox):
    typed_password(app)
    run_outbox()
    assert mailbox() == []


# The team


@pytest.fixture
def team_asked(app, place, cast, clock):
    """The manager has a second step and asks the team for one, in a week."""
    manager, _ = typed_password(app, "manager@demo.example")
    assert manager.post("/people/second-step", data={"days": "7"}).status_code == 409, "first their own"
    codes_app, _ = set_up(manager)
    assert manager.post("/people/second-step", data={"days": "7"}).status_code == 303
    return manager, codes_app


def test_only_managers_decide_for_the_team(app, cast):
    for email in ("host@demo.example", "member@demo.example", "accountant@demo.example"):
        client, _ = typed_password(app, email)
        assert client.get("/people/second-step").status_code == 403
        assert client.post("/people/second-step", data={"days": "7"}).status_code == 403


def test_who_has_none_yet_is_told_and_has_until_then(app, team_asked, run_outbox, mailbox, clock):
    run_outbox()
    told = {message["To"]: message["Subject"] for message in mailbox()}
    wanted = "Installez une deuxième étape avant le mardi 1er décembre 2026"
    assert {to for to, subject in told.items() if subject == wanted} == {
        f"{name}@demo.example" for name in ("host", "accountant", "lead")
    }
    host, _ = typed_password(app, "host@demo.example")
    assert host.get("/people").status_code == 200
    assert "À partir du mardi 1er décembre 2026" in host.get("/me/security").text


def test_afterwards_nothing_opens_before_it_is_set_up(app, team_asked, cast, clock):
    clock.advance(days=7)
    host, _ = typed_password(app, "host@demo.example")
    for path in ("/people", "/me", "/me/security", f"/people/{cast.member.public_id}"):
        assert host.get(path).headers["Location"].startswith("/second-step"), path
    assert host.post("/me/tokens", data={"name": "x", "scopes": "lieu:read", "days": "3"}).status_code == 303
    partial = host.get("/people", headers={"HX-Request": "true"})
    assert (partial.status_code, partial.headers["HX-Redirect"]) == (204, "/second-step")
    assert "Installer votre deuxième étape" in host.get("/second-step?next=/people").text
    set_up(host)
    assert host.get("/people").status_code == 200
    refused = host.post("/me/second-step/off", follow_redirects=True)
    assert "la vôtre reste active" in refused.text
    _, leads_to = typed_password(app, "host@demo.example")
    assert leads_to == "/second-step"
    member, _ = typed_password(app, "member@demo.example")
    assert is_in(member), "members go on as before"
    assert member.get("/second-step").status_code == 302, "nothing is asked of them"


def test_a_browser_that_came_in_by_a_password_alone_is_asked_for_a_code(app, team_asked, clock):
    """Two browsers of the host were open; the second step was set up in one of them."""
    clock.advance(days=7)
    first, _ = typed_password(app, "host@demo.example")
    second, _ = typed_password(app, "host@demo.example")
    codes_app, _ = set_up(first)
    clock.advance(seconds=30)
    assert second.get("/people").headers["Location"] == "/second-step?next=/people"
    assert "six chiffres" in second.get("/second-step?next=/people").text
    assert second.post("/me/proof", data={"current_password": PASSWORD}).status_code == 303
    assert second.get("/people").status_code == 303, "a password is one step"
    assert answer(second, code=codes_app.code(), next="/people").headers["Location"] == "/people"
    assert second.get("/people").status_code == 200


def test_a_token_of_the_team_opens_nothing_without_it(app, team_asked, cast, clock):
    with app.app_context():
        made = {
            name: api_tokens.issue(
                getattr(cast, name).actor(), name="t", scopes=frozenset({"people:read", "lieu:read"})
            )
            for name in ("host", "manager", "member")
        }

    def ask(name, path):
        return app.test_client().get(path, headers={"Authorization": f"Bearer {made[name]}"})

    assert ask("host", "/api/v1/people").status_code == 200
    clock.advance(days=7)
    refused = ask("host", "/api/v1/people")
    assert (refused.status_code, refused.json["code"]) == (403, "second_step_needed")
    assert ask("manager", "/api/v1/people").status_code == 200
    assert ask("member", "/api/v1/lieu").status_code == 200
    host, _ = typed_password(app, "host@demo.example")
    set_up(host)
    assert ask("host", "/api/v1/people").status_code == 200


def test_it_is_left_to_each_again(app, team_asked, clock):
    _, codes_app = team_asked
    clock.advance(days=7)
    again, _ = typed_password(app, "manager@demo.example")
    answer(again, code=codes_app.code())
    assert again.post("/people/second-step", data={"off": "1"}).status_code == 303
    host, _ = typed_password(app, "host@demo.example")
    assert host.get("/people").status_code == 200
    with app.app_context():
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.action == "staff_access.changed")).all()
    assert len(actions) == 2


def test_asking_costs_a_page_no_statement(app, team_asked, clock, count_statements):
    host, _ = typed_password(app, "host@demo.example")
    with count_statements() as before:
        host.get("/me/security")
    clock.advance(days=7)
    late, _ = typed_password(app, "host@demo.example")
    set_up(late)
    with count_statements() as after:
        late.get("/me/security")
    assert len(after) <= len(before)


def test_a_first_password_wants_a_proof(app, anne, clock):
    with app.app_context():
        from coworking.core.units import write_unit

        with write_unit():
            db.session.get_one(Person, anne.id).password_hash = None
        link = tokens.make_link(tokens.SIGN_IN, db.session.get_one(Person, anne.id))
    client = app.test_client()
    client.post(f"/sign-in/by-link/{link}")
    clock.advance(minutes=11)
    assert "/me/proof" in client.post("/me/password", data={"password": "encore une phrase"}).headers["Location"]
    assert "/sign-in/link" in client.get("/me/proof").text
    with app.app_context():
        link = tokens.make_link(tokens.SIGN_IN, db.session.get_one(Person, anne.id))
    client.post(f"/sign-in/by-link/{link}")
    assert client.post("/me/password", data={"password": "encore une phrase"}).status_code == 303
    assert client.post("/me/password", data={"password": "une autre phrase"}).status_code == 422, "now it is asked for"


def test_the_tests_app_is_one(app, anne):
    """Ours reads what real ones read: the address of the QR code."""
    with app.app_context():
        address = totp_rules.app_address("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", email=EMAIL, place="P")
        assert CodesApp(address).code() == totp_rules.code_at(
            b"12345678901234567890", totp_rules.step_of(now() + timedelta(0))
        )
