"""What the tests of bookings share."""

from __future__ import annotations

import pytest

from coworking.spaces import services as spaces
from coworking.spaces.rules import Opening
from tests.booking.nights import WEDNESDAY
from tests.factories import make_tariff


@pytest.fixture
def people(inside, place, cast):
    """The cast at a lieu that is set up, inside the application. Nothing has a price."""
    return cast


@pytest.fixture
def payers(people):
    """`people` where a half-day and an hour have the usual prices."""
    make_tariff()
    return people


@pytest.fixture
def open_always(app, place, cast):
    """The cast at a lieu that is open round the clock from Wednesday on, where an hour of a room costs 15 €."""
    with app.app_context():
        openings = [Opening(weekday, "accessible", 0, 1440) for weekday in range(7)]
        spaces.set_schedule(cast.manager.actor(), valid_from=WEDNESDAY, split_minute=780, openings=openings)
        make_tariff()
    return cast


@pytest.fixture
def nights(open_always, inside):
    """The same, inside the application."""
    return open_always


@pytest.fixture
def movers(people, place):
    """`people` where desks cost 9.00 a half-day, the second one 14.00; rooms 15.00 an hour, the second one nothing."""
    make_tariff(resources={place.desks[1]: 1400, place.rooms[1]: 0})
    return people
