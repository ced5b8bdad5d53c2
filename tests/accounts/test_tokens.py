"""Bearer tokens open the API and nothing else; cookies open pages and nothing else."""

from __future__ import annotations

import re

import pytest
from flask import g
from sqlalchemy import select

from coworking.accounts import api_tokens, devices, rules, staff
from coworking.accounts.models import ApiToken, Person
from coworking.accounts.rules import AddressUnconfirmed, TokenDaysWrong
from coworking.accounts.tokens import RESET, make_link
from coworking.core.db import db
from coworking.core.policy import Role, actor_or_none, policy_of
from tests.factories import actor, make_person


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
    device = f"lieu_device={browser.get_cookie('lieu_device').value}"
    assert _who(app, "/me", None, cookies=[device])[0] == cast.member.id
    assert _who(app, "/api/v1/bookings", None, cookies=[device]) == (None, None)
    assert _who(app, "/api/v1/bookings", token, cookies=[device])[0] == cast.member.id


def test_only_its_digest_is_kept(app, token):
    with app.app_context():
        row = db.session.scalars(select(ApiToken)).one()
    assert token.startswith("lieu_")
    assert len(token) > 40
    assert token not in row.digest
    assert re.fullmatch(r"[0-9a-f]{64}", row.digest)


def test_a_revoked_token_is_refused_and_only_ones_own_can_be_revoked(app, cast, place, sign_in, token):
    with app.app_context():
        public_id = db.session.scalars(select(ApiToken.public_id)).one()
    path = f"/me/tokens/{public_id}/revoke"
    for other in (cast.stranger, cast.manager):
        assert sign_in(other).post(path).status_code == 404
    assert _who(app, "/api/v1/bookings", token)[0] == cast.member.id
    for _ in range(2):
        assert sign_in(cast.member).post(path).status_code == 303
    assert _who(app, "/api/v1/bookings", token) == (None, None)


def _tokens(app, person):
    with app.app_context():
        return api_tokens.issue(actor(person), name="badge", scopes=frozenset({"bookings:read"}))


def test_signing_other_devices_out_leaves_programs_alone(app, cast, token):
    with app.app_context():
        devices.end_others(actor(cast.member), None)
    assert _who(app, "/api/v1/bookings", token)[0] == cast.member.id


def test_a_closed_account_has_no_tokens_and_neither_has_one_opened_again(app, cast, token):
    with app.app_context():
        staff.deactivate(actor(cast.host), cast.member.public_id)
    assert _who(app, "/api/v1/bookings", token) == (None, None)
    with app.app_context():
        staff.reactivate(actor(cast.host), cast.member.public_id)
    assert _who(app, "/api/v1/bookings", token) == (None, None)


def test_a_password_chosen_by_mail_ends_every_token(app, cast, place, client, token):
    with app.app_context():
        link = make_link(RESET, db.session.get(Person, cast.member.id))
    assert client.post(f"/reset/{link}", data={"password": "encore une phrase"}).status_code == 303
    assert _who(app, "/api/v1/bookings", token) == (None, None)


def test_a_token_ends_at_its_own_date(app, cast, place, clock, sign_in):
    with app.app_context():
        token = api_tokens.issue(actor(cast.member), name="badge", scopes=frozenset({"bookings:read"}), days=30)
    clock.advance(days=29, hours=23)
    assert _who(app, "/api/v1/bookings", token)[0] == cast.member.id
    assert "24 décembre 2026" in sign_in(cast.member).get("/me/security").text
    clock.advance(hours=1)
    assert _who(app, "/api/v1/bookings", token) == (None, None)


@pytest.mark.parametrize("days", [0, -1, 731])
def test_no_token_lasts_for_ever(app, cast, days):
    with app.app_context(), pytest.raises(TokenDaysWrong):
        api_tokens.issue(actor(cast.member), name="badge", scopes=frozenset({"lieu:read"}), days=days)


@pytest.mark.parametrize("days", ["", "731", "0", "soon", "9" * 400])
def test_a_wrong_number_of_days_is_said_at_its_field(app, cast, place, sign_in, days):
    answer = sign_in(cast.member).post("/me/tokens", data={"name": "b", "scopes": ["lieu:read"], "days": days})
    assert answer.status_code == 422
    assert "de 1 à 730" in answer.text


