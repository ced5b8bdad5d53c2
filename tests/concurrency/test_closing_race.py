"""The manager, the night's task and a program close the same month at the same moment."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select

from coworking.booking import services
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.policy import SYSTEM
from coworking.statistics import queries
from coworking.statistics import services as closing
from tests.support.threads import at_once

MONTH = date(2026, 11, 1)


def test_a_month_closed_by_many_at_once_has_one_revision(app, place, cast, clock):
    with app.app_context():
        services.book_half_days(cast.member.actor(), date(2026, 11, 26), frozenset({"am"}))
    clock.set(datetime(2026, 12, 12, 9, tzinfo=UTC))

    def close() -> tuple[int, str]:
        with app.app_context():
            row = closing.close(SYSTEM, MONTH)
            return row.revision, row.figures_sha256

    assert len(set(at_once([close] * 8))) == 1
    with app.app_context():
        assert [row.status for row in queries.revisions(MONTH)] == ["final"]
        topics = db.session.scalars(select(OutboxRow.topic)).all()
        assert topics.count("return.closed") == 1
