"""The checks of the chains: is every entry signed and in its place, and is every row as it was sealed?

Everything streams: rows and seals are both read in the order of their ids and compared side by side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Boolean, Date, Integer, Row, String, func, select, type_coerce

from coworking.core import chain, links
from coworking.core.chain import ChainEntry, Mark, Seal, marks_digest
from coworking.core.checks import check
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.keyring import public_keys
from coworking.core.sealing import (
    MONEY,
    SEALED,
    TRAIL,
    ChainName,
    Sealed,
    covered,
    digests_of,
    plain_value,
    row_digest,
    rows_digest,
)

OVERDUE = timedelta(hours=1)
"""How long rows of the trail may wait to be sealed; a worker does it every minute."""


@check(3, "the money chain is signed, entry by entry")
def money_links() -> Iterator[str]:
    yield from broken_links(MONEY, public_keys().get)
    for one in db.session.scalars(
        select(ChainEntry).where(ChainEntry.chain.not_in(chain.CHAINS)).order_by(ChainEntry.id)
    ):
        yield f"{one.chain} entry {one.seq}: there is no chain of this name"


@check(3, "what touches money is as it was sealed")
def money_rows() -> Iterator[str]:
    if not chain.heads()[MONEY]["seq"]:
        if chain.has_money():
            yield "the money chain has not begun: the worker begins it within a minute"
        return
    for kind in covered(MONEY):
        yield from differences(kind)


@check(6, "the trail is signed, entry by entry")
def trail_links() -> Iterator[str]:
    yield from broken_links(TRAIL, public_keys().get)


@check(6, "audit entries, quotes, the ledger and attestations are as they were sealed")
def trail_rows() -> Iterator[str]:
    for kind in covered(TRAIL):
        yield from differences(kind)


@check(3, "dates and switches stand as they are written")
def forms() -> Iterator[str]:
    for name in sorted(SEALED):
        yield from _otherwise_written(SEALED[name])


# Entries --------------------------------------------------------------------------------------------------------------


def broken_links(name: ChainName, public_key: Callable[[str], bytes | None]) -> Iterator[str]:
    """A sentence for each entry of a chain that is not what the entry behind it signed, the first one first."""
    seals = groupby(_seals_by_entry(name), key=lambda row: row[0])
    group = next(seals, None)
    last: links.ChainLink | None = None
    statement = select(ChainEntry).where(ChainEntry.chain == name).order_by(ChainEntry.id)
    for entry in db.session.scalars(statement.execution_options(yield_per=500)):
        place = f"{name} entry {entry.seq}"
        seq, prev = (0, links.GENESIS) if last is None else (last.seq, last.digest)
        found = links.problems([(entry.link, entry.payload)], public_key, seq=seq, prev=prev)
        yield from (f"{name} entry {problem}" for problem in found)
        marks = [Mark(*row[1:]) for row in group[1]] if group is not None and group[0] == entry.id else []
        if marks:
            group = next(seals, None)
        if not found and not _says(entry, marks):
            yield f"{place}: what it covers was altered"
        elif not found:
            yield from _continued(entry)
        last = entry.link
        db.session.expunge(entry)
    head = chain.heads()[name]
    seq, digest = (0, links.GENESIS) if last is None else (last.seq, last.digest)
    if (head["seq"], head["digest"]) != (seq, digest):
        yield f"{name} entry {min(head['seq'], seq) + 1}: the chain ends at {seq} and its head says {head['seq']}"


def _seals_by_entry(name: ChainName) -> Iterable[Any]:
    columns = (Seal.entry_id, Seal.subject, Seal.first_id, Seal.last_id, Seal.act, Seal.digest)
    statement = select(*columns).join(ChainEntry, ChainEntry.id == Seal.entry_id).where(ChainEntry.chain == name)
    return db.session.execute(statement.order_by(Seal.entry_id, Seal.id).execution_options(yield_per=1000))


def _says(entry: ChainEntry, marks: list[Mark]) -> bool:
    """Whether the entry's signed payload says what its other columns and its seals say."""
    said = json.loads(entry.payload)
    return (said["chain"], said["signed_at"], said["seals"], said["seals_sha256"]) == (
        entry.chain,
        plain_value(entry.signed_at),
        len(marks),
        marks_digest(marks),
    )


