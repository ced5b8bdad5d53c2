"""The two signed chains: how an entry is appended, what it covers, and the heads that are kept elsewhere.

``money`` gets one entry per unit that touched money, signed in that unit; ``trail`` one a minute (`core.trail`). Which rows
an entry covers stands in its seals. Nobody can alter, drop or slip in an entry without the lieu's key (`core.links`). Only
cutting off the end leaves a chain that holds; against that its head (`heads`) is kept elsewhere.

The documents of billing carry links of their own in their rows, so that each can be shown to a third party by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Text, UniqueConstraint, bindparam, insert, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.keyring import SigningKey, signing_key
from coworking.core.links import GENESIS, ChainLink, canonical_payload, link_behind
from coworking.core.sealing import (
    MONEY,
    SEALED,
    TRAIL,
    ChainName,
    Note,
    Sealed,
    covered,
    digests_of,
    plain_value,
    row_digest,
    rows_digest,
)
from coworking.core.sql import insert_now, inserted, table_of
from coworking.core.types import BigId, BigInt, UTCDateTime
from coworking.core.units import UnitOfWork, for_update, last_before_commit, require_unit, write_unit

CHAINS: tuple[ChainName, ...] = (MONEY, TRAIL)
OPENING = "opening"
"""The act of seals over rows older than their chain: nothing is proved about the time before."""

_AT_ONCE = 500


# Rows -----------------------------------------------------------------------------------------------------------------


class ChainEntry(Model):
    """One entry of a chain: its payload (RFC 8785 text) and its link. Append-only."""

    __tablename__ = "chain_entry"
    __table_args__ = (UniqueConstraint("chain", "seq"),)

    id: Mapped[BigId]
    chain: Mapped[str]
    seq: Mapped[int]
    prev: Mapped[str]
    payload: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str]
    key_id: Mapped[str]
    signature: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def link(self) -> ChainLink:
        return ChainLink(self.seq, self.prev, self.sha256, self.key_id, self.signature)


class Seal(Model):
    """What an entry says of the rows ``first_id`` to ``last_id`` of the table ``subject``. Append-only.

    ``digest``: `rows_digest` of the rows' digests. The seal of a row's latest entry counts. ``act``: made, changed, removed,
    opening, or (in the trail) written.
    """

    __tablename__ = "seal"
    __table_args__ = (
        Index("ix_seal_subject", "subject", "first_id", "id"),
        Index("ix_seal_last", "subject", "last_id"),
    )

    id: Mapped[BigId]
    entry_id: Mapped[int] = mapped_column(ForeignKey("chain_entry.id"), index=True)
    subject: Mapped[str]
    first_id: Mapped[int] = mapped_column(BigInt)
    last_id: Mapped[int] = mapped_column(BigInt)
    act: Mapped[str]
    digest: Mapped[str]


class ChainHead(Model):
    """The last entry of a chain. Appending locks this row, as the last lock of a unit."""

    __tablename__ = "chain_head"

    chain: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    digest: Mapped[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A `Seal` that is still to be written."""

    subject: str
    first_id: int
    last_id: int
    act: str
    digest: str

    @property
    def line(self) -> str:
        """How the entry's digest names it."""
        return f"{self.act} {self.subject} {self.first_id} {self.last_id} {self.digest}"


def marks_digest(marks: Iterable[Mark]) -> str:
    """What an entry's payload holds of its seals, in their order."""
    return rows_digest(mark.line for mark in marks)


def heads() -> dict[str, dict[str, Any]]:
    """Each chain's last entry: ``{"money": {"seq": 12, "digest": "…"}, …}``; seq 0 and zeros while it has none.

    Keep a copy where the database's own administrator cannot reach it: `flask audit --against` compares.
    """
    rows = {row.chain: {"seq": row.seq, "digest": row.digest} for row in db.session.scalars(select(ChainHead))}
    return {name: rows.get(name, {"seq": 0, "digest": GENESIS}) for name in CHAINS}


# Appending ------------------------------------------------------------------------------------------------------------


_HEAD = for_update(select(ChainHead).where(ChainHead.chain == bindparam("name")))


