"""What the tests of bookings share."""

from __future__ import annotations

import pytest

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