def _continued(entry: ChainEntry) -> Iterator[str]:
    """Whether rows were, before the unit, as their seals say: the unit signed whatever it found, and changed some of it."""
    was: dict[str, str] = json.loads(entry.payload).get("was", {})
    places = {place: (place.split(" ")[0], int(place.split(" ")[1])) for place in was}
    earlier = _seals_before(entry, places.values()) if was else {}
    for place, digest in was.items():
        before, seq = earlier.get(places[place], ("", 0))
        if before != digest:
            yield f"{place}: it was not what {entry.chain} entry {seq} covers when entry {entry.seq} changed it"


def _seals_before(entry: ChainEntry, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[str, int]]:
    """Digest and entry of the latest seal of each row before ``entry``."""
    rows: dict[str, list[int]] = {}
    for subject, row in places:
        rows.setdefault(subject, []).append(row)
    columns = (Seal.first_id, Seal.digest, ChainEntry.seq)
    return {
        (subject, first): (digest, seq)
        for subject, ids in rows.items()
        for start in range(0, len(ids), 500)
        for first, digest, seq in db.session.execute(
            select(*columns)
            .join(ChainEntry, ChainEntry.id == Seal.entry_id)
            .where(Seal.subject == subject, Seal.first_id.in_(ids[start : start + 500]))
            .where(ChainEntry.chain == entry.chain, ChainEntry.seq < entry.seq)
            .order_by(ChainEntry.seq)
        )
    }


# Some of it -----------------------------------------------------------------------------------------------------------


def broken_span(name: ChainName, first: int, last: int, public_key: Callable[[str], bytes | None]) -> Iterator[str]:
    """A sentence for each of the entries ``first`` to ``last`` that is not as it was signed (2 statements)."""
    span = (ChainEntry.chain == name) & ChainEntry.seq.between(first - 1, last)
    seals = select(Seal).join(ChainEntry, ChainEntry.id == Seal.entry_id).where(span).order_by(Seal.entry_id, Seal.id)
    marks: dict[int, list[Mark]] = {}
    for seal in db.session.scalars(seals):
        marks.setdefault(seal.entry_id, []).append(
            Mark(seal.subject, seal.first_id, seal.last_id, seal.act, seal.digest)
        )
    seq, prev = 0, links.GENESIS
    for entry in db.session.scalars(select(ChainEntry).where(span).order_by(ChainEntry.seq)):
        if entry.seq >= first:
            found = links.problems([(entry.link, entry.payload)], public_key, seq=seq, prev=prev)
            yield from (f"{name} entry {problem}" for problem in found)
            if not found and not _says(entry, marks.get(entry.id, [])):
                yield f"{name} entry {entry.seq}: what it covers was altered"
        seq, prev = entry.seq, entry.link.digest
    if seq < last:
        yield f"{name} entry {seq + 1}: it is gone"


def altered_rows(name: ChainName, rows: Mapping[str, Collection[int]]) -> Iterator[str]:
    """A sentence for each of ``rows``, ids by table, that is not as its newest entry sealed it.

    For chains that seal each row by itself, as money does. 2 statements for 500 rows of a table.
    """
    columns = (Seal.first_id, Seal.act, Seal.digest, ChainEntry.seq)
    for subject in sorted(rows.keys() & SEALED.keys()):
        kind, ids = SEALED[subject], sorted(rows[subject])
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            sealed = select(*columns).join(ChainEntry, ChainEntry.id == Seal.entry_id)
            sealed = sealed.where(ChainEntry.chain == name, Seal.subject == subject, Seal.first_id.in_(some))
            newest = {row[0]: row for row in db.session.execute(sealed.order_by(ChainEntry.seq))}
            digests = dict(digests_of(kind, some))
            for one in some:
                if one not in newest:
                    yield f"{subject} {one}: no entry of the {name} chain covers it"
                    continue
                found = {one: digests[one]} if one in digests else {}
                yield from _compared(kind, range(one, one + 1), found, *newest[one][1:])


# Rows -----------------------------------------------------------------------------------------------------------------


