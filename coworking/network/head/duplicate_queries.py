"""Reading pairs of entries that may be one place, what ties each to the network, and what was merged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import exists, or_, select

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.network.head.duplicate_rules import Listed, proposals
from coworking.network.head.models import Enrolment, LieuMerge, NetworkLieu, ReceivedReturn, TwoPlaces


@dataclass(frozen=True, slots=True)
class Ties:
    """``sends``: figures came from it or are awaited, or it brought a key. ``holds``: it holds an open or used link."""

    sends: bool
    holds: bool


@dataclass(frozen=True, slots=True)
class PossibleDuplicates:
    """Two entries that may be one place."""

    one: NetworkLieu
    other: NetworkLieu


def possible_duplicates() -> list[PossibleDuplicates]:
    """Every pair that the lead has not decided on: three statements."""
    columns = (NetworkLieu.id, NetworkLieu.name, NetworkLieu.address, NetworkLieu.postcode, NetworkLieu.city)
    rows = db.session.execute(select(*columns, NetworkLieu.code_insee).where(NetworkLieu.merged_into_id.is_(None)))
    apart = db.session.execute(select(TwoPlaces.first_id, TwoPlaces.second_id))
    pairs = proposals((Listed(*row) for row in rows), {(first, second) for first, second in apart})
    ids = {one for pair in pairs for one in pair}
    found = {row.id: row for row in db.session.scalars(select(NetworkLieu).where(NetworkLieu.id.in_(ids)))}
    return sorted(
        (PossibleDuplicates(found[one], found[other]) for one, other in pairs),
        key=lambda pair: (pair.one.city or "", pair.one.name, pair.one.id),
    )


def ties(ids: Collection[int]) -> dict[int, Ties]:
    """What ties each of the entries to the network: three statements."""
    sent = set(
        db.session.scalars(
            select(ReceivedReturn.network_lieu_id).where(ReceivedReturn.network_lieu_id.in_(ids)).distinct()
        )
    )
    linked = set(
        db.session.scalars(
            select(Enrolment.network_lieu_id)
            .where(Enrolment.network_lieu_id.in_(ids), Enrolment.revoked_at.is_(None))
            .distinct()
        )
    )
    rows = db.session.execute(
        select(NetworkLieu.id, or_(NetworkLieu.way.is_not(None), NetworkLieu.key_id.is_not(None))).where(
            NetworkLieu.id.in_(ids)
        )
    )
    return {row_id: Ties(bool(belongs) or row_id in sent, row_id in linked) for row_id, belongs in rows}


def lieu_and_merges(public_id: str) -> tuple[NetworkLieu, bool]:
    """The lieu, and whether another entry was merged into it; raises `NotFound`."""
    merges = exists().where(LieuMerge.kept_id == NetworkLieu.id, LieuMerge.undone_at.is_(None))
    row = db.session.execute(select(NetworkLieu, merges).where(NetworkLieu.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound()
    return row[0], bool(row[1])


def merged_into(lieu_id: int) -> list[tuple[LieuMerge, str]]:
    """The merges into the entry that stand, the latest first, each with the name of the entry that went."""
    rows = db.session.execute(
        select(LieuMerge, NetworkLieu.name)
        .join(NetworkLieu, NetworkLieu.id == LieuMerge.gone_id)
        .where(LieuMerge.kept_id == lieu_id, LieuMerge.undone_at.is_(None))
        .order_by(LieuMerge.id.desc())
    )
    return [(merge, name) for merge, name in rows]
