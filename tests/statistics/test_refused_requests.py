"""What people asked for and could not get is counted once a person and day, and names nobody afterwards."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from coworking.booking import refusals, services
from coworking.booking.models import RefusedRequest
from coworking.booking.rules import NothingFree
from coworking.claims.rules import ClaimConflict
from coworking.core import retention
from coworking.core.db import db
from coworking.core.errors import Busy
from coworking.core.units import write_unit
from coworking.spaces.models import Lieu
from tests.statistics.november import AM, DAY, PM, after_the_month, meet, wall


@pytest.fixture
def full(people, place):
    """Every desk and the large room are taken all day on the 3rd; the host has them."""
    for desk in place.desks:
        services.book_half_days(
            people.host.actor(), date(2026, 11, 3), DAY, resource=desk.public_id, several_places=True
        )
    meet(people.host, place.rooms[0], 3, hours=8)
    return people


def refuse(act) -> None:
    with pytest.raises((NothingFree, ClaimConflict)):
        act()


def test_sixteen_tries_are_one_refused_request(full, place, clock):
    day = date(2026, 11, 3)
    for _ in range(8):
        refuse(lambda: services.book_half_days(full.member.actor(), day, AM))
        clock.advance(hours=1)
        refuse(lambda: services.book_half_days(full.host.actor(), day, PM, person=full.member.public_id))
    assert db.session.query(RefusedRequest).count() == 1
    refuse(lambda: services.book_half_days(full.stranger.actor(), day, DAY))
    refuse(lambda: meet(full.member, place.rooms[0], 3, guests=5))  # the other room is too small for six
    found = after_the_month(clock)
    assert found["refused_requests"] == 3, "a desk for two people, a room for one of them"


def test_a_request_that_another_desk_or_room_can_serve_is_not_refused(full, place, clock):
    day = date(2026, 11, 4)
    services.book_half_days(full.stranger.actor(), day, AM, resource=place.desks[0].public_id)
    refuse(lambda: services.book_half_days(full.member.actor(), day, AM, resource=place.desks[0].public_id))
    refuse(lambda: meet(full.member, place.rooms[0], 3))  # the small room would do for one
    assert after_the_month(clock)["refused_requests"] == 0


def test_the_person_of_a_refused_request_is_forgotten_once_the_day_is_over(full, clock):
    refuse(lambda: services.book_half_days(full.member.actor(), date(2026, 11, 3), AM))
    (row,) = db.session.scalars(select(RefusedRequest))
    assert row.who is not None and full.member.public_id not in row.who
    assert retention.purge("refused_requests") == 0
    clock.set(wall(4, 0, 5))
    assert retention.purge("refused_requests") == 1
    assert db.session.scalars(select(RefusedRequest.who)).all() == [None]
    assert after_the_month(clock)["refused_requests"] == 1


def test_before_refusals_were_counted_their_number_is_unknown(full, clock):
    refuse(lambda: services.book_half_days(full.member.actor(), date(2026, 11, 3), AM))
    with write_unit():
        db.session.execute(update(Lieu).values(refusals_from=date(2026, 11, 2)))
    found = after_the_month(clock)
    assert (found["refused_requests"], found["null_reasons"]["refused_requests"]) == (None, "not_recorded")


def test_a_refusal_that_cannot_be_counted_is_still_answered(full, monkeypatch):
    def busy(*_args, **_values):
        raise Busy()

    monkeypatch.setattr(refusals, "inserted", busy)
    refuse(lambda: services.book_half_days(full.member.actor(), date(2026, 11, 3), AM))
    assert db.session.scalars(select(RefusedRequest)).all() == []
