"""Reduced prices: groups, what they get from a day on, and who belongs to them. Each public function is one unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.accounts.rules import DatesCross
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, write_unit
from coworking.pricing import group_queries
from coworking.pricing.group_models import GroupPrice, GroupTariff, PriceGroup, PriceGroupMember
from coworking.pricing.group_rules import (
    GivenAlready,
    GroupClosed,
    GroupNameTaken,
    GroupPricesInPast,
    Reduction,
    check_given,
    group_name_of,
)
from coworking.spaces import queries as spaces
from coworking.spaces.calendar import lock_lieu


def add_group(actor: Actor, name: str) -> PriceGroup:
    """Let there be a group of people who pay less; managers only. Raises `GroupNameInvalid`, `GroupNameTaken`."""
    _check_has(actor, Role.MANAGER)
    plain = group_name_of(name)
    with write_unit() as unit:
        lock_lieu()
        _check_free(plain)
        group = PriceGroup(name=plain)
        db.session.add(group)
        db.session.flush()
        audit.record(actor, "price_group.added", ("price_group", group.id))
        unit.result = group.public_id
    return group


def set_group_open(actor: Actor, public_id: str, is_open: bool) -> PriceGroup:
    """Give the group to people again or no longer; who has it keeps it. Managers only; twice is fine."""
    _check_has(actor, Role.MANAGER)
    with write_unit():
        lock_lieu()
        group = _group(public_id)
        if is_open == (group.archived_at is None):
            return group
        if is_open:
            _check_free(group.name)
        group.archived_at = None if is_open else now()
        audit.record(actor, "price_group.opened" if is_open else "price_group.closed", ("price_group", group.id))
    return group


def set_group_prices(
    actor: Actor, public_id: str, *, valid_from: date, reductions: Mapping[tuple[str, int], Reduction]
) -> GroupTariff:
    """Let the group get these reductions from ``valid_from`` (today at the earliest) on, and the full price of all else.

    Those of the same day are replaced. What was agreed before keeps its price. Managers only; raises `GroupPricesInPast`.
    """
    _check_has(actor, Role.MANAGER)
    with write_unit() as unit:
        group = _group(public_id)
        if valid_from < spaces.today():
            raise GroupPricesInPast()
        tariff = db.session.scalar(
            locked(select(GroupTariff).where(GroupTariff.group_id == group.id, GroupTariff.valid_from == valid_from))
        )
        if tariff is None:
            tariff = GroupTariff(group_id=group.id, valid_from=valid_from)
            db.session.add(tariff)
        tariff.prices.clear()
        db.session.flush()  # the old reductions go before the new ones take their places
        tariff.prices = [
            GroupPrice(kind=kind, of_id=of_id, percent_bp=one.percent_bp, cents=one.cents)
            for (kind, of_id), one in reductions.items()
        ]
        db.session.flush()
        audit.record(actor, "price_group.priced", ("price_group", group.id), valid_from=valid_from.isoformat())
        unit.result = group.public_id
    return tariff


def remove_group_prices(actor: Actor, public_id: str) -> None:
    """Drop reductions that have not begun; managers only. Raises `GroupPricesInPast` for any other."""
    _check_has(actor, Role.MANAGER)
    with write_unit():
        tariff = db.session.scalar(locked(select(GroupTariff).where(GroupTariff.public_id == public_id)))
        if tariff is None:
            raise NotFound()
        if tariff.valid_from <= spaces.today():
            raise GroupPricesInPast()
        day = tariff.valid_from.isoformat()
        audit.record(actor, "price_group.prices_removed", ("price_group", tariff.group_id), valid_from=day)
        db.session.delete(tariff)


def give(
    actor: Actor, person: str, group: str, *, valid_from: date, valid_until: date, proof: str, seen_on: date
) -> PriceGroupMember:
    """Let a person pay a group's prices from ``valid_from`` (today at the earliest) to ``valid_until``.

    The team only: who gives it has seen ``proof``, which is described and never kept. Raises `GroupClosed`, `GivenInPast`,
    `ProofNotSeen`, `DatesCross`, `GivenAlready`.
    """
    _check_has(actor, Role.HOST)
    check_given(valid_from, seen_on, spaces.today())
    if valid_until < valid_from:
        raise DatesCross(field="valid_until")
    with write_unit() as unit:
        who = _person(person)
        wanted = group_queries.group_by_public_id(group)
        if wanted.archived_at is not None:
            raise GroupClosed()
        for held in _held(who.id, wanted.id):
            if held.valid_from <= valid_until and valid_from <= held.last_day:
                raise GivenAlready(last=held.last_day)
        given = PriceGroupMember(
            person_id=who.id,
            group_id=wanted.id,
            valid_from=valid_from,
            valid_until=valid_until,
            proof=proof,
            seen_on=seen_on,
            seen_by_id=actor.person_id,
        )
        db.session.add(given)
        db.session.flush()
        dates = {"first": valid_from.isoformat(), "last": valid_until.isoformat(), "seen_on": seen_on.isoformat()}
        audit.record(actor, "reduced_price.given", ("price_group", wanted.id), person_id=who.id, **dates)
        unit.result = given.public_id
    return given


def end(actor: Actor, public_id: str) -> PriceGroupMember:
    """Let a person pay the full price from today on; what is booked keeps its price. The team only; twice is fine."""
    _check_has(actor, Role.HOST)
    owner = select(Person.public_id).join(PriceGroupMember, PriceGroupMember.person_id == Person.id)
    with write_unit() as unit:
        unit.result = public_id
        found = db.session.scalar(owner.where(PriceGroupMember.public_id == public_id))
        if found is None:
            raise NotFound()
        who = _person(found)
        held = db.session.scalars(locked(select(PriceGroupMember).where(PriceGroupMember.public_id == public_id))).one()
        today = spaces.today()
        if held.last_day >= today:
            held.ended_on = max(today, held.valid_from) - timedelta(days=1)
            held.ended_by_id = actor.person_id
            audit.record(actor, "reduced_price.ended", ("price_group", held.group_id), person_id=who.id)
    return held


def _held(person_id: int, group_id: int) -> list[PriceGroupMember]:
    mine = (PriceGroupMember.person_id == person_id, PriceGroupMember.group_id == group_id)
    return [row for row in db.session.scalars(select(PriceGroupMember).where(*mine)) if not row.never_counted]


def _check_free(name: str) -> None:
    given = (PriceGroup.name == name, PriceGroup.archived_at.is_(None))
    if db.session.scalar(select(PriceGroup.id).where(*given)) is not None:
        raise GroupNameTaken()


def _group(public_id: str) -> PriceGroup:
    found = db.session.scalar(locked(select(PriceGroup).where(PriceGroup.public_id == public_id)))
    if found is None:
        raise NotFound()
    return found


def _person(public_id: str) -> Person:
    """The person, locked: what is booked meanwhile waits, so that every price is of before or of after."""
    found = db.session.scalars(locked(select(Person).where(Person.public_id == public_id))).unique().one_or_none()
    if found is None or not found.is_active:
        raise NotFound()
    return found


def _check_has(actor: Actor, role: Role) -> None:
    if not actor.has(role):
        raise Forbidden()
