"""Browsers that are signed in are rows: each with a secret, an end, and a way to end it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from coworking.accounts import devices, rules, staff
from coworking.accounts.models import Device
from coworking.core import retention
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.factories import PASSWORD, actor, make_person

EMAIL = "anne@demo.example"
NEW = "encore une phrase"
COOKIE = "lieu_device"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1"


@pytest.fixture
def anne(app, place):
    with app.app_context():
        return make_person("Anne", "Marchand", EMAIL)


def browser(app, agent=FIREFOX):
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = agent
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    return client


def signed_in(app, agent=FIREFOX, password=PASSWORD, **more):
    client = browser(app, agent)
    assert client.post("/sign-in", data={"email": EMAIL, "password": password, **more}).status_code == 303
    return client


def copy_of(app, client):
    """Another browser with the same cookies."""
    other = app.test_client()
    for cookie in (client.get_cookie(name) for name in ("lieu", COOKIE)):
        if cookie is not None:
            other.set_cookie(cookie.key, cookie.value)
    return other


def is_in(client):
    return client.get("/me").status_code == 200


def test_a_phone_stays_signed_in_for_90_days_from_signing_in_and_not_longer(app, anne, clock):
    client = browser(app, IPHONE)
    answer = client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD, "remember": "1"})
    (header,) = [h for h in answer.headers.getlist("Set-Cookie") if h.startswith(f"{COOKIE}=")]
    assert f"Max-Age={90 * 24 * 3600}" in header
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    later = app.test_client()  # the browser was closed: only this cookie is left, and the server looks at its own clock
    later.set_cookie(COOKIE, client.get_cookie(COOKIE).value)
    clock.advance(days=89, hours=23)
    assert is_in(later)
    clock.advance(hours=1)
    assert not is_in(later)


def test_without_the_box_it_is_twelve_hours_and_nothing_outlives_the_browser(app, anne, clock):
    client = signed_in(app)
    assert client.get_cookie(COOKIE).expires is None
    assert client.get_cookie(COOKIE).max_age is None
    clock.advance(hours=11, minutes=59)
    assert is_in(client)
    clock.advance(minutes=1)
    assert not is_in(client)


def test_each_sign_in_has_a_secret_of_its_own_and_only_its_digest_is_kept(app, anne):
    secrets = [signed_in(app, remember="1").get_cookie(COOKIE).value for _ in range(2)]
    assert secrets[0] != secrets[1]
    with app.app_context():
        kept = db.session.scalars(select(Device.digest)).all()
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in kept)
    assert not any(secret in kept for secret in secrets)


@pytest.mark.parametrize("remember", [{}, {"remember": "1"}])
def test_a_copied_cookie_is_dead_after_signing_out(app, anne, remember):
    client = signed_in(app, **remember)
    stolen = copy_of(app, client)
    assert is_in(stolen)
    client.post("/sign-out")
    assert client.get_cookie(COOKIE) is None
    assert not is_in(client)
    assert not is_in(stolen)


def test_changing_the_password_keeps_this_device_and_ends_the_others(app, anne):
    phone, laptop = signed_in(app, IPHONE, remember="1"), signed_in(app)
    wrong = phone.post("/me/password", data={"current_password": "not this one", "password": NEW})
    assert wrong.status_code == 422
    assert "Ce n’est pas votre mot de passe actuel." in wrong.text
    assert phone.post("/me/password", data={"current_password": PASSWORD, "password": NEW}).status_code == 303
    assert is_in(phone)
    assert not is_in(laptop)
    assert browser(app).post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 422
    assert is_in(signed_in(app, password=NEW))


def test_a_change_of_password_is_reported_by_email(app, anne, run_outbox, mailbox):
    signed_in(app).post("/me/password", data={"current_password": PASSWORD, "password": NEW})
    run_outbox()
    (told,) = mailbox()
    assert (told["To"], told["Subject"]) == (EMAIL, "Votre mot de passe a changé")


def test_closing_and_reopening_an_account_restores_no_session(app, anne):
    client = signed_in(app, remember="1")
    with app.app_context():
        host = actor(make_person("Maëlle", "Chassagne", "host@demo.example", "host"))
        staff.deactivate(host, anne.public_id)
        staff.reactivate(host, anne.public_id)
    assert not is_in(client)


def test_devices_are_listed_one_by_one_and_ended_one_by_one(app, anne, clock):
    phone = signed_in(app, IPHONE, remember="1")
    clock.advance(minutes=5)
    laptop = signed_in(app)
    page = laptop.get("/me/security").text
    named = re.findall(r"(Safari sur iPhone|Firefox sur Linux)", page)
    assert named[0] == "Firefox sur Linux", "this one first"
    assert "Première connexion le 24 novembre à 10\u202fh\u202f36." in page
    assert page.count("cet appareil") == 1
    (end,) = set(re.findall(r"/me/devices/[0-9a-z]{16}/end", page))
    stranger = app.test_client()
    with app.app_context():
        make_person("Lise", "Vidal", "lise@demo.example")
    stranger.post("/sign-in", data={"email": "lise@demo.example", "password": PASSWORD})
    assert stranger.post(end).status_code == 404
    assert is_in(phone)
    for _ in range(2):
        assert laptop.post(end).status_code == 303
    assert not is_in(phone)
    assert is_in(laptop)
    assert "Safari sur iPhone" not in laptop.get("/me/security").text


def test_all_others_end_at_once_and_this_one_stays(app, anne):
    others = [signed_in(app, remember="1") for _ in range(3)]
    client = signed_in(app)
    assert client.post("/me/devices/end-others").status_code == 303
    assert is_in(client)
    assert not any(map(is_in, others))


def test_a_request_reads_device_and_person_in_one_statement(app, anne, place, count_statements):
    client = signed_in(app)
    with count_statements() as seen:
        assert client.get("/sign-in").status_code == 302
    assert len([text for text in seen if "device" in text]) == 1
    assert len([text for text in seen if "FROM person" in text or "FROM device" in text]) == 1


def test_its_last_use_is_noted_once_an_hour(app, anne, clock):
    client = signed_in(app)
    start = clock.now

    def noted():
        with app.app_context():
            return db.session.scalar(select(Device.last_used_at))

    clock.advance(minutes=59)
    client.get("/me")
    assert noted() == start
    clock.advance(minutes=1)
    client.get("/me")
    assert noted() == clock.now


def test_what_ended_a_month_ago_is_forgotten_but_the_last(app, anne, clock):
    """The last one tells when somebody was there."""
    signed_in(app)
    signed_in(app)
    clock.advance(days=30, hours=11)
    with app.app_context():
        assert retention.purge("browsers") == 0
    clock.advance(hours=2)
    with app.app_context():
        assert retention.purge("browsers") == 1


# A browser that the account knows


def test_strangers_never_make_the_owner_wait_on_a_browser_that_is_known(app, anne):
    """Even next to them, at the lieu's one internet address, with every bucket full."""
    mine = signed_in(app)
    mine.post("/sign-out")
    for n in range(20):
        for _ in range(5):
            stranger = browser(app)
            stranger.environ_base["REMOTE_ADDR"] = f"192.0.2.{n}"
            stranger.post("/sign-in", data={"email": EMAIL, "password": "wrong password"})
    for n in range(50):
        browser(app).post("/sign-in", data={"email": f"p{n % 10}@demo.example", "password": "wrong password"})
    for _ in range(6):
        browser(app).post("/sign-in", data={"email": EMAIL, "password": "wrong password"})
    assert browser(app).post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 429
    assert mine.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 303


