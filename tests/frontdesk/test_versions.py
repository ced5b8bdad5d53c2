"""What a worker keeps of the planning: every change is on the next page, whatever program made it."""

from __future__ import annotations

import re
import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text, update

from coworking.accounts.models import Person
from coworking.booking import services
from coworking.booking.placing import Request, RequestedItem
from coworking.claims.models import DayVersion
from coworking.claims.queries import day_version
from coworking.core.db import WriteOutsideUnit, db
from coworking.core.page_versions import Keep, lieu_version
from coworking.core.timespan import Span
from coworking.core.units import end_read, write_unit
from coworking.frontdesk import timeline
from coworking.spaces import calendar, inventory
from coworking.spaces import queries as spaces
from coworking.spaces.models import LieuDay, Resource, Zone

THURSDAY = date(2026, 11, 26)
URL = "/planning?day=2026-11-26"
TEN, ELEVEN, NOON = (datetime(2026, 11, 26, hour, tzinfo=UTC) for hour in (9, 10, 11))


@pytest.fixture
def busy(app, place, cast):
    """A Thursday with a desk and a room booked."""
    with app.app_context():
        services.book_half_days(cast.member.actor(), THURSDAY, frozenset({"am"}), resource=place.desks[0].public_id)
        room = RequestedItem(resource=place.rooms[0].public_id)
        services.book(cast.colleague.actor(), Request(span=Span(TEN, ELEVEN), items=(room,), title="Comité"))
    return app


def instant(when: datetime) -> object:
    return round(when.timestamp() * 1_000_000) if db.engine.dialect.name == "sqlite" else when


def by_sql(statement: str, **values: object) -> None:
    """Run ``statement`` on a connection of its own, as any other program could."""
    with db.engine.begin() as connection:
        given = {name: instant(value) if isinstance(value, datetime) else value for name, value in values.items()}
        connection.execute(text(statement), given)


