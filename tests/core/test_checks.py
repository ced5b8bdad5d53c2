"""``flask audit`` finds what is broken, and only that."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from coworking.booking import services
from coworking.core import checks, guards
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.residents import services as residents
from coworking.residents.services import Assigning
from coworking.spaces import calendar
from coworking.statistics import services as closing
from tests.factories import make_agreement, make_pack, make_subscription, make_tariff

DAY = frozenset({"am", "pm"})


@pytest.fixture
def booked(inside, place, cast):
    """A desk for a whole day, covered by a plan; another cancelled in time; a colleague's, one paid by a pack and one by the
    employer."""
    make_tariff()
    make_subscription(cast.member, halfdays=10)
    make_pack(cast.colleague, units=2)
    today = calendar.queries.today()
    services.book_half_days(cast.colleague.actor(), today + timedelta(days=2), DAY)
    calendar.freeze_past_days()
    kept = services.book_half_days(cast.member.actor(), today + timedelta(days=2), DAY)
    gone = services.book_half_days(cast.member.actor(), today + timedelta(days=3), DAY)
    services.cancel(cast.member.actor(), gone.public_id)
    make_agreement(halfdays=2)
    services.book_half_days(cast.colleague.actor(), today + timedelta(days=6), DAY)
    residents.assign(
        cast.manager.actor(),
        Assigning(place=place.desks[3].public_id, person=cast.stranger.public_id, first_day=today, monthly_cents=9000),
    )
    closing.close(SYSTEM, date(2026, 10, 1))
    db.session.rollback()
    return kept.id


@pytest.fixture
def unguarded(inside):
    """Do as someone would who has the database's own password: the guards are dropped first, and come back at the end."""

    def run(statement: str, **values: object) -> None:
        with db.engine.begin() as connection:
            guards.remove(connection)
            connection.execute(text(statement), values)

    yield run
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM claim WHERE holder_kind = 'block'"))
        guards.install(connection)


def broken() -> dict[str, list[str]]:
    db.session.rollback()
    return {one.claim: found for one, found in checks.run() if found}


def test_all_is_well(booked, app):
    assert broken() == {}
    db.session.rollback()
    done = app.test_cli_runner().invoke(args=["audit"])
    assert done.exit_code == 0
    assert "BROKEN" not in done.output and "no resource is taken twice" in done.output


BREAKS = {
    "no resource is taken twice": (
        "INSERT INTO claim (resource_id, holder_kind, holder_id, starts_at, ends_at, use_starts_at, use_ends_at, live, long,"
        " created_at) SELECT resource_id, 'block', 1, starts_at, ends_at, use_starts_at, use_ends_at, live, long, created_at"
        " FROM claim WHERE holder_id = :booking"
    ),
    "long claims are marked as long": "UPDATE claim SET long = NOT long WHERE holder_id = :booking",
    "every booking holds the resources it uses": "DELETE FROM claim WHERE holder_id = :booking",
    "nothing is held by a booking that was cancelled": (
        "UPDATE claim SET live = true, expires_at = NULL WHERE holder_id <> :booking"
    ),
    "what is used is owed once, and what is cancelled in time is not": (
        "UPDATE quote SET state = 'kept' WHERE id IN (SELECT quote_id FROM booking_unit WHERE booking_id = :booking)"
    ),
    "no allowance is overdrawn": "UPDATE agreement SET halfdays_per_month = 1 WHERE :booking > 0",
    "no plan is overdrawn, and what a former one holds fits into the plan that follows": (
        "UPDATE subscription SET halfdays_per_month = 1 WHERE :booking > 0"
    ),
    "what was brought into a plan is of its owner, and no more than the plan lets over": (
        "INSERT INTO ledger_entry (subscription_id, person_id, month, kind, unit, units, created_at)"
        " SELECT subscription_id, person_id, month, 'carried', 'half_day', 1, created_at FROM ledger_entry"
        " WHERE subscription_id IS NOT NULL AND kind = 'hold' AND :booking > 0 ORDER BY id LIMIT 1"
    ),
    "no pack is overdrawn": "UPDATE pack SET units = 1 WHERE :booking > 0",
    "a pack is used by its owner, on its days": "UPDATE pack SET valid_until = valid_from WHERE :booking > 0",
    "what is held of an allowance is consumed or released, not both": (
        "DELETE FROM ledger_entry WHERE kind = 'release' AND :booking > 0"
    ),
    "each local day begins at its midnight and ends where the next begins": (
        "UPDATE lieu_day SET starts_at = split_at WHERE :booking > 0 AND day = (SELECT max(day) FROM lieu_day)"
    ),
    "a day that is over is frozen": "UPDATE lieu_day SET frozen_at = NULL WHERE :booking > 0",
    "each closed month is the document that was sent, and can be true": (
        "UPDATE monthly_return SET figures = replace(figures, 'open_days', 'open_nights') WHERE :booking > 0"
    ),
    "an assigned place is taken for its resident on all of its days, and on no other": (
        "DELETE FROM claim WHERE holder_kind = 'resident' AND :booking > 0"
    ),
    "an assigned place follows itself without a gap, within what was agreed": (
        "UPDATE resident_place SET first_day = '2026-12-02' WHERE :booking > 0"
    ),
    "each month of an assigned place is charged once, at what was agreed": (
        "UPDATE residency SET first_day = '2026-11-02' WHERE :booking > 0"
    ),
    "a day counted again gives what was kept": "UPDATE day_fact SET desk_offered = desk_offered + 1 WHERE :booking > 0",
}


