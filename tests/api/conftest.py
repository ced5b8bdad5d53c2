"""A program with a token: JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from coworking.accounts import api_tokens
from coworking.accounts.models import Person
from coworking.accounts.rules import SCOPES
from tests.factories import Cast, Place


class Program:
    """Calls the API as the owner of one token."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._headers["Accept-Language"] = "en"

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api/v1{path}", query_string=query or None, headers=self._headers)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> Any:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        if body is not None:
            options["json"] = body
        return self._client.post(f"/api/v1{path}", headers=headers, **options)


@pytest.fixture
def program(app: Flask, place: Place, cast: Cast) -> Callable[..., Program]:
    """``program(person, *scopes)`` acts for ``person`` (all scopes when none is named); ``program(None)`` for nobody."""

    def acting(person: Person | None, *scopes: str) -> Program:
        if person is None:
            return Program(app, None)
        with app.app_context():
            token = api_tokens.issue(person.actor(), name="test", scopes=frozenset(scopes or SCOPES))
        return Program(app, token)

    return acting


@pytest.fixture
def member(program: Callable[..., Program], cast: Cast) -> Program:
    return program(cast.member)


@pytest.fixture
def host(program: Callable[..., Program], cast: Cast) -> Program:
    return program(cast.host)


def morning(day: int = 26, **more: Any) -> dict[str, Any]:
    """A booking of any desk on the morning of a day of November 2026."""
    return {
        "starts_at": f"2026-11-{day:02}T09:00:00+01:00",
        "ends_at": f"2026-11-{day:02}T13:00:00+01:00",
    } | (more or {"kind": "desk"})


def times(start: str, end: str, day: int = 26) -> dict[str, str]:
    return {"starts_at": f"2026-11-{day:02}T{start}:00+01:00", "ends_at": f"2026-11-{day:02}T{end}:00+01:00"}


@pytest.fixture
def booking(member: Program) -> dict[str, Any]:
    """The member's desk on Thursday morning."""
    answer = member.post("/bookings", morning())
    assert answer.status_code == 201
    return answer.get_json()