def test_a_known_browser_guesses_no_more_than_another(app, anne):
    mine = signed_in(app)
    mine.post("/sign-out")
    for _ in range(5):
        assert mine.post("/sign-in", data={"email": EMAIL, "password": "wrong password"}).status_code == 422
    assert mine.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 429


def test_a_browser_known_to_one_account_is_unknown_to_others(app, anne):
    with app.app_context():
        make_person("Lise", "Vidal", "lise@demo.example")
    mine = signed_in(app)
    mine.post("/sign-out")
    for _ in range(5):
        mine.post("/sign-in", data={"email": "lise@demo.example", "password": "wrong password"})
    other = browser(app)
    assert other.post("/sign-in", data={"email": "lise@demo.example", "password": PASSWORD}).status_code == 429


# The password once more


def test_a_token_wants_the_password_once_more_after_ten_minutes(app, anne, clock):
    client = signed_in(app)
    data = {"name": "badge", "scopes": ["lieu:read"], "days": "30"}
    assert "lieu_" in client.post("/me/tokens", data=data).text
    clock.advance(minutes=10)
    refused = client.post("/me/tokens", data=data)
    assert refused.status_code == 422
    assert "Ce n’est pas votre mot de passe actuel." in refused.text
    assert 'value="badge"' in refused.text
    made = client.post("/me/tokens", data=data | {"current_password": PASSWORD})
    assert made.status_code == 200
    assert re.search(r"lieu_[\w-]{40,}", made.text)
    assert re.search(r"lieu_[\w-]{40,}", client.post("/me/tokens", data=data).text), "just typed"


