"""What opens doors leaves a trace that managers can read, for three months, without names in the log file."""

from __future__ import annotations

import logging
import re

import pytest
from sqlalchemy import select

from coworking.accounts import api_tokens, email_changes, staff
from coworking.core import retention, security
from coworking.core.db import db
from coworking.core.policy import Role
from tests.factories import PASSWORD, actor

NEW = "encore une phrase"


def events(app):
    with app.app_context():
        rows = db.session.scalars(select(security.SecurityEvent).order_by(security.SecurityEvent.id))
        return [(row.kind, row.person_id, row.actor_id) for row in rows]


def kinds(app):
    return [kind for kind, _person, _actor in events(app)]


def test_sign_ins_and_failures_are_logged(app, cast, place, client):
    member = cast.member
    for _ in range(5):
        client.post("/sign-in", data={"email": member.email, "password": "wrong password"})
    assert kinds(app) == ["sign_in_failed"] * 4 + ["wait", "sign_in_failed"]
    known = app.test_client()
    known.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    known.post("/sign-in", data={"email": member.email, "password": PASSWORD})
    known.post("/me/password", data={"current_password": PASSWORD, "password": NEW})
    known.get("/people")
    known.post("/sign-out")
    assert events(app)[6:] == [
        ("signed_in", member.id, None),
        ("password_set", member.id, None),
        ("refused", member.id, member.id),
        ("signed_out", member.id, member.id),
    ]


def test_tokens_roles_resets_and_addresses_are_logged(app, cast, place, client):
    with app.app_context():
        api_tokens.issue(actor(cast.member), name="badge", scopes=frozenset({"lieu:read"}))
        staff.set_roles(actor(cast.manager), cast.member.public_id, frozenset({Role.HOST}))
        email_changes.ask(actor(cast.member), email="am@demo.example", address=None)
        email_changes.withdraw(actor(cast.member))
        staff.deactivate(actor(cast.manager), cast.stranger.public_id)
    client.post("/forgotten", data={"email": cast.member.email})
    assert events(app) == [
        ("token_made", cast.member.id, cast.member.id),
        ("roles_changed", cast.member.id, cast.manager.id),
        ("email_change_asked", cast.member.id, cast.member.id),
        ("account_closed", cast.stranger.id, cast.manager.id),
        ("reset_asked", cast.member.id, None),
    ]


def test_lines_hold_ids_and_a_shortened_address_and_nothing_personal(app, cast, place, client, caplog):
    client.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    with caplog.at_level(logging.INFO, "coworking.security"):
        client.post("/sign-in", data={"email": cast.member.email, "password": PASSWORD})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "coworking.security"]
    assert (
        line
        == f"signed_in person={cast.member.id} actor=- address=192.0.2.0/24 remembered=False by=password strong=False"
    )


def test_the_same_refusal_again_and_again_fills_nothing(app, cast, place, sign_in, clock):
    browser = sign_in(cast.member)
    before = len(events(app))
    for _ in range(5):
        browser.get("/people")
    clock.advance(minutes=1)
    browser.get("/people")
    assert kinds(app)[before:] == ["refused"] * 2


def test_a_refused_token_is_logged(app, cast, place):
    with app.app_context():
        token = api_tokens.issue(actor(cast.member), name="badge", scopes=frozenset({"lieu:read"}))
    answer = app.test_client().get("/api/v1/bookings", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert kinds(app)[-1] == "refused"


def _told(page):
    return [words.strip() for words in re.findall(r'<span class="what">([^<]+)', page)]


def test_only_managers_read_it(app, cast, place, sign_in, count_statements):
    for who in ("member", "host", "accountant", "lead"):
        assert sign_in(getattr(cast, who)).get("/security-log").status_code == 403
    manager = sign_in(cast.manager)
    with count_statements() as seen:
        page = manager.get("/security-log").text
    assert "Anne Marchand" in page
    assert "Refusé\u202f: le rôle ne le permet pas" in _told(page)
    assert len([text for text in seen if "security_event" in text]) == 1
    assert set(_told(manager.get("/security-log?kind=signed_in").text)) == {"Connexion"}
    assert "/security-log" in manager.get("/people").text
    assert "/security-log" not in sign_in(cast.host).get("/people").text


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=" + "9" * 40, "kind=nonsense", "before="])
def test_nonsense_shows_the_log(cast, place, sign_in, query):
    assert sign_in(cast.manager).get(f"/security-log?{query}").status_code == 200


def test_it_is_read_page_by_page(app, cast, place, sign_in):
    with app.app_context():
        for _ in range(security.PAGE + 5):
            security.note(security.RESET_ASKED, person_id=cast.member.id)
        first = security.page(kind=security.RESET_ASKED)
        assert len(first.events) == security.PAGE
        second = security.page(first.before, security.RESET_ASKED)
    assert (len(second.events), second.before) == (5, None)


def test_it_is_kept_for_three_months(app, cast, clock):
    with app.app_context():
        security.note(security.RESET_ASKED, person_id=cast.member.id)
    clock.advance(days=92)
    with app.app_context():
        assert retention.purge("security_log") == 0
    clock.advance(seconds=1)
    with app.app_context():
        assert retention.purge("security_log") == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        (None, None),
        ("nonsense", None),
    ],
)
def test_an_address_is_shortened_to_its_network(address, network):
    assert security.shortened(address) == network
