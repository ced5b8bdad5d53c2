"""A manager who imports."""

from __future__ import annotations

import pytest

from tests.imports.uploads import Steps


@pytest.fixture
def steps(place, cast, sign_in, run_outbox) -> Steps:
    return Steps(sign_in(cast.manager), run_outbox)
