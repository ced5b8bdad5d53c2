"""Getting into a network: one link, one lieu, its own key."""

from __future__ import annotations

import json
import threading

import pytest
from flask import Flask, Response, redirect
from sqlalchemy import select

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Gone
from coworking.core.keyring import signing_key
from coworking.network.exchange import protocol
from coworking.network.exchange.rules import NetworkLoop
from coworking.network.head import enrolment
from coworking.network.head.models import Enrolment, NetworkLieu
from coworking.network.lieu import joining, posting
from coworking.network.lieu.models import HeadLink
from tests.network.conftest import lieu_id
from tests.support.live import Live
from tests.support.redis import free_port


def request_of(app, token: str, **changes) -> str:
    """What the lieu of ``app`` would send to the link of ``token``."""
    with app.app_context():
        key = signing_key()
        payload = {
            "lieu_id": lieu_id(app),
            "name": "La Fabrique du Pont",
            "siret": None,
            "code_insee": "63430",
            "jwk": protocol.jwk(key.public),
            "aud": protocol.token_digest(token),
            "iat": 1_796_115_600,
        }
        return protocol.sign(payload | changes, protocol.JOIN, key)


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


def post(head, token: str, body: str | bytes):
    answer = head.app.test_client().post(f"/network/join/{token}", data=body, content_type="application/jose")
    return answer.status_code, answer.get_json()


def test_a_lieu_gets_in_with_its_own_key(here, head):
    lieu = head.add(siret="12345678900011")
    link = here.join(head.link(lieu))
    assert (link.name, link.head_id, link.way) == ("Fabrique de territoire Livradois", head.lieu_id, "software")
    assert link.url == f"{head.url}/api/v1/network/returns"
    (row,) = head.rows(NetworkLieu)
    with here.app.app_context():
        key = signing_key()
        assert (row.key_id, protocol.decode_key(row.public_key)) == (key.key_id, key.public)
    assert (row.lieu_uuid, row.way, row.siret) == (lieu_id(here.app), "software", "12345678900011")
    assert row.expected_from.isoformat() == "2026-12-01"
    (entry,) = head.rows(Enrolment)
    assert entry.used_at is not None
    assert entry.public_key == row.public_key
    with here.app.app_context():
        assert "network.joined" in db.session.scalars(select(AuditEntry.action)).all()


def test_only_the_digest_of_a_link_is_kept(here, head):
    token = token_of(head.link(head.add()))
    (entry,) = head.rows(Enrolment)
    assert token not in str(vars(entry))
    assert entry.digest == protocol.token_digest(token)


def test_a_link_works_once_but_a_lost_answer_may_be_asked_for_again(here, head):
    token = token_of(head.link(head.add()))
    first = post(head, token, request_of(here.app, token))
    assert first[0] == 200
    assert post(head, token, request_of(here.app, token)) == first
    status, problem = post(head, token, request_of(here.app, token, lieu_id="11111111-2222-4333-8444-555555555555"))
    assert (status, problem["code"]) == (410, "gone")


def test_links_end(here, head, clock):
    lieu = head.add()
    old, new = head.link(lieu), head.link(lieu)
    assert post(head, token_of(old), request_of(here.app, token_of(old)))[0] == 410  # a newer one took its place
    with head.app.app_context():
        enrolment.revoke(head.lead.actor(), lieu, enrolment.JOIN)
    assert post(head, token_of(new), request_of(here.app, token_of(new)))[0] == 410
    late = token_of(head.link(lieu))
    clock.advance(days=31)
    assert post(head, late, request_of(here.app, late))[0] == 410
    figures = head.add("Atelier des Bois")
    with head.app.app_context():
        token = enrolment.invite(head.lead.actor(), figures, enrolment.FIGURES)
        assert enrolment.opened(token, enrolment.FIGURES)[1].public_id == figures
        with pytest.raises(Gone):
            enrolment.opened(token, enrolment.JOIN)
    assert post(head, token, request_of(here.app, token))[0] == 410


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"aud": "0" * 64}, 400, "jws_unreadable"),
        ({"iat": 1_796_115_600 - 3 * 86_400}, 400, "jws_unreadable"),
        ({"iat": True}, 400, "jws_unreadable"),
        ({"name": "a\nb"}, 400, "jws_unreadable"),
        ({"name": None}, 400, "jws_unreadable"),
        ({"siret": "1"}, 400, "jws_unreadable"),
        ({"lieu_id": "x"}, 400, "jws_unreadable"),
        ({"lieu_id": 3}, 400, "jws_unreadable"),
        ({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}}, 401, "signature_invalid"),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, 400, "jws_unreadable"),
        ({"jwk": None}, 400, "jws_unreadable"),
        ({"more": 1}, 400, "jws_unreadable"),
    ],
)
def test_a_request_must_prove_its_key_and_say_what_is_wanted(here, head, changes, status, code):
    token = token_of(head.link(head.add()))
    answered, problem = post(head, token, request_of(here.app, token, **changes))
    assert (answered, problem["code"]) == (status, code)
    assert head.rows(NetworkLieu)[0].public_key is None
    assert post(head, token, request_of(here.app, token))[0] == 200  # the link was not used up


