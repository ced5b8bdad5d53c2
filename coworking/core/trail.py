"""The trail: audit entries, quotes and the ledger, signed by a job within a minute, so that no booking waits for a chain.

One entry covers every row that none covers yet. Its seals are over runs of consecutive ids, so that a year of bookings stays
a small table and an altered row is still known to within `RUN` of its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import func, select

from coworking.core import chain
from coworking.core.chain import OPENING, Mark, Seal
from coworking.core.db import db
from coworking.core.keyring import signing_key
from coworking.core.sealing import TRAIL, Sealed, covered, row_digest, rows_digest
from coworking.core.units import snapshot, write_unit

RUN = 64
"""How many rows one seal covers at most."""

LOOK_BACK = 1000
"""PostgreSQL gives ids before it commits: a row may turn up behind one that is sealed. So far back it is looked for."""

WRITTEN = "written"


def seal() -> int:
    """Sign one entry over the rows of the trail that no entry covers; return how many rows it covers.

    Rows are read and digested before the unit, which only signs. When two run at once, the later one leaves what it read to
    the next minute. A database from before the chains gets its money chain opened here too.
    """
    chain.open_money()
    with snapshot():
        before = chain.heads()[TRAIL]["seq"]
        act = WRITTEN if before else OPENING
        marks = [mark for kind, last in _lasts() for mark in _runs(kind, _uncovered(kind, last), act)]
    if not marks:
        return 0
    key = signing_key()
    with write_unit():
        head = chain.lock_head(TRAIL)
        if head.seq != before:
            return 0
        chain.append(head, key, marks, **({} if before else {"opening": True}))
    return sum(mark.last_id - mark.first_id + 1 for mark in marks)


def _lasts() -> Iterator[tuple[Sealed, int]]:
    """Each table of the trail with the highest id that is covered (1 statement)."""
    kinds = covered(TRAIL)
    highest = [
        select(func.max(Seal.last_id)).where(Seal.subject == kind.table.name).scalar_subquery() for kind in kinds
    ]
    row = db.session.execute(select(*highest)).one()
    return ((kind, last or 0) for kind, last in zip(kinds, row, strict=True))


def _uncovered(kind: Sealed, last: int) -> Iterator[dict[str, Any]]:
    """Rows without a seal, by id: all beyond ``last``, and the late ones. The run that ends next above a row is its own."""
    key = kind.table.columns[kind.key]
    is_covered = (
        select(Seal.id).where(Seal.subject == kind.table.name, Seal.last_id >= key, Seal.first_id <= key).exists()
    )
    return chain.in_order(kind, key > last - LOOK_BACK, ~is_covered)


def _runs(kind: Sealed, rows: Iterable[dict[str, Any]], act: str) -> Iterator[Mark]:
    first, digests = 0, list[str]()
    for row in rows:
        key = row[kind.key]
        if digests and (key != first + len(digests) or len(digests) == RUN):
            yield _mark(kind, first, digests, act)
            digests = []
        if not digests:
            first = key
        digests.append(row_digest(kind, row))
    if digests:
        yield _mark(kind, first, digests, act)


def _mark(kind: Sealed, first: int, digests: list[str], act: str) -> Mark:
    return Mark(kind.table.name, first, first + len(digests) - 1, act, rows_digest(digests))