def lock_head(name: ChainName) -> ChainHead:
    """The head of the chain, locked until the unit ends. Lock nothing after it (`docs/locking.md`)."""
    require_unit()
    head = db.session.scalars(_HEAD, {"name": name}).one_or_none()
    if head is None:
        inserted(ChainHead, chain=name, seq=0, digest=GENESIS)
        head = db.session.scalars(_HEAD, {"name": name}).one()
    return head


def append(head: ChainHead, key: SigningKey, marks: Sequence[Mark], **content: Any) -> None:
    """Sign one entry over ``marks`` behind the locked ``head``. ``content``: further JSON values of its payload."""
    instant = now()
    payload = canonical_payload(
        {
            "chain": head.chain,
            "signed_at": plain_value(instant),
            "seals": len(marks),
            "seals_sha256": marks_digest(marks),
            **content,
        }
    )
    one = link_behind(key, head.seq + 1, head.digest, payload)
    entry = ChainEntry(
        chain=head.chain,
        seq=one.seq,
        prev=one.prev,
        payload=payload,
        sha256=one.sha256,
        key_id=one.key_id,
        signature=one.signature,
        signed_at=instant,
    )
    insert_now(entry)
    head.seq, head.digest = one.seq, one.digest
    rows = [
        {
            "entry_id": entry.id,
            "subject": mark.subject,
            "first_id": mark.first_id,
            "last_id": mark.last_id,
            "act": mark.act,
            "digest": mark.digest,
        }
        for mark in marks
    ]
    for start in range(0, len(rows), _AT_ONCE):
        db.session.execute(insert(table_of(Seal)), rows[start : start + _AT_ONCE])


@last_before_commit.append
def _seal_money(unit: UnitOfWork) -> None:
    """Sign the unit's changes of money, at its end."""
    db.session.flush()
    if not unit.noted:
        return
    key = signing_key()
    marks = _marks(unit.noted)
    said = {f"{subject} {row}": note.said for (subject, row), note in unit.noted.items() if note.said}
    was = {f"{subject} {row}": rows_digest([note.was]) for (subject, row), note in unit.noted.items() if note.was}
    head = lock_head(MONEY)
    if head.seq == 0:
        _open(head, key, {place for place, note in unit.noted.items() if note.act == "made"})
        was = {}  # what is opened is opened as it is now
    append(head, key, marks, **({"settings": said} if said else {}), **({"was": was} if was else {}))


def _marks(noted: Mapping[tuple[str, int], Note]) -> list[Mark]:
    """A mark per row: digests are those of what the database now holds."""
    wanted: dict[str, list[int]] = {}
    for (subject, row), note in noted.items():
        if note.act != "removed":
            wanted.setdefault(subject, []).append(row)
    digests = {
        (subject, row): digest for subject, rows in wanted.items() for row, digest in digests_of(SEALED[subject], rows)
    }
    return [
        Mark(subject, row, row, note.act, rows_digest([note.digest or digests[subject, row]]))
        for (subject, row), note in sorted(noted.items(), key=lambda item: item[0])
    ]


def open_money() -> None:
    """Sign the first entry of the money chain of an older database, in a unit of its own, unless it has begun."""
    if heads()[MONEY]["seq"] or not has_money():
        return
    key = signing_key()
    with write_unit():
        head = lock_head(MONEY)
        if head.seq == 0:
            _open(head, key, set())


def has_money() -> bool:
    """Whether there is any row that the money chain covers (1 statement)."""
    return bool(db.session.scalar(select(or_(*(select(kind.table).exists() for kind in covered(MONEY))))))


def _open(head: ChainHead, key: SigningKey, newer: set[tuple[str, int]]) -> None:
    """The first entry of an older database: every row of before, but those that the unit itself made."""
    marks = [
        Mark(kind.table.name, row[kind.key], row[kind.key], OPENING, rows_digest([row_digest(kind, row)]))
        for kind in covered(MONEY)
        for row in in_order(kind)
        if (kind.table.name, row[kind.key]) not in newer
    ]
    if marks:
        append(head, key, marks, opening=True)


def in_order(kind: Sealed, *conditions: ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    """The rows of a covered table by their key, a few at a time."""
    statement = select(kind.table).where(*conditions).order_by(kind.table.columns[kind.key])
    statement = statement.execution_options(yield_per=20 if kind.is_heavy else 1000)
    return map(dict, db.session.execute(statement).mappings())