def test_bodies_without_end_and_unknown_links(here, head):
    token = token_of(head.link(head.add()))
    assert post(head, token, b"a" * (3 * 1024 * 1024))[0] == 413
    assert post(head, token, b"a" * 20_000)[0] == 413
    assert post(head, token, b"")[0] == 400
    assert {post(head, "x" * 43, request_of(here.app, "x" * 43))[0] for _ in range(33)} == {410, 429}
    assert head.app.test_client().get(f"/network/join/{'x' * 43}").status_code == 410
    page = head.app.test_client().get(f"/network/join/{token}")
    assert page.status_code == 200
    assert token in page.get_data(as_text=True)


def test_a_used_link_no_longer_says_that_it_works_once(here, head):
    token = token_of(head.link(head.add()))
    browser = head.app.test_client()
    assert "une fois" in browser.get(f"/network/join/{token}", headers={"Accept-Language": "fr"}).text
    assert post(head, token, request_of(here.app, token))[0] == 200
    page = browser.get(f"/network/join/{token}", headers={"Accept-Language": "fr"}).text
    assert "Ce lien a servi le 1 décembre 2026" in page.replace("1er", "1").replace("\u00a0", " ")
    assert "une fois" not in page and token not in page


def test_one_lieu_is_one_member(here, head):
    here.join(head.link(head.add()))
    with pytest.raises(joining.HeadRefused, match="head_refused"):
        here.join(head.link(head.add("Le même, autrement")))
    assert [row.public_key is not None for row in head.rows(NetworkLieu)] == [True, False]


def test_a_head_is_no_member_of_itself(head):
    url = head.link(head.add())
    with head.app.app_context(), pytest.raises((NetworkLoop, joining.HeadRefused)):
        joining.join(head.lead.actor(), url)
    assert head.rows(NetworkLieu)[0].public_key is None


def test_joining_again_renews_and_a_new_key_takes_the_place_of_the_old(here, head):
    lieu = head.add()
    here.join(head.link(lieu))
    here.join(head.link(lieu))
    assert len(here.rows(HeadLink, HeadLink.id)) == 1
    assert len(head.rows(NetworkLieu)) == 1


def test_two_at_once_with_one_link_are_one(here, head):
    token = token_of(head.link(head.add()))
    bodies = [request_of(here.app, token), request_of(head.app, token, lieu_id="11111111-2222-4333-8444-555555555555")]
    seen: list[int] = []
    threads = [threading.Thread(target=lambda b=body: seen.append(post(head, token, b)[0])) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [200, 410]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rien",
        "ftp://head.example/network/join/" + "a" * 43,
        "https://head.example/join/" + "a" * 43,
        "https://head.example/network/join/",
        "https://user@head.example/network/join/" + "a" * 43,
        "https:///network/join/" + "a" * 43,
        "https://head.example:99999/network/join/" + "a" * 43,
        "https://[head/network/join/" + "a" * 43,
        "https://head.example/network/join/é" + "a" * 43,
    ],
)
def test_a_link_that_is_none_is_named(here, url):
    with pytest.raises(joining.LinkUnreadable):
        here.join(url)
    assert here.rows(HeadLink, HeadLink.id) == []


