"""Reading groups, what they get on a day, and who belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.page_versions import Keep, lieu_version
from coworking.pricing.group_models import GroupPrice, GroupTariff, PriceGroup, PriceGroupMember
from coworking.pricing.group_rules import GroupPrices, Reduction

LAST_DAY = func.coalesce(PriceGroupMember.ended_on, PriceGroupMember.valid_until)
"""The last day on which a person's belonging counts."""

_kept = Keep[list[tuple[date, GroupPrices]]](8)


def group_prices_on(day: date, group_ids: Collection[int]) -> list[GroupPrices]:
    """What each of the groups gets on ``day``, in the order of their ids.

    All are kept under the lieu's version: no statement while nobody changes one, 1 after that.
    """
    version = lieu_version()
    every = _kept.get(version) if version is not None else None
    if every is None:
        every = _all_prices()
        if version is not None:
            _kept.put(version, every)
    found: dict[int, GroupPrices] = {}
    for valid_from, prices in every:  # the latest first
        if valid_from <= day and prices.group_id in group_ids:
            found.setdefault(prices.group_id, prices)
    return [found[group_id] for group_id in sorted(found)]


def _all_prices() -> list[tuple[date, GroupPrices]]:
    """Of each group's tariffs the first day and the reductions, the latest first (1 statement)."""
    rows = db.session.execute(
        select(
            GroupTariff.id,
            GroupTariff.group_id,
            PriceGroup.name,
            GroupTariff.valid_from,
            GroupPrice.kind,
            GroupPrice.of_id,
            GroupPrice.percent_bp,
            GroupPrice.cents,
        )
        .join(PriceGroup, PriceGroup.id == GroupTariff.group_id)
        .outerjoin(GroupPrice, GroupPrice.tariff_id == GroupTariff.id)
        .order_by(GroupTariff.valid_from.desc(), GroupTariff.id)
    )
    found: dict[int, tuple[date, GroupPrices, dict[tuple[str, int], Reduction]]] = {}
    for row in rows:
        if row.id not in found:
            reductions: dict[tuple[str, int], Reduction] = {}
            found[row.id] = (row.valid_from, GroupPrices(row.group_id, row.name, reductions), reductions)
        if row.kind is not None:
            found[row.id][2][row.kind, row.of_id] = Reduction(row.percent_bp, row.cents)
    return [(valid_from, prices) for valid_from, prices, _ in found.values()]


def groups(*, archived: bool = False) -> list[PriceGroup]:
    """The groups that are given (or were), by name (1 statement)."""
    wanted = PriceGroup.archived_at.is_not(None) if archived else PriceGroup.archived_at.is_(None)
    return list(db.session.scalars(select(PriceGroup).where(wanted).order_by(PriceGroup.name, PriceGroup.id)))


def group_by_public_id(public_id: str) -> PriceGroup:
    """The group; raises `NotFound`."""
    found = db.session.scalar(select(PriceGroup).where(PriceGroup.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def group_name(group_id: int | None) -> str | None:
    """The name of a group; None for none."""
    found = db.session.get(PriceGroup, group_id) if group_id is not None else None
    return found.name if found is not None else None


def group_tariffs(group_id: int) -> list[GroupTariff]:
    """Every tariff of a group with its reductions, the latest first (2 statements)."""
    return list(
        db.session.scalars(
            select(GroupTariff)
            .where(GroupTariff.group_id == group_id)
            .order_by(GroupTariff.valid_from.desc())
            .options(selectinload(GroupTariff.prices))
        )
    )


def tariffs_of(belongings: Iterable[PriceGroupMember], today: date) -> dict[int, GroupTariff]:
    """What each group of ``belongings`` gets when it counts, today or from its first day on, by the group's id."""
    found: dict[int, GroupTariff] = {}
    for one in belongings:
        day = max(today, one.valid_from)
        ruling = next((tariff for tariff in group_tariffs(one.group_id) if tariff.valid_from <= day), None)
        if ruling is not None:
            found.setdefault(one.group_id, ruling)
    return found


def members_count(day: date) -> dict[int, int]:
    """How many people belong to each group on ``day``, by its id (1 statement)."""
    rows = db.session.execute(
        select(PriceGroupMember.group_id, func.count(PriceGroupMember.person_id.distinct()))
        .where(PriceGroupMember.valid_from <= day, day <= LAST_DAY)
        .group_by(PriceGroupMember.group_id)
    )
    return {row[0]: row[1] for row in rows}


def members_on(day: date) -> dict[int, set[int]]:
    """The ids of the groups to which people belong on ``day``, by the person's id (1 statement)."""
    found: dict[int, set[int]] = {}
    counts = (PriceGroupMember.valid_from <= day, day <= LAST_DAY)
    for person_id, group_id in db.session.execute(
        select(PriceGroupMember.person_id, PriceGroupMember.group_id).where(*counts)
    ):
        found.setdefault(person_id, set()).add(group_id)
    return found


def belongings_of(person_id: int) -> Sequence[PriceGroupMember]:
    """Every group the person belongs, belonged or will belong to, the latest first (1 statement)."""
    return (
        db.session.scalars(
            select(PriceGroupMember)
            .where(PriceGroupMember.person_id == person_id)
            .options(joinedload(PriceGroupMember.group), joinedload(PriceGroupMember.seen_by))
            .order_by(PriceGroupMember.valid_until.desc(), PriceGroupMember.id.desc())
        )
        .unique()
        .all()
    )


def groups_of(person_id: int, day: date) -> list[GroupPrices]:
    """What the groups get to which the person belongs on ``day`` (1 statement, and what `group_prices_on` takes)."""
    ids = set(
        db.session.scalars(
            select(PriceGroupMember.group_id).where(
                PriceGroupMember.person_id == person_id, PriceGroupMember.valid_from <= day, day <= LAST_DAY
            )
        )
    )
    return group_prices_on(day, ids) if ids else []


def belonging_by_public_id(public_id: str) -> PriceGroupMember | None:
    """One belonging with its person and group; None for an unknown one."""
    return db.session.scalar(
        select(PriceGroupMember)
        .where(PriceGroupMember.public_id == public_id)
        .options(joinedload(PriceGroupMember.group), joinedload(PriceGroupMember.person))
    )


def ending(first: date, last: date, *, only: str | None = None) -> list[PriceGroupMember]:
    """Those belongings that end from ``first`` to ``last`` and go on in no other (1 statement); of just one of them where
    ``only`` names it."""
    later = select(PriceGroupMember).subquery()
    goes_on = select(later.c.id).where(
        later.c.person_id == PriceGroupMember.person_id,
        later.c.group_id == PriceGroupMember.group_id,
        later.c.valid_until > PriceGroupMember.valid_until,
        later.c.ended_on.is_(None),
    )
    wanted = (
        PriceGroupMember.valid_until.between(first, last),
        PriceGroupMember.ended_on.is_(None),
        ~goes_on.exists(),
        *((PriceGroupMember.public_id == only,) if only is not None else ()),
    )
    return list(db.session.scalars(select(PriceGroupMember).where(*wanted).order_by(PriceGroupMember.id)))