def test_the_password_page_redirects_within_the_site(app, anne, clock):
    client = signed_in(app)
    clock.advance(minutes=11)
    assert client.post("/me/proof", data={"current_password": "no", "next": "/me"}).status_code == 422
    right = {"current_password": PASSWORD}
    assert client.post("/me/proof", data=right | {"next": "/people?q=a"}).headers["Location"] == "/people?q=a"
    assert client.post("/me/proof", data=right | {"next": "//evil.example"}).headers["Location"] == "/me/security"


def test_what_was_pressed_leads_back_to_the_page_it_stood_on(app, anne, clock):
    client = signed_in(app)
    clock.advance(minutes=11)

    def led(referer):
        return client.post("/me/second-step/begin", headers={"Referer": referer}).headers["Location"]

    assert led("http://localhost/me/security?a=1") == "/me/proof?next=/me/security?a%3D1&again=1"
    assert led("http://localhost.evil.example/me") == led("https://evil.example/me") == "/me/proof?again=1"
    page = client.get(led("http://localhost/me/security"))
    assert "vous appuyez une nouvelle fois" in page.text
    again = client.post("/me/proof", data={"current_password": "no", "next": "/me/security", "again": "1"})
    assert "vous appuyez une nouvelle fois" in again.text and 'value="/me/security"' in again.text
    assert "vous appuyez une nouvelle fois" not in client.get("/me/proof?next=/me/security").text


def test_guessing_the_present_password_waits_on_this_device_alone(app, anne):
    thief, owner = signed_in(app), signed_in(app)
    wrong, right = ({"current_password": text, "password": NEW} for text in ("not this one", PASSWORD))
    for _ in range(5):
        thief.post("/me/password", data=wrong)
    assert thief.post("/me/password", data=right).status_code == 429
    assert owner.post("/me/password", data=right).status_code == 303


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        (IPHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/143.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605.1.15", "Safari, macOS"),
        ("curl/8.0", ""),
        ("<script>" * 1000, ""),
    ],
)
def test_a_device_is_named_by_browser_and_system(agent, name):
    assert rules.device_name(agent) == name


def test_a_device_made_just_before_the_account_is_closed_ends_with_it(app, anne):
    with app.app_context():
        with write_unit():
            made = devices.sign_in(anne, devices.Browser(FIREFOX))
        host = actor(make_person("Maëlle", "Chassagne", "host@demo.example", "host"))
        staff.deactivate(host, anne.public_id)
        staff.reactivate(host, anne.public_id)
        assert devices.present(made.secret) is None


def test_a_device_lasts_from_its_sign_in(app, anne, clock):
    with app.app_context():
        with write_unit():
            devices.sign_in(anne, devices.Browser(FIREFOX, remember=True))
        row = db.session.scalars(select(Device)).one()
        assert row.ends_at - row.created_at == timedelta(days=90)
