"""Which half-days an attestation de présence counts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coworking.booking import services
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.presence import attestation
from coworking.presence import services as presence
from coworking.presence.attested import (
    AttestedDay,
    BookedHalf,
    DesklessPresence,
    attested_days,
)
from coworking.presence.models import Presence
from tests.presence.attested import DAY, TUESDAY, WEDNESDAY, counted, stay, wall

SPLIT = {TUESDAY: wall(24, 13)}


@pytest.mark.parametrize(
    ("arrived", "until", "halves"),
    [
        (wall(24, 9), None, {"am"}),
        (wall(24, 9), wall(24, 12), {"am"}),
        (wall(24, 9), wall(24, 13), {"am"}),
        (wall(24, 9), wall(24, 13, 1), {"am", "pm"}),
        (wall(24, 13), None, {"pm"}),
        (wall(24, 14), wall(24, 18), {"pm"}),
        (wall(24, 14), wall(24, 14), {"pm"}),
    ],
)
def test_a_presence_without_a_desk_counts_the_half_days_it_touches(arrived, until, halves):
    (row,) = attested_days([], [DesklessPresence(TUESDAY, arrived, until, "self")], SPLIT)
    assert set(row.halves) == halves


@pytest.mark.parametrize("outcome", ["absent", "pending", "unknown"])
def test_a_booked_half_day_follows_its_desk_alone(outcome):
    booked = [BookedHalf(TUESDAY, "am", outcome, None)]
    all_day = [DesklessPresence(TUESDAY, wall(24, 9), wall(24, 18), "self")]
    assert attested_days(booked, all_day, SPLIT) == [AttestedDay(TUESDAY, {"pm": "self"})]
    assert attested_days(booked, [], SPLIT) == []


def test_the_first_presence_of_a_half_day_gives_its_evidence():
    stays = [
        DesklessPresence(TUESDAY, wall(24, 11), None, "host"),
        DesklessPresence(TUESDAY, wall(24, 9), wall(24, 10), "qr"),
    ]
    assert attested_days([], stays, SPLIT) == [AttestedDay(TUESDAY, {"am": "qr"})]


def test_only_attended_half_days_count(came):
    assert counted(came) == {TUESDAY: {"am": "self", "pm": "self"}, WEDNESDAY: {"am": "host"}}


def test_only_the_presence_counts_of_a_desk_cancelled_while_in_use(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    presence.arrive(people.member.actor())
    assert counted(people.member) == {TUESDAY: {"am": "self", "pm": "self"}}
    services.cancel(people.host.actor(), booking.public_id)
    assert counted(people.member) == {TUESDAY: {"am": "self"}}


def test_a_walk_in_without_a_free_desk_counts(people):
    stay(people.stranger, 24, 9, None)
    stay(people.stranger, 25, 11, 16, "host")
    assert counted(people.stranger) == {TUESDAY: {"am": "self"}, WEDNESDAY: {"am": "host", "pm": "host"}}


def test_a_meeting_counts_to_its_end(people, place):
    span = Span(wall(25, 11), wall(25, 15))
    meeting = services.book(people.member.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))
    stay(people.member, 25, 11, None, booking=meeting)
    assert counted(people.member) == {WEDNESDAY: {"am": "self", "pm": "self"}}


def test_staying_at_one_s_desk_beyond_what_was_booked_counts_what_was_stayed(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, frozenset({"am"}))
    presence.arrive(people.member.actor())
    clock.set(wall(24, 15))
    presence.leave(people.member.actor())
    assert counted(people.member) == {TUESDAY: {"am": "self", "pm": "self"}}
    assert booking.units[0].half == "am"


def test_a_date_missing_from_the_calendar_is_split_at_one_o_clock(people):
    with write_unit():
        for hour in (8, 14):
            at = datetime(2025, 6, 2 + hour, hour, tzinfo=UTC)
            db.session.add(
                Presence(person_id=people.member.id, day=at.date(), arrived_at=at, left_at=at, evidence="import")
            )
    found = attestation.days_of(people.member.id, date(2025, 6, 1), date(2025, 6, 30))
    assert [dict(row.halves) for row in found] == [{"am": "import"}, {"pm": "import"}]
