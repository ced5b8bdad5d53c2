"""A proxy that nobody declared is noticed, and nobody's word is taken for one."""

from __future__ import annotations

import logging

import pytest

from tests.conftest import make_app


@pytest.fixture
def fresh(databases, engine_name, tmp_path):
    def make(**settings):
        return make_app(databases(engine_name), tmp_path, **settings).test_client()

    return make


def ask(client, peer, **headers):
    return client.get("/healthz", environ_overrides={"REMOTE_ADDR": peer}, headers=headers)


def hints(client):
    return client.get("/readyz").get_json().get("hints", {})


def test_a_proxy_that_is_not_counted_is_said_once_in_the_log_and_on_readiness(fresh, caplog):
    client = fresh()
    assert hints(client) == {}
    with caplog.at_level(logging.WARNING, "coworking.core.proxies"):
        for _ in range(3):
            ask(client, "172.18.0.2", **{"X-Forwarded-For": "203.0.113.9"})
    assert [record.message for record in caplog.records if "TRUSTED_PROXIES" in record.message] != []
    assert len([record for record in caplog.records if "TRUSTED_PROXIES" in record.message]) == 1
    assert "TRUSTED_PROXIES" in hints(client)["trusted_proxies"]
    assert client.get("/readyz").get_json()["checks"]["database"] == "ok", "it is a hint, not a failure"


def test_a_visitor_from_the_internet_cannot_make_it_up(fresh):
    client = fresh()
    ask(client, "8.8.8.8", **{"X-Forwarded-For": "203.0.113.9"})
    assert hints(client) == {}


def test_a_counted_proxy_is_no_news(fresh):
    client = fresh(trusted_proxies="1")
    ask(client, "172.18.0.2", **{"X-Forwarded-For": "203.0.113.9"})
    assert hints(client) == {}