CHANGES = {
    "lieu": ("UPDATE lieu SET name = 'Les Halles'", {}),
    "zone": ("UPDATE zone SET name = 'Verrière'", {}),
    "resource": ("UPDATE resource SET name = name || ' bis'", {}),
    "resource retired": ("UPDATE resource SET in_service_until = '2026-11-25' WHERE name LIKE '%2'", {}),
    "person": ("UPDATE person SET first_name = 'Ondine'", {}),
    "lieu_day and open_span": ("DELETE FROM open_span WHERE day = '2026-11-26'", {}),
    "open_span": ("UPDATE open_span SET ends_at = :noon WHERE ends_at > :noon AND starts_at < :noon", {"noon": NOON}),
    "claim released": ("UPDATE claim SET live = FALSE", {}),
    "claim moved": ("UPDATE claim SET use_ends_at = :ten + (use_ends_at - :ten) / 2", {"ten": TEN}),
    "claim deleted": ("DELETE FROM claim", {}),
    "booking": ("UPDATE booking SET title = 'Conseil'", {}),
    "booking of someone else": ("UPDATE booking SET person_id = (SELECT max(id) FROM person)", {}),
    "booking_unit": ("UPDATE booking_unit SET outcome = 'absent'", {}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_by_sql_is_on_the_next_page(busy, cast, sign_in, change, monkeypatch):
    host = sign_in(cast.host)
    before = plain(host.get(URL))
    assert plain(host.get(URL)) == before
    statement, values = CHANGES[change]
    with busy.app_context():
        by_sql(statement, **values)
    after = plain(host.get(URL))
    assert after != before
    assert plain(host.get(URL)) == after
    monkeypatch.setattr(timeline, "_kept", Keep(1))
    monkeypatch.setattr(timeline, "_kept_walls", Keep(1))
    assert plain(host.get(URL)) == after, "a worker that keeps nothing yet draws the same"


def plain(answer) -> str:
    """The page without what is new in every answer."""
    return re.sub(r'(nonce|csrf-token|content|value)="[^"]*"', "", answer.get_data(as_text=True))


def test_a_new_claim_by_sql_is_on_the_next_page(busy, place, cast, sign_in):
    host = sign_in(cast.host)
    before = plain(host.get(URL))
    with busy.app_context():
        by_sql(
            "INSERT INTO claim (resource_id, holder_kind, holder_id, starts_at, ends_at, use_starts_at, use_ends_at, live,"
            " long, created_at) VALUES (:desk, 'block', 1, :ten, :noon, :ten, :noon, TRUE, FALSE, :ten)",
            desk=place.desks[2].id,
            ten=TEN,
            noon=NOON,
        )
    assert plain(host.get(URL)) != before


def test_a_claim_over_two_nights_raises_three_days(inside, place):
    days = [date(2026, 11, 25), THURSDAY, date(2026, 11, 27), date(2026, 11, 28)]
    before = [day_version(day) for day in days]
    end_read()
    by_sql(
        "INSERT INTO claim (resource_id, holder_kind, holder_id, starts_at, ends_at, use_starts_at, use_ends_at, live,"
        " long, created_at) VALUES (:desk, 'block', 1, :first, :last, :first, :last, TRUE, TRUE, :first)",
        desk=place.desks[2].id,
        first=datetime(2026, 11, 25, 9, tzinfo=UTC),
        last=datetime(2026, 11, 27, 9, tzinfo=UTC),
    )
    assert [day_version(day) - was for day, was in zip(days, before, strict=True)] == [1, 1, 1, 0]


def test_what_no_page_shows_raises_nothing(busy, cast):
    with busy.app_context():
        before = lieu_version(), day_version(THURSDAY)
        end_read()
        by_sql("UPDATE person SET phone = '04 73 00 00 00', session_epoch = session_epoch + 1")
        by_sql("UPDATE booking SET told = NULL, untold_since = NULL")
        assert (lieu_version(), day_version(THURSDAY)) == before


def test_a_unit_that_is_rolled_back_leaves_nothing_kept(busy, place, cast, sign_in):
    host = sign_in(cast.host)
    before = plain(host.get(URL))
    with busy.app_context():
        with pytest.raises(RuntimeError):
            _rename_and_fail(place.desks[0].id)
        assert spaces.lieu().name == "La Fabrique du Pont"
        assert "Poste neuf" not in {row.name for row in spaces.places(THURSDAY)}
    assert plain(host.get(URL)) == before


def _rename_and_fail(desk: int) -> None:
    with write_unit():
        calendar.lock_lieu().name = "Les Halles"
        db.session.get_one(Resource, desk).name = "Poste neuf"
        db.session.flush()
        assert spaces.lieu().name == "Les Halles"
        assert "Poste neuf" in {row.name for row in spaces.places(THURSDAY)}
        raise RuntimeError


def test_the_copy_for_reading_cannot_be_changed(inside, place):
    end_read()
    with pytest.raises(WriteOutsideUnit, match="lock_lieu"):
        spaces.lieu().name = "Les Halles"
    with write_unit():
        calendar.lock_lieu().name = "Les Halles"
        assert spaces.lieu().name == "Les Halles"
    assert spaces.lieu().name == "Les Halles"


@pytest.mark.parametrize(
    "change",
    [
        lambda: setattr(db.session.scalars(select(Resource)).first(), "name", "Poste neuf"),
        lambda: db.session.add(Zone(name="Étage", position=9)),
        lambda: db.session.execute(update(Person).values(first_name="Ondine")),
        lambda: db.session.execute(text("UPDATE lieu SET city = 'Ambert'")),
    ],
    ids=["object changed", "object added", "statement", "words"],
)
def test_a_request_sees_what_it_has_changed_itself(inside, place, cast, change):
    with inside.test_request_context("/"):
        before = lieu_version()
        end_read()
        with write_unit():
            change()
        assert lieu_version() != before


def test_a_request_is_told_the_version_once_unless_it_changes_the_lieu(inside, place, count_statements):
    with inside.test_request_context("/"):
        before = lieu_version()
        with count_statements() as asked:
            with write_unit():
                db.session.add(DayVersion(day=date(2020, 1, 1)))
            assert lieu_version() == before
        assert not [statement for statement in asked if "FROM lieu_version" in statement]


def test_many_changes_of_one_unit_are_one_version(inside, place):
    seen = {lieu_version()}
    with write_unit():
        for day in db.session.scalars(db.select(LieuDay)):
            day.closure = "Travaux"
    seen.add(lieu_version())
    assert len(seen) == 2


def test_the_lieu_is_read_once_per_version(busy, cast, sign_in, count_statements):
    host = sign_in(cast.host)
    host.get(URL)
    with count_statements() as kept:
        host.get(URL)
    assert len(kept) == 2, kept
    with busy.app_context(), write_unit():
        db.session.get_one(Person, cast.stranger.id).first_name = "Ondine"
    with count_statements() as anew:
        host.get(URL)
    assert len(anew) == 4, anew  # besides the lieu: its places and the day's hours once more


def test_units_that_raise_the_same_versions_wait_for_each_other(busy, place, cast):
    """Sixteen renamings at once: each holds other rows, and each is there in the end."""
    refused: list[BaseException] = []

    def rename(number: int) -> None:
        try:
            with busy.app_context(), write_unit():
                resource = place.desks[number % len(place.desks)]
                db.session.get_one(Resource, resource.id).description = f"essai {number}"
                db.session.get_one(
                    Person, cast.member.id if number % 2 else cast.colleague.id
                ).first_name = f"N{number}"
        except BaseException as error:
            refused.append(error)

    threads = [threading.Thread(target=rename, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not refused
    with busy.app_context():
        assert {row.first_name for row in db.session.scalars(db.select(Person)).unique()} & {f"N{n}" for n in range(16)}


def test_a_retired_place_leaves_the_planning_at_once(busy, place, cast, sign_in):
    host = sign_in(cast.host)
    assert place.desks[3].name in host.get(URL).get_data(as_text=True)
    with busy.app_context():
        inventory.retire_resource(cast.manager.actor(), place.desks[3].public_id, date(2026, 11, 25))
    assert place.desks[3].name not in host.get(URL).get_data(as_text=True)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_unit_sees_what_was_committed_while_it_waited(inside, place):
    """It asked for the version before it waited for a lock; meanwhile somebody renamed a desk. SQLite has one writer."""
    spaces.places(THURSDAY)
    end_read()
    with write_unit():
        lieu_version()
        by_sql("UPDATE resource SET name = name || ' bis'")
        assert {one.name[-4:] for one in spaces.places(THURSDAY)} == {" bis"}