@pytest.fixture
def impostor():
    """Something at an address that is no head; ``answer`` is what it says."""
    app = Flask("impostor")
    app.answer = Response("{}")  # type: ignore[attr-defined] - told by the test
    app.add_url_rule("/<path:path>", view_func=lambda path: app.answer, methods=["GET", "POST"])  # type: ignore[attr-defined]
    live = Live(app, free_port()).start()
    yield live
    live.stop()


def test_what_is_no_head_is_not_believed(here, impostor):
    url = f"{impostor.url}/network/join/{'a' * 43}"
    good = {
        "head_id": "11111111-2222-4333-8444-555555555555",
        "name": "Tête",
        "jwk": protocol.jwk(b"\x01" * 32),
        "returns_url": f"{impostor.url}/api/v1/network/returns",
    }
    for answer in (
        Response("<html>", mimetype="text/html"),
        Response("[]"),
        Response(json.dumps(good | {"head_id": "x"})),
        Response(json.dumps(good | {"jwk": {}})),
        Response(json.dumps(good | {"returns_url": "https://elsewhere.example/api/v1/network/returns"})),
        Response(json.dumps(good | {"name": "a\nb"})),
        Response("[" * 60_000),
    ):
        impostor.app.answer = answer
        with pytest.raises(joining.HeadUnclear):
            here.join(url)
    for answer in (Response("x" * 200_000), Response("", 503)):
        impostor.app.answer = answer
        with pytest.raises(joining.HeadUnreachable):
            here.join(url)
    impostor.app.answer = redirect("http://127.0.0.1:1/")
    with pytest.raises(joining.HeadUnclear):  # not followed
        here.join(url)
    impostor.stop()
    with pytest.raises(joining.HeadUnreachable):
        here.join(url)
    assert here.rows(HeadLink, HeadLink.id) == []


def test_an_answer_that_drips_is_given_up(here, impostor, monkeypatch):
    monkeypatch.setattr(posting, "WHOLE_S", 0.2)
    impostor.app.answer = Response(iter(lambda: b"x", b""))
    with pytest.raises(joining.HeadUnreachable):
        here.join(f"{impostor.url}/network/join/{'a' * 43}")


def test_the_manager_does_it_on_one_page(here, head, sign_in):
    manager = sign_in(here.cast.manager)
    page = manager.get("/settings/network").get_data(as_text=True)
    assert "Rejoindre un réseau" in page
    refused = manager.post("/settings/network/join", data={"url": "rien"})
    assert refused.status_code == 422
    assert 'value="rien"' in refused.get_data(as_text=True)
    done = manager.post("/settings/network/join", data={"url": f" {head.link(head.add())} "}, follow_redirects=True)
    assert "Fabrique de territoire Livradois" in done.get_data(as_text=True)
    here.close()
    here.work()
    page = manager.get("/settings/network").get_data(as_text=True)
    assert "Novembre 2026" in page
    assert "reçu" in page
    assert manager.post("/settings/network/send", data={"month": "2026-11"}).status_code == 303
    assert manager.post("/settings/network/send", data={"month": "x"}).status_code == 404
    assert manager.post("/settings/network/leave").status_code == 303
    assert "Rejoindre un réseau" in manager.get("/settings/network").get_data(as_text=True)
    email = {"name": "Réseau", "email": "reseau@example.org"}
    assert manager.post("/settings/network/by-email", data=email | {"email": "x"}).status_code == 422
    assert manager.post("/settings/network/by-email", data=email).status_code == 303
    assert "reseau@example.org" in manager.get("/settings/network").get_data(as_text=True)
    assert "Qui voit quoi" in manager.get("/settings/network/who-sees-what").get_data(as_text=True)


@pytest.mark.parametrize("who", ["member", "host", "accountant", "lead"])
def test_the_network_is_the_manager_s_business(here, sign_in, who):
    other = sign_in(getattr(here.cast, who))
    assert other.get("/settings/network").status_code == 403
    for path in ("join", "by-email", "leave", "send"):
        assert other.post(f"/settings/network/{path}").status_code == 403
