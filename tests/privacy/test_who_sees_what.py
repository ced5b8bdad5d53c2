"""Each personal column is seen by the viewers it declares, and by no others.

On SQLite alone: who sees a column is decided by the routes and templates, which are the same on both engines.
"""

from __future__ import annotations

from collections import defaultdict

import pytest
from flask import Flask

from coworking.core.db import db
from coworking.core.privacy import seen_by
from tests.privacy import walk as walks
from tests.privacy.lieu import Filled


@pytest.mark.parametrize("part", list(walks.CAST))
def test_a_viewer_sees_what_is_declared_and_nothing_else(lieu: tuple[Flask, Filled], part: str):
    app, filled = lieu
    declared = seen_by(db.metadata)
    leaks: dict[str, set[str]] = defaultdict(set)
    seen: set[tuple[str, str]] = set()
    for sighting in walks.walk(app, filled, part):
        if allowed := declared[sighting.column].intersection(sighting.viewers):
            seen |= {(sighting.column, viewer) for viewer in allowed}
        else:
            leaks[f"{sighting.column} is seen by {sighting.viewers[-1]}, and does not declare them:"].add(sighting.path)
    told = [f"{leak} {', '.join(sorted(where))}" for leak, where in sorted(leaks.items())]
    viewer = walks.CAST[part]
    told += [
        f"{column} declares {viewer}, and no address shows it to them"
        for column, viewers in declared.items()
        if viewer in viewers and (column, viewer) not in seen
    ]
    assert not told, "\n" + "\n".join(told)


def test_every_address_is_opened_by_someone(lieu: tuple[Flask, Filled]):
    """But those of the setup, which is over."""
    app, filled = lieu
    shut: set[str] | None = None
    for part in ("manager", "member", "lead", "holder", "visitor"):
        answers = walks.statuses(app, filled, part, only=shut)
        shut = {endpoint for endpoint, codes in answers.items() if not codes & {200, 302, 304}}
    still_shut = {endpoint for endpoint in shut or () if not endpoint.startswith("setup.")}
    assert still_shut == set(), "nobody of the cast can open these, so the walk says nothing about them"
