"""Two entries of the directory that are one place become one; or are said to be two, which is remembered.

Returns are append-only and signed by one lieu, so that they never move from one entry to another: the entry that remains is
the one that sends, and two that both send are not merged.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.policy import Actor
from coworking.core.sql import inserted
from coworking.core.units import locked, write_unit
from coworking.network.head import duplicate_queries
from coworking.network.head.duplicate_queries import Ties
from coworking.network.head.entry_rules import FIELDS, EntryChanged, edited_after, fingerprint, stated, trail
from coworking.network.head.models import LieuMerge, NetworkLieu, TwoPlaces

POSITION = ("latitude", "longitude")
"""They go with the address."""


class TwoSenders(DomainError):
    """Both entries have returns or a way to send them."""

    code = "two_senders"
    status = 409
    message = N_(
        "Both entries send figures, or have sent some: what each sent is signed and stays with it. Note on one of them that "
        "it left, and keep the other."
    )


class MergedFurther(DomainError):
    """The entry that remained was merged into another one since."""

    code = "merged_further"
    status = 409
    message = N_("This entry was merged into another one since: undo that first.")


def order(one: NetworkLieu, other: NetworkLieu, tied: dict[int, Ties]) -> tuple[NetworkLieu, NetworkLieu]:
    """Which of both remains, and which goes: who sends remains, else who holds a link, else who was here first.

    Raises `TwoSenders`.
    """
    if tied[one.id].sends and tied[other.id].sends:
        raise TwoSenders()
    first = sorted((one, other), key=lambda row: (not tied[row.id].sends, not tied[row.id].holds, row.id))
    return first[0], first[1]


def merge(actor: Actor, one: str, other: str, taken: Collection[str], *, seen: str) -> LieuMerge:
    """Make both entries (public ids) one: the one that remains takes the fields ``taken`` from the one that goes.

    ``seen``: `pair_fingerprint` of what the page showed. Raises `NotFound`, `TwoSenders`, and `EntryChanged` where either
    says something else by now.
    """
    with write_unit() as unit:
        rows = _locked(one, other)
        tied = duplicate_queries.ties([row.id for row in rows])
        kept, gone = order(*rows, tied)
        if seen != pair_fingerprint(kept, gone):
            raise EntryChanged()
        old = stated(kept)
        new = old | {name: getattr(gone, name) for name in FIELDS if name in taken}
        changes: dict[str, list[Any]] = {name: [old[name], new[name]] for name in FIELDS if old[name] != new[name]}
        if "address" in changes:
            changes |= {name: [getattr(kept, name), getattr(gone, name)] for name in POSITION}
        for name, (_old, value) in changes.items():
            setattr(kept, name, value)
        kept.edited = edited_after(kept.edited, list(changes))
        gone.merged_into_id = kept.id
        row = LieuMerge(kept_id=kept.id, gone_id=gone.id, changes=changes, created_by_id=actor.person_id)
        db.session.add(row)
        audit.record(
            actor, "network.lieux_merged", ("network_lieu", kept.id), gone=gone.public_id, changed=trail(old, new)
        )
        unit.result = kept.public_id
    return row


def undo(actor: Actor, lieu: str, merge_id: int) -> list[str]:
    """Make two entries again of what `merge` made one; twice is fine. Returns the fields that were edited since.

    These stay as they are. Raises `NotFound`, `MergedFurther`.
    """
    with write_unit() as unit:
        row = db.session.get(LieuMerge, merge_id)
        if row is None:
            raise NotFound()
        both = select(NetworkLieu).where(NetworkLieu.id.in_((row.kept_id, row.gone_id))).order_by(NetworkLieu.id)
        rows = {found.id: found for found in db.session.scalars(locked(both))}
        row = db.session.scalars(locked(select(LieuMerge).where(LieuMerge.id == merge_id))).one()
        kept, gone = rows[row.kept_id], rows[row.gone_id]
        if kept.public_id != lieu:
            raise NotFound()
        unit.result = kept.public_id
        if row.undone_at is not None:
            return []
        if kept.merged_into_id is not None:
            raise MergedFurther()
        old = stated(kept)
        since = [name for name, (_old, value) in row.changes.items() if getattr(kept, name) != value]
        for name, (value, _new) in row.changes.items():
            if name not in since:
                setattr(kept, name, value)
        gone.merged_into_id = None
        row.undone_at, row.undone_by_id = now(), actor.person_id
        audit.record(
            actor,
            "network.merge_undone",
            ("network_lieu", kept.id),
            gone=gone.public_id,
            changed=trail(old, stated(kept)),
        )
    return [name for name in since if name not in POSITION]


def say_two(actor: Actor, one: str, other: str) -> None:
    """Remember that both entries (public ids) are two places; twice is fine. Raises `NotFound`."""
    with write_unit() as unit:
        first, second = _locked(one, other)
        if inserted(TwoPlaces, first_id=first.id, second_id=second.id, created_at=now(), created_by_id=actor.person_id):
            audit.record(actor, "network.two_places", ("network_lieu", first.id), other=second.public_id)
        unit.result = first.public_id


def pair_fingerprint(kept: NetworkLieu, gone: NetworkLieu) -> str:
    """A word that changes with what either entry says, and with which of them remains."""
    return f"{kept.public_id}.{fingerprint(stated(kept))}.{fingerprint(stated(gone))}"


def _locked(one: str, other: str) -> tuple[NetworkLieu, NetworkLieu]:
    """Both entries, the lower id first, locked in the open unit."""
    statement = select(NetworkLieu).where(NetworkLieu.public_id.in_((one, other)), NetworkLieu.merged_into_id.is_(None))
    rows = list(db.session.scalars(locked(statement.order_by(NetworkLieu.id))))
    if len(rows) != 2:
        raise NotFound()
    return rows[0], rows[1]
