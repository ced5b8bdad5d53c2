"""Whether a database holds the demo, the whole of it, or somebody's lieu."""

from __future__ import annotations

import pytest

from coworking.core import audit
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.demo import make
from tests.factories import make_person, make_place


def mark(action: str) -> None:
    with write_unit():
        audit.record(SYSTEM, action, ("lieu", 1))


def test_an_empty_database_is_free_for_it(inside):
    assert make.is_made() is False
    mark(make.BEGUN)
    assert make.is_made() is False, "interrupted before there was anything"


def test_a_real_lieu_or_its_people_are_left_alone(inside):
    make_person("Anne", "Marchand", "anne@demo.example")
    with pytest.raises(make.NotADemo, match="people"):
        make.is_made()
    make_place()
    with pytest.raises(make.NotADemo, match="La Fabrique du Pont"):
        make.is_made()


def test_half_a_demo_is_not_taken_for_the_whole(inside):
    make_place(is_simulation=True)
    assert make.is_made() is True, "made before the marks were"
    mark(make.BEGUN)
    with pytest.raises(make.NotADemo, match="interrupted"):
        make.is_made()
    mark(make.MADE)
    assert make.is_made() is True
