"""Programs with tokens of the cast's, and what they send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from coworking.accounts.models import Person
from tests.factories import Cast, Place
from tests.support.api import Program


@pytest.fixture
def program(app: Flask, place: Place, cast: Cast) -> Callable[..., Program]:
    """``program(person, *scopes)`` acts for ``person`` (all scopes when none is named); ``program(None)`` for nobody."""

    def acting(person: Person | None, *scopes: str) -> Program:
        return Program(app, person, *scopes)

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