@pytest.mark.parametrize("claim", BREAKS)
def test_each_break_is_found(booked, unguarded, claim):
    unguarded(BREAKS[claim], booking=booked)
    found = broken()
    assert claim in found, found
    assert all(isinstance(sentence, str) and sentence for sentence in found[claim])


def test_a_dropped_guard_is_found_and_the_command_fails(booked, app):
    with db.engine.begin() as connection:
        guards.remove(connection)
    try:
        assert "the database refuses what it is declared to refuse" in broken()
        db.session.rollback()
        done = app.test_cli_runner().invoke(args=["audit"])
        assert done.exit_code == 1 and "BROKEN" in done.output
    finally:
        db.session.rollback()
        with db.engine.begin() as connection:
            guards.install(connection)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_row_that_points_at_nothing_is_found(booked):
    with sqlite3.connect(db.engine.url.database) as connection:  # a connection of its own does not look at them
        connection.execute("UPDATE booking SET person_id = 999999")
    connection.close()
    assert "every row points at rows that are there" in broken()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("written", ["2026-W48-4", "2026W484"])
def test_a_date_that_reads_the_same_and_sorts_elsewhere_is_named(booked, unguarded, written):
    """Its digest is that of the date it reads as, and no search for that month finds it."""
    row = db.session.execute(text("SELECT id, day FROM quote ORDER BY id LIMIT 1")).one()
    assert date.fromisoformat(written).isoformat() == row.day
    unguarded("UPDATE quote SET day = :written WHERE id = :row", written=written, row=row.id)
    assert f"quote {row.id}: day reads as what it is not" in broken()["dates and switches stand as they are written"]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_row_that_cannot_be_read_stops_no_other_check(booked, unguarded):
    unguarded("UPDATE quote SET day = 20261126")
    found = broken()
    assert found["dates and switches stand as they are written"]
    assert any("TypeError" in sentence for sentences in found.values() for sentence in sentences)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_index_that_hides_a_row_is_named(booked):
    """As ``writable_schema`` allows: made without the row, then said to hold all."""
    with sqlite3.connect(db.engine.url.database) as connection:
        whole = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'ix_subscription_person_id'").fetchone()[
            0
        ]
        connection.execute("DROP INDEX ix_subscription_person_id")
        connection.execute(f"{whole} WHERE id < 0")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'ix_subscription_person_id'", (whole,))
        connection.execute("PRAGMA schema_version = 99999")
    connection.close()
    assert any("missing from index" in line for line in broken()["indexes name the rows that their tables hold"])


def test_failed_work_is_reported(inside, place):
    with write_unit():
        db.session.execute(
            text(
                "INSERT INTO outbox"
                " (public_id, topic, key, payload, state, can_wait, created_at, due_at, attempts, last_error)"
                " SELECT 'x', 'mail', 'k', '{}', 'failed', false, starts_at, starts_at, 9, '550 no such user'"
                " FROM lieu_day LIMIT 1"
            )
        )
    assert broken() == {
        "nothing that was to happen afterwards has been given up": ["mail k: 550 no such user"],
        "a day that is over is frozen": broken()["a day that is over is frozen"],
    }


def test_files_that_every_user_may_read_are_found(inside):
    folder = inside.extensions["settings"].data_dir
    claim = "what this instance keeps is readable by its own user only"
    (folder / "email.eml").write_text("")

    def found(folder_mode: int, file_mode: int) -> list[str]:
        folder.chmod(folder_mode)
        (folder / "email.eml").chmod(file_mode)
        return next(found for one, found in checks.run() if one.claim == claim)

    try:
        assert found(0o700, 0o644) == [], "nobody else reaches it"
        others = [path for path in folder.glob("*") if path.name != "email.eml"]
        for path in others:
            path.chmod(path.stat().st_mode & 0o770)
        assert found(0o755, 0o600) == []
        (sentence,) = found(0o755, 0o644)
        assert "email.eml" in sentence and "chmod" in sentence
    finally:
        folder.chmod(0o700)
        (folder / "email.eml").unlink()
