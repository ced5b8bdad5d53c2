"""Who was there in November 2026, for the tests of attestations."""

from __future__ import annotations

import pytest

from coworking.booking import services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.spaces.models import Lieu
from tests.presence.attested import DAY, THURSDAY, TUESDAY, WEDNESDAY, wall


@pytest.fixture
def people(inside, place, cast):
    with write_unit():
        db.session.get_one(Lieu, 1).siret = "12345678900012"
    return cast


@pytest.fixture
def came(people, clock):
    """Anne: Tuesday all day by herself, Wednesday morning said by the host, absent on Wednesday afternoon."""
    anne = people.member
    services.book_half_days(anne.actor(), TUESDAY, DAY)
    presence.arrive(anne.actor())
    morning = services.book_half_days(anne.actor(), WEDNESDAY, frozenset({"am"}))
    afternoon = services.book_half_days(anne.actor(), WEDNESDAY, frozenset({"pm"}))
    services.book_half_days(anne.actor(), THURSDAY, DAY)
    clock.set(wall(26, 8))
    settling.settle(people.host.actor(), [unit.id for unit in morning.units], "came")
    settling.settle(people.host.actor(), [unit.id for unit in afternoon.units], "absent")
    return anne


@pytest.fixture
def here(app, place, cast):
    """Anne came this morning."""
    with app.app_context():
        presence.arrive(cast.member.actor())
    return cast
