"""What every answer carries, and what one learns when something cannot be done."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from flask import request

from config import Config, ConfigError
from coworking.core.errors import Busy
from coworking.core.pdf import PdfBusy
from coworking.core.policy import public
from coworking.core.web import MAX_BODY_BYTES
from tests import factories
from tests.conftest import make_app

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/healthz",
        "/nowhere",
        "/api/v1/nowhere",
        "/static/css/base.css",
        "/static/img/favicon.svg",
        "/static/no",
    ],
)
def test_every_answer_is_closed_by_default(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy, "nothing is loaded from elsewhere"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_pages_are_kept_by_no_one_else(client):
    assert client.get("/sign-in").headers["Cache-Control"] == "private, no-cache"


def test_what_someone_signed_in_reads_is_stored_nowhere(sign_in, place, cast):
    member, host = sign_in(cast.member), sign_in(cast.host)
    assert member.get("/me").headers["Cache-Control"] == "no-store"
    live = host.get("/today/live?day=2026-11-24")
    assert live.headers["ETag"]
    assert live.headers["Cache-Control"] == "private, no-cache", "the browser must keep what it asks about again"


def test_served_over_tls_every_answer_says_so_and_the_cookie_is_this_hosts(databases, tmp_path):
    secure = make_app(databases("sqlite"), tmp_path, base_url="https://lieu.test")
    with secure.app_context():
        factories.make_place()
    answer = secure.test_client().get("/sign-in")  # as a proxy that ends TLS and says nothing asks
    assert answer.headers["Strict-Transport-Security"]
    assert not secure.test_client().get("/sign-in").is_json
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-lieu=")
    assert "Secure" in cookie and "HttpOnly" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_a_form_of_another_site_is_refused(databases, tmp_path):
    guarded = make_app(databases("sqlite"), tmp_path)
    guarded.config["WTF_CSRF_ENABLED"] = True
    with guarded.app_context():
        factories.make_place()
    assert guarded.test_client().post("/sign-in", data={"email": "a@demo.example", "password": "x"}).status_code == 400


def test_only_tls_promises_tls(client):
    assert "Strict-Transport-Security" not in client.get("/sign-in").headers
    assert "Strict-Transport-Security" in client.get("/sign-in", base_url="https://lieu.test").headers


def test_an_answer_carries_the_id_it_was_asked_with(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
    made = {client.get("/healthz").headers["X-Request-ID"] for _ in range(2)}
    assert len(made) == 2
    forged = client.get("/healthz", headers={"X-Request-ID": "no spaces, <no> markup"}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]+", forged)


def test_a_body_of_20_mb_is_too_large(client):
    answer = client.post("/sign-in", data=b"x" * 20 * 1024 * 1024, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "2 MB" in answer.text or "2\u202fMo" in answer.text or "2 Mo" in answer.text


def test_a_program_that_sends_20_mb_learns_it_as_a_problem(client):
    answer = client.post("/api/v1/nowhere", data=b"{" * 20 * 1024 * 1024, content_type="application/json")
    assert 400 <= answer.status_code < 500
    assert answer.content_type == PROBLEM


def test_the_limit_is_two_megabytes(client):
    def sign_in(size: int) -> int:
        form = f"email=a%40demo.example&password={'x' * size}"
        return client.post("/sign-in", data=form, content_type="application/x-www-form-urlencoded").status_code

    assert sign_in(MAX_BODY_BYTES) == 413
    assert sign_in(1000) != 413


def test_what_is_not_there_is_said_in_the_readers_language(client):
    french = client.get("/nowhere", headers={"Accept-Language": "fr"})
    english = client.get("/nowhere", headers={"Accept-Language": "en"})
    assert (french.status_code, english.status_code) == (404, 404)
    assert 'lang="fr"' in french.text
    assert 'lang="en"' in english.text
    assert "There is nothing at this address." in english.text
    assert "There is nothing at this address." not in french.text


def test_a_program_gets_a_problem_document(client):
    answer = client.get("/api/v1/nowhere", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert answer.content_type == PROBLEM
    assert answer.json["code"] == "not_found"
    assert answer.json["status"] == 404
    assert answer.json["title"] == "Not Found"
    assert answer.json["detail"] == "There is nothing at this address."


def test_the_wrong_method_is_a_client_error(client):
    assert client.delete("/sign-in").status_code == 405
    assert client.post("/healthz").status_code == 405


@pytest.mark.parametrize(
    ("button", "page"),
    [
        ("/people/abc/deactivate", "/people/abc"),
        ("/invoices/abc/payments/def/correct", "/invoices/abc"),
        ("/today/bookings/abc/end", "/today"),
        ("/language", "/"),
    ],
)
def test_opening_the_url_of_a_button_redirects_to_its_page(client, button, page):
    """Whoever presses Enter in the address bar after a refused form asks for it with GET."""
    assert client.post(button).status_code != 405, "there is such a button"
    answer = client.get(button)
    assert (answer.status_code, answer.location) == (303, page)


@pytest.fixture
def breaks(app, monkeypatch):
    """Let the address ``/healthz`` raise an error."""

    def with_error(error: Exception) -> None:
        def view() -> None:
            raise error

        for name, value in vars(app.view_functions["health.healthz"]).items():
            setattr(view, name, value)
        monkeypatch.setitem(app.view_functions, "health.healthz", view)
        monkeypatch.setattr(app, "testing", False)

    return with_error


def test_a_fault_of_ours_is_said_without_its_insides(client, breaks):
    breaks(RuntimeError("password=hunter2 at /srv/secret.py"))
    answer = client.get("/healthz", headers={"Accept-Language": "en"})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "secret.py" not in answer.text
    assert "Nothing was half done" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_waiting_for_a_pdf_shows_a_page_that_reloads(client, breaks):
    breaks(PdfBusy(extra={"retry_after": 3}))
    answer = client.get("/healthz", headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert (answer.headers["Retry-After"], answer.headers["Refresh"]) == ("3", "3")
    assert "Your PDF is being made" in answer.text


def test_a_busy_database_says_so_and_that_nothing_changed(client, breaks):
    breaks(Busy())
    answer = client.get("/healthz", headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text


@pytest.fixture
def behind(databases, tmp_path, clock):
    """``behind(proxies)``: an application with so many proxies in front, and where it believes a visitor to be."""

    def seen(proxies: int, **headers: str) -> tuple[str | None, bool]:
        app = make_app(databases("sqlite"), tmp_path / str(proxies), trusted_proxies=str(proxies))
        app.add_url_rule("/seen", "seen", public(lambda: {"address": request.remote_addr, "secure": request.is_secure}))
        answer = app.test_client().get("/seen", headers=headers).json
        return answer["address"], answer["secure"]

    return seen


@pytest.mark.parametrize(
    ("proxies", "address", "secure"),
    [(0, "127.0.0.1", False), (1, "203.0.113.7", True), (2, "198.51.100.1", False)],
)
def test_only_the_proxies_one_has_are_believed(behind, proxies, address, secure):
    headers = {"X-Forwarded-For": "192.0.2.66, 198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "http, https"}
    assert behind(proxies, **headers) == (address, secure)


@pytest.mark.parametrize("wrong", ["-1", "yes", "10", "1.5"])
def test_a_number_of_proxies_that_cannot_be_is_said(tmp_path, wrong):
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES"):
        Config.from_env({"DATA_DIR": str(tmp_path), "TRUSTED_PROXIES": wrong})


# Large bodies: who sends one is known before any of it is read -----------------------------------------------------------


class _Unread:
    """A body that must not be read."""

    def read(self, *_size: int) -> bytes:
        raise AssertionError("it was read")

    readline = read


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/bookings", "/network/returns"])
@pytest.mark.parametrize("headers", [{"CONTENT_LENGTH": "70000"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_strangers_large_body_is_not_read(client, path, headers):
    answer = client.post(path, environ_overrides={"wsgi.input": _Unread(), "HTTP_COOKIE": "lieu=x", **headers})
    assert answer.status_code == 413
    assert "64 k" in answer.text


def test_a_small_body_and_a_large_one_of_someone_signed_in_are_read(client, sign_in, cast):
    assert client.post("/sign-in", data={"email": "x" * 60_000}).status_code != 413
    upload = {"locale": "en", "file": (BytesIO(b"x" * 1_000_000), "file.csv")}
    assert sign_in(cast.member).post("/language", data=upload).status_code == 303
