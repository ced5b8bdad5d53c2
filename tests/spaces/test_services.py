"""The lieu's days and settings on both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from coworking.core.audit import AuditEntry
from coworking.core.db import WriteOutsideUnit, db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.core.timespan import Span, total_minutes
from coworking.core.units import write_unit
from coworking.spaces import calendar, inventory, queries, services
from coworking.spaces.models import LieuDay
from coworking.spaces.rules import ACCESSIBLE, STAFFED, Closing, InvalidHours, Opening

pytestmark = pytest.mark.usefixtures("place", "inside")

TODAY = date(2026, 11, 24)  # where the tests' clock stands
MORNINGS = [Opening(weekday, layer, 540, 720) for weekday in range(5) for layer in (ACCESSIBLE, STAFFED)]


@pytest.fixture
def boss(cast: Any) -> Actor:
    return cast.manager.actor()


def closing(first: date, last: date | None = None, start: int | None = None, end: int | None = None) -> Closing:
    return Closing(first, last or first, start, end, "inventaire")


def hours(on: date, layer: str = ACCESSIBLE) -> list[Span]:
    db.session.rollback()
    return queries.day(on).open(layer)


def stored() -> dict[date, tuple[Any, ...]]:
    """Every day as it stands in the database."""
    db.session.rollback()
    rows = queries.days(date.min, date.max).values()
    return {r.day: (r.starts_at, r.split_at, r.ends_at, r.holiday, r.closure, r.open(), r.open(STAFFED)) for r in rows}


def audited() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


# --- Days ------------------------------------------------------------------------------------------------------


def test_days_are_only_made_in_a_unit():
    with pytest.raises(WriteOutsideUnit):
        services.ensure_days(TODAY, TODAY)


def test_making_days_twice_makes_them_once():
    far = TODAY + timedelta(days=300)
    with write_unit():
        first = services.ensure_days(far, far + timedelta(days=2))
    with write_unit():
        again = services.ensure_days(far - timedelta(days=1), far + timedelta(days=2))
    assert (len(first), again) == (3, [far - timedelta(days=1)])


def test_a_week_is_read_in_one_statement_whatever_its_length(count_statements: Callable[[], Any]):
    counts: list[int] = []
    for length in (7, 70):
        db.session.rollback()
        with count_statements() as seen:
            found = queries.days(TODAY, TODAY + timedelta(days=length - 1))
            assert all(isinstance(row.open(), list) for row in found.values())
        assert len(found) == length
        counts.append(len(seen))
    assert counts == [1, 1]


def test_the_holiday_of_alsace_closes_the_day_only_there(boss: Actor):
    st_stephen = date(2026, 12, 26)
    assert total_minutes(hours(st_stephen)) == 240  # a Saturday
    changed = services.update_lieu(boss, holiday_area="6AE")
    assert changed == [st_stephen, date(2027, 3, 26)]
    assert hours(st_stephen) == []
    assert queries.day(st_stephen).holiday == "Saint-Étienne"


def test_a_lieu_may_open_on_public_holidays(boss: Actor):
    christmas = date(2026, 12, 25)
    assert hours(christmas) == []
    services.update_lieu(boss, observes_holidays=False)
    assert total_minutes(hours(christmas)) == 540


def test_the_offered_halves_follow_a_closure(boss: Actor):
    services.add_closure(boss, closing(TODAY, None, 11 * 60 + 1, 18 * 60))
    halves = queries.half_days_between(TODAY, TODAY)[TODAY]
    assert {name: half.offered for name, half in halves.items()} == {"am": True, "pm": False}
    saturday, sunday = date(2026, 11, 28), date(2026, 11, 29)
    halves = queries.half_days_between(saturday, sunday)
    assert (set(halves[saturday]), halves[sunday]) == ({"am"}, {})  # Saturdays know no afternoon


# --- What is over stays ----------------------------------------------------------------------------------------


def test_new_settings_never_touch_past_or_frozen_days(boss: Actor):
    tomorrow = TODAY + timedelta(days=1)
    with write_unit():
        db.session.get_one(LieuDay, tomorrow).frozen_at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    before = stored()
    services.set_schedule(boss, valid_from=TODAY, split_minute=720, openings=MORNINGS)
    services.update_lieu(boss, holiday_area="6AE", postcode="97400")
    with write_unit():
        services.rebuild_days(date.min, date(2027, 6, 1))
    after = stored()
    kept = {day for day in before if day < TODAY or day == tomorrow}
    assert {day: after[day] for day in kept} == {day: before[day] for day in kept}
    assert after[TODAY] != before[TODAY]


def test_midnight_in_the_lieu_freezes_the_day(clock: Any):
    services.freeze_past_days()
    frozen = select(func.max(LieuDay.day)).where(LieuDay.frozen_at.is_not(None))
    assert db.session.scalar(frozen) == TODAY - timedelta(days=1)
    clock.set(datetime(2026, 11, 24, 22, 59, tzinfo=UTC))  # 23:59 in Thiers
    assert services.freeze_past_days() == 0
    clock.advance(minutes=1)
    assert services.freeze_past_days() == 1
    db.session.rollback()
    assert db.session.scalar(frozen) == TODAY


def test_the_horizon_moves_on_and_fills_missed_days(clock: Any):
    services.extend_horizon()
    last = queries.last_known_day()
    clock.advance(days=200)  # the server was off for months
    made = services.extend_horizon()
    assert made[0] == last + timedelta(days=1)
    assert made[-1] == TODAY + timedelta(days=200 + 90) + calendar.BEYOND_HORIZON
    assert services.extend_horizon() == []


def test_a_wider_horizon_is_there_at_once(boss: Actor):
    services.update_lieu(boss, horizon_days=365)
    assert queries.last_known_day() == TODAY + timedelta(days=365) + calendar.BEYOND_HORIZON


# --- Hours -----------------------------------------------------------------------------------------------------


def test_hours_apply_from_their_day_until_the_next(boss: Actor):
    monday, later = date(2026, 11, 30), date(2026, 12, 7)
    services.set_schedule(boss, valid_from=later, split_minute=780, openings=MORNINGS[:4])
    changed = services.set_schedule(boss, valid_from=monday, split_minute=780, openings=MORNINGS)
    assert changed == [monday + timedelta(days=n) for n in range(6)]  # Sunday was closed and stays so
    assert [total_minutes(hours(day)) for day in (date(2026, 11, 27), monday, later)] == [540, 180, 180]
    assert hours(date(2026, 12, 9)) == []
    assert queries.schedule_on(date(2026, 12, 6)).valid_from == monday


def test_hours_of_the_same_day_are_replaced(boss: Actor):
    services.set_schedule(boss, valid_from=TODAY, split_minute=780, openings=MORNINGS)
    services.set_schedule(boss, valid_from=TODAY, split_minute=720, openings=MORNINGS)
    assert [s.valid_from for s in queries.schedules()] == [date(2026, 1, 1), TODAY]
    assert queries.schedule_on(TODAY).split_minute == 720


def test_hours_to_come_can_be_dropped_and_present_ones_cannot(boss: Actor):
    before = stored()
    services.set_schedule(boss, valid_from=date(2026, 12, 7), split_minute=780, openings=MORNINGS)
    services.remove_schedule(boss, date(2026, 12, 7))
    assert stored() == before
    with pytest.raises(services.InThePast):
        services.remove_schedule(boss, date(2026, 1, 1))
    with pytest.raises(NotFound):
        services.remove_schedule(boss, date(2027, 1, 1))


def test_hours_cannot_begin_in_the_past_nor_be_impossible(boss: Actor):
    before = stored()
    with pytest.raises(services.InThePast):
        services.set_schedule(boss, valid_from=TODAY - timedelta(days=1), split_minute=780, openings=MORNINGS)
    with pytest.raises(InvalidHours):
        services.set_schedule(boss, valid_from=TODAY, split_minute=780, openings=[])
    assert (stored(), audited()) == (before, [])


# --- Closures --------------------------------------------------------------------------------------------------


def test_a_closure_closes_and_its_removal_opens_again(boss: Actor):
    before = stored()
    closure, changed = services.add_closure(boss, closing(date(2026, 12, 21), date(2026, 12, 26)))
    assert changed == [date(2026, 12, day) for day in range(21, 27)]
    assert [row.reason for row in queries.closures_between(date(2026, 12, 26), date(2027, 1, 1))] == ["inventaire"]
    services.remove_closure(boss, closure.public_id)
    assert stored() == before
    assert audited() == ["closure.added", "closure.removed"]


def test_a_closure_under_way_ends_yesterday_when_cancelled(boss: Actor, clock: Any):
    closure, _ = services.add_closure(boss, closing(TODAY, TODAY + timedelta(days=3)))
    clock.advance(days=2)
    services.freeze_past_days()
    services.remove_closure(boss, closure.public_id)
    assert [hours(TODAY + timedelta(days=n)) == [] for n in range(4)] == [True, True, False, False]
    assert queries.closure_by_public_id(closure.public_id).last_day == TODAY + timedelta(days=1)
    clock.advance(days=5)
    with pytest.raises(services.InThePast):
        services.remove_closure(boss, closure.public_id)


def test_the_past_cannot_be_closed(boss: Actor):
    with pytest.raises(services.InThePast):
        services.add_closure(boss, closing(TODAY - timedelta(days=1), TODAY))
    assert queries.closures_between(date.min, date.max) == []


# --- Spaces ----------------------------------------------------------------------------------------------------


def test_resources_are_listed_by_zone_then_position_with_their_zone(count_statements: Callable[[], Any], boss: Actor):
    zone = inventory.add_zone(boss, "Mezzanine")
    inventory.add_resources(boss, kind="desk", zone_public_id=zone.public_id, names=["Poste 9", "Poste 8"])
    db.session.rollback()
    db.session.expunge_all()
    with count_statements() as seen:
        found = [(row.zone.name, row.name) for row in queries.resources("desk", TODAY)]
    assert found[-3:] == [("Grand plateau", "Poste 4"), ("Mezzanine", "Poste 9"), ("Mezzanine", "Poste 8")]
    assert len(seen) == 1


def test_a_resource_serves_between_its_days(boss: Actor, clock: Any):
    zone = queries.zones()[0].public_id
    (desk,) = inventory.add_resources(
        boss, kind="desk", zone_public_id=zone, names=["Poste 9"], in_service_from=date(2026, 12, 1)
    )

    def names(day: date) -> set[str]:
        return {row.name for row in queries.resources("desk", day)}

    assert ("Poste 9" in names(TODAY), "Poste 9" in names(date(2026, 12, 1))) == (False, True)
    inventory.retire_resource(boss, desk.public_id, date(2026, 12, 4))
    assert ("Poste 9" in names(date(2026, 12, 4)), "Poste 9" in names(date(2026, 12, 5))) == (True, False)
    clock.set(datetime(2026, 12, 10, 9, tzinfo=UTC))
    with pytest.raises(services.InThePast):
        inventory.retire_resource(boss, desk.public_id, date(2026, 12, 8))


def test_two_desks_in_service_cannot_share_a_name(boss: Actor):
    zone = queries.zones()[0].public_id
    with pytest.raises(inventory.NameTaken):
        inventory.add_resources(boss, kind="desk", zone_public_id=zone, names=["Poste 5", "poste 1"])
    with pytest.raises(inventory.NameTaken):
        inventory.add_zone(boss, "grand plateau")
    assert "Poste 5" not in {row.name for row in queries.resources()}
    assert audited() == []


def test_changes_are_audited_without_names(boss: Actor):
    desk = queries.resources("desk")[0]
    inventory.update_resource(
        boss, desk.public_id, name="Près de la fenêtre", zone_public_id=queries.zones()[1].public_id
    )
    inventory.update_resource(boss, desk.public_id, name="Près de la fenêtre")
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.subject_id, entry.details) == (
        "resource.updated",
        desk.id,
        {"changed": ["name", "zone"]},
    )
    assert (entry.actor_id, queries.resource_by_public_id(desk.public_id).zone.name) == (boss.person_id, "Salles")


def test_an_unknown_id_is_not_found(boss: Actor):
    for attempt in (
        lambda: inventory.update_resource(boss, "nobody", name="x"),
        lambda: inventory.retire_resource(boss, "nobody", TODAY),
        lambda: inventory.rename_zone(boss, "nobody", "x"),
        lambda: services.remove_closure(boss, "nobody"),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_second_lieu_is_refused(boss: Actor):
    answers = services.SetUp(
        name="Autre",
        address="",
        postcode="63300",
        city="Thiers",
        legal_status="association",
        vat_status="exempt",
        openings=MORNINGS,
        desk_names=["Poste 1"],
        zone_name="Plateau",
    )
    with pytest.raises(NotFound), write_unit():
        services.set_up(answers)
    assert queries.lieu().name == "La Fabrique du Pont"
    assert boss.has(Role.MANAGER)


def test_a_closure_without_end_costs_what_is_known_and_no_more(inside, place, cast):
    """The end of the calendar is no date to count days up to."""
    _closure, changed = services.add_closure(
        cast.manager.actor(), Closing(date(2026, 11, 27), date(9999, 12, 31), None, None, "Travaux")
    )
    assert changed[0] == date(2026, 11, 27)
    assert changed[-1] <= queries.last_known_day()
