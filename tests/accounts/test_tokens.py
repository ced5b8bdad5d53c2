"""Bearer tokens open the API and nothing else; cookies open pages and nothing else."""

from __future__ import annotations

import re

import pytest
from flask import g
from flask_login import current_user
from sqlalchemy import select

from coworking.accounts import api_tokens, services, staff
from coworking.accounts.models import ApiToken, Person
from coworking.core.db import db
from coworking.core.policy import actor_or_none
from tests.factories import actor


@pytest.fixture
def token(app, cast):
    with app.app_context():
        return api_tokens.issue(actor(cast.member), name="badge", scopes=frozenset({"bookings:read"}))


def _who(app, path, token, scheme="Bearer", cookies=()):
    headers = {"Authorization": f"{scheme} {token}"} if token else {}
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    with app.test_request_context(path, headers=headers):
        found = actor_or_none()
        return (found.person_id if found else None), g.get("token_scopes")


def test_a_token_acts_for_its_owner_under_the_api_only(app, cast, place, token):
    assert _who(app, "/api/v1/bookings", token) == (cast.member.id, frozenset({"bookings:read"}))
    assert _who(app, "/api/v1/bookings", token, "bearer")[0] == cast.member.id
    assert _who(app, "/me", token) == (None, None)
    assert _who(app, "/apiary", token) == (None, None)
    assert _who(app, "/api/v1/bookings", token, "Basic") == (None, None)
    for wrong in ("", "x", "lieu_", token[:-1], token[5:], token + "x"):
        assert _who(app, "/api/v1/bookings", wrong) == (None, None)


def test_cookies_do_not_open_the_api(app, cast, token, place):
    """Otherwise any page the browser visits could act there: the API asks for no CSRF token."""
    browser = app.test_client()
    data = {"email": cast.member.email, "password": "atelier-du-pont", "remember": "1"}
    assert browser.post("/sign-in", data=data).status_code == 303
    session = f"lieu={browser.get_cookie('lieu').value}"
    remembered = f"lieu_phone={browser.get_cookie('lieu_phone').value}"
    assert _who(app, "/me", None, cookies=[session])[0] == cast.member.id
    assert _who(app, "/me", None, cookies=[remembered])[0] == cast.member.id
    for cookies in ([session], [remembered], [session, remembered]):
        assert _who(app, "/api/v1/bookings", None, cookies=cookies) == (None, None)
        assert _who(app, "/api/v1/bookings", token, cookies=cookies)[0] == cast.member.id


def test_only_its_digest_is_kept(app, token):
    with app.app_context():
        row = db.session.scalars(select(ApiToken)).one()
    assert token.startswith("lieu_")
    assert len(token) > 40
    assert token not in row.digest
    assert re.fullmatch(r"[0-9a-f]{64}", row.digest)


def test_a_revoked_token_is_dead_and_nobody_elses_can_be_revoked(app, cast, place, sign_in, token):
    with app.app_context():
        public_id = db.session.scalars(select(ApiToken.public_id)).one()
    path = f"/me/tokens/{public_id}/revoke"
    for other in (cast.stranger, cast.manager):
        assert sign_in(other).post(path).status_code == 404
    assert _who(app, "/api/v1/bookings", token)[0] == cast.member.id
    for _ in range(2):
        assert sign_in(cast.member).post(path).status_code == 303
    assert _who(app, "/api/v1/bookings", token) == (None, None)


def test_a_closed_account_has_no_tokens_but_signing_out_leaves_programs_alone(app, cast, token):
    with app.app_context():
        services.sign_out_everywhere(actor(cast.member))
    assert _who(app, "/api/v1/bookings", token)[0] == cast.member.id
    with app.app_context():
        staff.deactivate(actor(cast.host), cast.member.public_id)
    assert _who(app, "/api/v1/bookings", token) == (None, None)


def test_the_token_is_shown_once(app, cast, place, sign_in):
    browser = sign_in(cast.member)
    answer = browser.post("/me/tokens", data={"name": "badge", "scopes": ["bookings:read", "lieu:read"]})
    text = re.search(r"lieu_[\w-]{40,}", answer.text)[0]
    assert answer.headers["Cache-Control"] == "no-store"
    assert _who(app, "/api/v1/bookings", text) == (cast.member.id, frozenset({"bookings:read", "lieu:read"}))
    page = browser.get("/me").text
    assert "badge" in page
    assert text not in page


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"name": "", "scopes": []}]
)
def test_a_token_without_name_or_with_unknown_scopes_is_refused(app, cast, place, sign_in, wrong):
    data = {"name": "badge", "scopes": ["lieu:read"]} | wrong
    answer = sign_in(cast.member).post("/me/tokens", data=data)
    assert answer.status_code == 422
    assert 'class="err"' in answer.text
    with app.app_context():
        assert db.session.scalars(select(ApiToken)).all() == []


# The command line


def _run(app, *arguments):
    return app.test_cli_runner().invoke(args=arguments)


def test_the_token_command_prints_the_token_alone(app, cast, place):
    done = _run(app, "token", "HOST@demo.example", "--scopes", "bookings:read,people:read")
    assert done.exit_code == 0, done.output
    assert _who(app, "/api/v1/x", done.output.strip())[1] == {"bookings:read", "people:read"}
    assert done.output.count("\n") == 1
    everything = _run(app, "token", "host@demo.example").output.strip()
    assert "bookings:write" in _who(app, "/api/v1/x", everything)[1]


def test_the_token_command_says_what_is_wrong(app, cast):
    for arguments in (("nobody@demo.example",), ("host@demo.example", "--scopes", "everything")):
        done = _run(app, "token", *arguments)
        assert done.exit_code == 1
        assert done.output.startswith("Error: ")


def test_create_manager_prints_a_link_to_choose_a_password(app, client, place):
    done = _run(app, "create-manager", "Sam@Demo.Example", "--first-name", "Sam", "--last-name", "Petit")
    assert done.exit_code == 0, done.output
    link = re.fullmatch(r"http://lieu\.test(/reset/\S+)\n", done.output)[1]
    assert client.post(link, data={"password": "une phrase courte"}).status_code == 303
    with app.app_context():
        sam = db.session.scalars(select(Person)).unique().one()
    assert (sam.name, sam.email) == ("Sam Petit", "sam@demo.example")
    assert actor(sam).is_staff
    assert client.get("/people").status_code == 200


def test_create_manager_promotes_someone_known_and_refuses_what_is_no_address(app, cast):
    assert _run(app, "create-manager", "member@demo.example").exit_code == 0
    with app.app_context():
        assert actor(db.session.get(Person, cast.member.id)).is_staff
    refused = _run(app, "create-manager", "not an address")
    assert refused.exit_code == 1
    assert "e-mail address" in refused.output


def test_the_loader_knows_no_one_by_a_forged_id(app, cast):
    with app.test_request_context("/me"):
        from coworking.accounts.session import from_cookie

        assert from_cookie(cast.member.get_id()).id == cast.member.id
        for forged in ("", ".", cast.member.public_id, f"{cast.member.public_id}.1", f"{cast.member.public_id}.x"):
            assert from_cookie(forged) is None
        assert not current_user.is_authenticated