def differences(kind: Sealed) -> Iterator[str]:
    """A sentence for each row of a covered table that is not as it was sealed, in the order of their ids."""
    name, rows = kind.table.name, chain.in_order(kind)
    row = next(rows, None)
    highest = 0
    for seals in _seals_by_row(kind):
        yield from _sealed_again(kind, seals, highest)
        first, last, act, digest, entry = seals[-1 if kind.chain == MONEY else 0]
        if first <= highest:
            continue
        while row is not None and row[kind.key] < first:
            yield f"{name} {row[kind.key]}: no entry of the {kind.chain} chain covers it"
            row = next(rows, None)
        found: dict[int, str] = {}
        while row is not None and row[kind.key] <= last:
            found[row[kind.key]] = row_digest(kind, row)
            row = next(rows, None)
        yield from _compared(kind, range(first, last + 1), found, act, digest, entry)
        highest = last
    yield from _rest(kind, rows, row, highest)


def _seals_by_row(kind: Sealed) -> Iterator[list[Row[int, int, str, str, int]]]:
    """The seals of each first row, oldest first. Their entries tell the order: the ids of seals are in no digest."""
    columns = (Seal.first_id, Seal.last_id, Seal.act, Seal.digest, ChainEntry.seq)
    statement = select(*columns).join(ChainEntry, ChainEntry.id == Seal.entry_id)
    statement = statement.where(Seal.subject == kind.table.name, ChainEntry.chain == kind.chain)
    rows = db.session.execute(statement.order_by(Seal.first_id, Seal.id).execution_options(yield_per=1000))
    for _first, group in groupby(rows, key=lambda row: row[0]):
        yield sorted(group, key=lambda row: row[4])


def _sealed_again(kind: Sealed, seals: list[Row[int, int, str, str, int]], highest: int) -> Iterator[str]:
    """What was sealed anew though its seal stood: somebody had put the seal out of sight, or taken the row away."""
    name = kind.table.name
    if kind.chain == MONEY:
        for (_, _, before, _, entry), (first, _, act, _, later) in pairwise(seals):
            if act == "made" and before != "removed":
                yield f"{name} {first}: money entry {later} made another, and what money entry {entry} covers is gone"
        return
    for first, _last, _act, _digest, entry in seals[0 if seals[0][0] <= highest else 1 :]:
        yield f"{name} {first}: trail entry {entry} covers it once more, when its seal was out of sight"


def _compared(kind: Sealed, ids: range, found: dict[int, str], act: str, digest: str, entry: int) -> Iterator[str]:
    name, sealed_by = kind.table.name, f"{kind.chain} entry {entry}"
    if act == "removed":
        yield from (f"{name} {one}: it is there again, though {sealed_by} says that it was removed" for one in found)
        return
    gone = [one for one in ids if one not in found]
    yield from (f"{name} {one}: it is gone, though {sealed_by} covers it" for one in gone)
    if not gone and rows_digest(found.values()) != digest:
        which = f"{name} {ids[0]}" if len(ids) == 1 else f"{name} {ids[0]} to {ids[-1]}, one of them"
        yield f"{which}: it is not what {sealed_by} covers"


def _rest(kind: Sealed, rows: Iterator[dict[str, Any]], row: dict[str, Any] | None, highest: int) -> Iterator[str]:
    """Rows beyond every seal: in the money chain nobody wrote them; in the trail the worker may not have come by yet."""
    waiting, oldest = False, now()
    while row is not None:
        if kind.chain == MONEY:
            yield f"{kind.table.name} {row[kind.key]}: no entry of the {kind.chain} chain covers it"
        else:
            waiting, oldest = True, min(oldest, _written_at(row))
        row = next(rows, None)
    if waiting and oldest < now() - OVERDUE:
        since = f"since {oldest:%Y-%m-%d %H:%M} UTC"
        yield f"{kind.table.name}: rows beyond {highest} wait to be sealed {since}; does the worker run?"


def _written_at(row: dict[str, Any]) -> datetime:
    return next(row[name] for name in ("occurred_at", "created_at", "rendered_at") if name in row)


def _otherwise_written(kind: Sealed) -> Iterator[str]:
    """SQLite keeps any text as a date: ``2026-W48-2`` is read as a Tuesday, has its digest, and is in no range of dates."""
    if db.engine.dialect.name != "sqlite":
        return
    table = kind.table
    for column in table.columns:
        if isinstance(column.type, Date):
            raw = type_coerce(column, String)
            other = raw.is_distinct_from(func.date(raw))
        elif isinstance(column.type, Boolean):
            other = type_coerce(column, Integer).not_in((0, 1))
        else:
            continue
        key = table.columns[kind.key]
        for row in db.session.scalars(select(key).where(other).order_by(key)):
            yield f"{table.name} {row}: {column.name} reads as what it is not"
