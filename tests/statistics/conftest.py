"""A lieu whose November has begun."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.statistics.november import wall


@pytest.fixture
def people(inside: Flask, place, cast, clock):
    """The lieu on Monday 2 November at 7:00, before it opens."""
    clock.set(wall(2, 7))
    return cast
