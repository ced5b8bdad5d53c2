"""Yesterday keeps the hours it had, whoever asks: the database refuses."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from coworking.core import guards
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces import calendar

ATTACKS = {
    "lieu_day_frozen": [
        "UPDATE lieu_day SET closure = 'inventaire' WHERE day = :day",
        "UPDATE lieu_day SET frozen_at = NULL WHERE day = :day",
        "DELETE FROM lieu_day WHERE day = :day",
    ],
    "open_span_frozen": [
        "UPDATE open_span SET ends_at = starts_at WHERE day = :day",
        "UPDATE open_span SET day = :other WHERE day = :day",
        "UPDATE open_span SET day = :day WHERE day = :other",
        "DELETE FROM open_span WHERE day = :day",
        "INSERT INTO open_span (day, layer, starts_at, ends_at) "
        "SELECT :day, layer, starts_at, ends_at FROM open_span WHERE day = :other",
    ],
}


@pytest.mark.parametrize(
    ("guard", "attack"), [(guard, attack) for guard, attacks in ATTACKS.items() for attack in attacks]
)
def test_a_frozen_day_refuses(inside, place, guard, attack):
    calendar.freeze_past_days()
    values = {"day": date(2026, 11, 23), "other": date(2026, 11, 25)}
    sqlite = db.engine.dialect.name == "sqlite"
    bound = {name: value.isoformat() if sqlite else value for name, value in values.items() if f":{name}" in attack}
    with pytest.raises(IntegrityError) as refusal, write_unit():
        db.session.execute(text(attack), bound)
    assert guards.refused_by(refusal.value) == guard


def test_a_day_to_come_still_follows_its_settings(inside, place):
    calendar.freeze_past_days()
    with write_unit():
        db.session.execute(text("UPDATE lieu_day SET closure = 'inventaire' WHERE frozen_at IS NULL"))
