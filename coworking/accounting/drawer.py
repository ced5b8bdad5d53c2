"""The drawer: opened with what is counted in it, counted and closed; and every coin that billing takes or gives back.

All of it locks the counter of cash movements, so the balance of one follows from the one before. Hosts and managers.
"""

from __future__ import annotations

from coworking.accounting import drawer_queries as queries
from coworking.accounting.drawer_rules import (
    CASH,
    DRAWER,
    AmountMissing,
    DifferenceUnexplained,
    DrawerIsClosed,
    DrawerIsOpen,
    NotSoMuch,
    check_note,
)
from coworking.accounting.models import CashMovement, DrawerCount
from coworking.billing.numbering import lock_series, next_in
from coworking.core import audit
from coworking.core.cash import CashMoved, keepers
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.formats import money
from coworking.core.policy import Actor, Role
from coworking.core.units import write_unit
from coworking.spaces import queries as spaces


def open_drawer(actor: Actor, counted_cents: int, note: str = "") -> DrawerCount:
    """Open the drawer with what is counted in it. The first one's content is its float; later it should be what is
    expected, or ``note`` says why not. Raises `DrawerIsOpen`, `DifferenceUnexplained`."""
    _check_host(actor)
    why = check_note(note)
    with write_unit() as unit:
        lock_series(CASH)
        before = queries.last_count()
        if before is not None and before.kind == "opened":
            raise DrawerIsOpen()
        expected = queries.expected_cents()
        if counted_cents != expected and before is None:
            _move(actor, "float", counted_cents - expected, why)
        opening = _count(actor, "opened", counted_cents, expected, why)
        unit.result = opening.public_id
    return opening


def close_drawer(actor: Actor, public_id: str, counted_cents: int, note: str = "") -> DrawerCount:
    """Close this drawer with what is counted in it; a difference is kept with ``note``.

    Raises `DrawerIsClosed` when it is not the one that is open, `DifferenceUnexplained`.
    """
    _check_host(actor)
    why = check_note(note)
    with write_unit():
        _check_open(public_id)
        return _count(actor, "closed", counted_cents, queries.expected_cents(), why)


def _count(actor: Actor, kind: str, counted_cents: int, expected_cents: int, note: str | None) -> DrawerCount:
    """Enter an opening or closing, before it the difference that it found."""
    if difference := counted_cents - queries.expected_cents():
        if note is None:
            raise DifferenceUnexplained(expected=money(expected_cents))
        _move(actor, "difference", difference, note)
    last = queries.last_movement()
    count = DrawerCount(
        seq=next_in(DRAWER),
        kind=kind,
        counted_on=spaces.today(),
        counted_cents=counted_cents,
        expected_cents=expected_cents,
        last_seq=0 if last is None else last.seq,
        created_by_id=actor.person_id,
    )
    db.session.add(count)
    db.session.flush()
    audit.record(actor, f"drawer.{kind}", ("drawer_count", count.id), cents=counted_cents, expected=expected_cents)
    return count


def put_in(actor: Actor, public_id: str, cents: int, note: str = "") -> CashMovement:
    """Change that was put into the open drawer."""
    return _carry(actor, public_id, "float", cents, note)


def take_to_bank(actor: Actor, public_id: str, cents: int, note: str = "") -> CashMovement:
    """Cash that was taken out of the open drawer to the bank; raises `NotSoMuch`."""
    return _carry(actor, public_id, "bank", -cents, note)


def _carry(actor: Actor, public_id: str, kind: str, cents: int, note: str) -> CashMovement:
    _check_host(actor)
    why = check_note(note)
    if (cents > 0) != (kind == "float") or cents == 0:
        raise AmountMissing()
    with write_unit():
        _check_open(public_id)
        if queries.expected_cents() + cents < 0:
            raise NotSoMuch()
        return _move(actor, kind, cents, why)


def _check_open(public_id: str) -> None:
    """Lock the cash; raise `DrawerIsClosed` unless this drawer, named by its opening, is the one that is open."""
    lock_series(CASH)
    opening = queries.open_drawer()
    if opening is None or opening.public_id != public_id:
        raise DrawerIsClosed()


def _move(
    actor: Actor,
    kind: str,
    cents: int,
    note: str | None = None,
    *,
    source_id: int | None = None,
) -> CashMovement:
    """Enter one movement; the counter stays locked until the unit ends, so balances follow each other."""
    seq = next_in(CASH)
    movement = CashMovement(
        seq=seq,
        kind=kind,
        cents=cents,
        balance_cents=queries.expected_cents() + cents,
        moved_on=spaces.today(),
        note=note,
        created_by_id=actor.person_id,
    )
    if source_id is not None:
        setattr(movement, f"{kind}_id", source_id)
    db.session.add(movement)
    db.session.flush()
    return movement


@keepers.append
def enter(moved: CashMoved) -> None:
    """What billing took or gave back; where no drawer is open, before the next one is counted."""
    _move(moved.actor, moved.source, moved.cents, source_id=moved.source_id)


def _check_host(actor: Actor) -> None:
    if not actor.has(Role.HOST):
        raise Forbidden()