def test_no_token_before_the_address_is_confirmed(app, place):
    with app.app_context():
        person = make_person("Luc", "Moreau", "luc@demo.example", email_confirmed_at=None)
        with pytest.raises(AddressUnconfirmed):
            api_tokens.issue(actor(person), name="badge", scopes=frozenset({"lieu:read"}))
    assert _run(app, "token", "luc@demo.example").exit_code == 1


def _roles(app, token):
    with app.test_request_context("/api/v1/people", headers={"Authorization": f"Bearer {token}"}):
        found = actor_or_none()
        return {role for role in Role if found.has(role)}


def test_a_token_gains_nothing_when_its_owner_is_promoted(app, cast, token):
    with app.app_context():
        staff.set_roles(actor(cast.manager), cast.member.public_id, frozenset({Role.MANAGER, Role.LEAD}))
    assert _roles(app, token) == {Role.MEMBER}
    assert Role.MANAGER in _roles(app, _tokens(app, cast.member)), "a new one has what its owner has by now"


def test_a_token_loses_what_its_owner_loses(app, cast):
    token = _tokens(app, cast.manager)
    assert _roles(app, token) == {Role.MEMBER, Role.HOST, Role.MANAGER, Role.ACCOUNTANT}
    with app.app_context():
        staff.set_roles(actor(cast.manager), cast.stranger.public_id, frozenset({Role.MANAGER}))
        staff.set_roles(actor(cast.manager), cast.manager.public_id, frozenset({Role.HOST}))
    assert _roles(app, token) == {Role.MEMBER, Role.HOST}


def test_its_last_use_is_noted_and_shown(app, cast, place, clock, sign_in, token):
    page = sign_in(cast.member).get("/me/security").text
    assert "jamais utilisé" in page
    headers = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/bookings", headers=headers).status_code == 422
    with app.app_context():
        assert db.session.scalars(select(ApiToken.last_used_at)).one() == clock.now


def test_the_token_is_shown_once(app, cast, place, sign_in):
    browser = sign_in(cast.member)
    answer = browser.post("/me/tokens", data={"name": "badge", "scopes": ["bookings:read", "lieu:read"], "days": "365"})
    text = re.search(r"lieu_[\w-]{40,}", answer.text)[0]
    assert answer.headers["Cache-Control"] == "no-store"
    assert _who(app, "/api/v1/bookings", text) == (cast.member.id, frozenset({"bookings:read", "lieu:read"}))
    page = browser.get("/me/security").text
    assert "badge" in page
    assert text not in page


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"name": "", "scopes": []}]
)
def test_a_token_without_name_or_with_unknown_scopes_is_refused(app, cast, place, sign_in, wrong):
    data = {"name": "badge", "scopes": ["lieu:read"], "days": "365"} | wrong
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


def test_no_forged_cookie_is_anybody(app, cast):
    for forged in ("", ".", cast.member.public_id, "x" * 43, "x" * 5000):
        with app.test_request_context("/me", headers={"Cookie": f"lieu_device={forged}"}):
            assert actor_or_none() is None


def test_a_member_is_offered_no_scope_that_serves_staff_only(place, cast, sign_in):
    def offered(person) -> set[str]:
        page = sign_in(person).get("/me/security").get_data(as_text=True)
        boxes = re.findall(r'<input type="checkbox"[^>]*name="scopes"[^>]*>', page)
        return {scope for scope in rules.SCOPES if any(f'value="{scope}"' in box for box in boxes)}

    assert offered(cast.member) == set(rules.SCOPES) - set(rules.STAFF_SCOPES)
    assert "people:read" in offered(cast.host)
    assert "statistics:read" in offered(cast.manager)


def test_scopes_of_staff_are_those_of_endpoints_for_staff(app):
    found: dict[str, list[frozenset[Role]]] = {}
    for endpoint in app.view_functions:
        policy = policy_of(app, endpoint)
        if policy is not None and policy.scope is not None:
            found.setdefault(policy.scope, []).append(policy.roles or frozenset())
    for_staff = {scope: frozenset().union(*roles) for scope, roles in found.items() if all(roles)}
    assert for_staff == rules.STAFF_SCOPES
