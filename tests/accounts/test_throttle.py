"""Waiting after wrong passwords: nobody guesses for long, and nobody waits because of a stranger."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from coworking.accounts import throttle
from coworking.accounts.models import Throttle
from coworking.accounts.rules import TooManyAttempts
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.conftest import make_app
from tests.factories import PASSWORD, make_person
from tests.support.threads import at_once

EMAIL = "anne@demo.example"


@pytest.fixture
def anne(app, place):
    with app.app_context():
        return make_person("Anne", "Marchand", EMAIL)


def attempt(client, password=PASSWORD, email=EMAIL, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def browser(app, address="127.0.0.1"):
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    return client


def test_after_five_failures_even_the_right_password_waits_longer_each_time(client, anne, clock):
    for _ in range(5):
        assert attempt(client, "wrong password").status_code == 422
    refused = attempt(client)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "30"
    assert "Trop de tentatives" in refused.text
    assert EMAIL in refused.text
    clock.advance(seconds=30)
    assert attempt(client, "wrong password").status_code == 422
    clock.advance(seconds=50)
    assert attempt(client).status_code == 429, "the sixth failure makes the wait longer"
    clock.advance(seconds=10)
    assert attempt(client).status_code == 303


def test_failures_fade_however_often_one_tries(client, anne, clock):
    """One failure every quarter of an hour never adds up, whatever stood there before."""
    for _ in range(4):
        attempt(client, "wrong password")
    for _ in range(20):
        clock.advance(minutes=15)
        assert attempt(client, "wrong password").status_code == 422


def test_success_forgets_the_failures_of_the_account_from_here(app, client, anne):
    for _ in range(4):
        attempt(client, "wrong password")
    assert attempt(client).status_code == 303
    for _ in range(5):
        assert attempt(browser(app), "wrong password").status_code == 422


def test_the_count_is_in_the_database_so_another_process_knows_it(app, client, anne, tmp_path):
    for _ in range(5):
        attempt(client, "wrong password")
    with app.app_context():
        url = app.extensions["settings"].database_url
    other = make_app(url, tmp_path)
    assert attempt(other.test_client()).status_code == 429


def test_unknown_addresses_are_throttled_alike(client, anne):
    for _ in range(5):
        attempt(client, email="nobody@demo.example")
    assert attempt(client, email="nobody@demo.example").status_code == 429
    assert attempt(client).status_code == 303, "but nobody else is"


def test_strangers_elsewhere_do_not_make_the_owner_wait(app, client, anne):
    for n in range(15):
        stranger = browser(app, f"192.0.2.{n}")
        for _ in range(5):
            assert attempt(stranger, "wrong password").status_code == 422
    assert attempt(client).status_code == 303


def test_a_hundred_failures_from_everywhere_make_an_account_wait(app, client, anne):
    for n in range(20):
        for _ in range(5):
            assert attempt(browser(app, f"192.0.2.{n}"), "wrong password").status_code == 422
    assert attempt(browser(app, "192.0.2.99"), "wrong password").status_code == 429


def test_one_internet_address_cannot_go_through_many_accounts(app, client, anne):
    for n in range(50):
        assert attempt(client, email=f"p{n}@demo.example").status_code == 422
    assert attempt(client).status_code == 429
    assert attempt(browser(app, "192.0.2.7")).status_code == 303


def test_signing_in_to_ones_own_account_does_not_forgive_the_address(app, client, anne):
    for n in range(49):
        attempt(client, email=f"p{n}@demo.example")
    assert attempt(client).status_code == 303
    attempt(browser(app), email="p49@demo.example")
    assert attempt(browser(app)).status_code == 429


def test_a_success_never_makes_anyone_wait(app, client, anne, clock):
    """The lieu's one internet address is at its limit and its wait is over: those who know their password go in."""
    for n in range(50):
        attempt(client, email=f"p{n}@demo.example")
    clock.advance(seconds=30)
    for _ in range(20):
        assert attempt(browser(app)).status_code == 303


def test_a_success_takes_back_only_its_own_attempt(app, inside, anne):
    names = throttle.sign_in_buckets(EMAIL, "192.0.2.1")
    others = throttle.sign_in_buckets("karim@demo.example", "192.0.2.1")
    with write_unit():
        mine = throttle.count(names)
    for _ in range(48):
        with write_unit():
            throttle.count(throttle.sign_in_buckets(f"p{_}@demo.example", "192.0.2.1"))
    with write_unit():
        throttle.count(others)  # the fiftieth from this address: it waits
    with pytest.raises(TooManyAttempts), write_unit():
        throttle.count(others)
    with write_unit():
        throttle.succeeded(mine)
    assert _score(names[2]) == pytest.approx(49)
    with write_unit():
        throttle.count(others)  # forty-nine did not make anyone wait
    with pytest.raises(TooManyAttempts), write_unit():
        throttle.count(others)


def test_a_success_keeps_the_wait_that_others_made(inside, anne):
    names = throttle.sign_in_buckets(EMAIL, "192.0.2.1")
    with write_unit():
        mine = throttle.count(names)
    for n in range(51):
        with write_unit():
            row = db.session.get(Throttle, names[2])
            row.waits_until = None  # as if they had waited
            throttle.count(throttle.sign_in_buckets(f"p{n}@demo.example", "192.0.2.1"))
    with write_unit():
        throttle.succeeded(mine)
    with pytest.raises(TooManyAttempts) as refused, write_unit():
        throttle.count(throttle.sign_in_buckets("karim@demo.example", "192.0.2.1"))
    assert 30 <= refused.value.extra["retry_after"] <= 60


def _score(name):
    db.session.rollback()
    return db.session.get(Throttle, name).score


def test_sixteen_at_once_are_five(app, anne):
    clients = [browser(app) for _ in range(16)]
    answers = at_once([partial(attempt, client, "wrong password") for client in clients])
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [422] * 5 + [429] * 11


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:0db8:0001:0002::/64"),
        ("2001:db8:1:2::1", "2001:0db8:0001:0002::/64"),
        ("nonsense", "nonsense"),
    ],
)
def test_one_subscriber_has_one_address(address, network):
    assert throttle.network_of(address) == network


def test_a_mapped_address_shares_the_bucket_of_its_ipv4(app, anne):
    for _ in range(5):
        attempt(browser(app, "192.0.2.7"), "wrong password")
    assert attempt(browser(app, "::ffff:192.0.2.7")).status_code == 429


def test_the_table_tells_neither_who_nor_from_where(app, client, anne):
    attempt(client, "wrong password")
    with app.app_context():
        buckets = db.session.scalars(select(Throttle.bucket)).all()
    assert len(buckets) == 3
    assert not any("anne" in name or "127.0.0.1" in name for name in buckets)


def test_a_throttled_sign_up_is_refused_before_its_password_is_hashed(app, client, place, monkeypatch):
    from coworking.accounts import passwords

    for n in range(60):
        client.post("/forgotten", data={"email": f"p{n}@demo.example"})
    hashed = []
    monkeypatch.setattr(passwords, "hash_password", lambda text: hashed.append(text) or "x")
    data = {"first_name": "Anne", "last_name": "Marchand", "email": EMAIL, "password": "une phrase courte"}
    assert client.post("/sign-up", data=data).status_code == 429
    assert hashed == []
