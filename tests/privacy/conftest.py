"""The lieu in which every personal column of every row holds a word of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from coworking.core import clock as clocks
from coworking.core.db import db
from tests.conftest import Clock, make_app
from tests.privacy.lieu import Filled, fill


@pytest.fixture(scope="module")
def lieu(databases: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Filled]]:
    """The filled lieu, made once per worker."""
    app = make_app(databases("sqlite"), Path(tmp_path_factory.mktemp("privacy")))
    clock = Clock()
    with clocks.running_on(clock):
        with app.app_context():
            filled = fill(clock)
        yield app, filled
        with app.app_context():
            db.engine.dispose()
