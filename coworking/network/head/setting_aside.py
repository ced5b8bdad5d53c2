"""Leaving a return out of what the network adds up to, with a reason that is shown beside every sum."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.months import write_month
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.network.head.models import NetworkLieu, ReceivedReturn, ReturnSetAside
from coworking.statistics.return_rules import LONGEST_REASON, is_line


class SetAsideReasonUnusable(DomainError):
    """Nobody who reads the sum would know why somebody is missing from it."""

    code = "reason_unusable"
    message = N_(
        "Say in one line why this return is set aside: it is repeated wherever the network’s figures are shown."
    )
    field = "reason"


def set_aside(actor: Actor, lieu: str, month: date, revision: int, reason: str) -> None:
    """Leave the return out until `count_again`; twice is fine, the first reason stands.

    Raises `SetAsideReasonUnusable`, and `NotFound` for a return that is not here.
    """
    reason = " ".join(reason.split())
    if not is_line(reason, LONGEST_REASON):
        raise SetAsideReasonUnusable()
    with write_unit():
        row, standing = _found(lieu, month, revision)
        if standing is None:
            db.session.add(
                ReturnSetAside(
                    received_return_id=row.id, reason=reason, created_at=now(), created_by_id=actor.person_id
                )
            )
            _note(actor, "network.return_set_aside", row)


def count_again(actor: Actor, lieu: str, month: date, revision: int) -> None:
    """Undo `set_aside`; twice is fine. Raises `NotFound` for a return that is not here."""
    with write_unit():
        row, standing = _found(lieu, month, revision)
        if standing is not None:
            standing.ended_at, standing.ended_by_id = now(), actor.person_id
            _note(actor, "network.return_counted_again", row)


def _found(lieu: str, month: date, revision: int) -> tuple[ReceivedReturn, ReturnSetAside | None]:
    """The return, its lieu's row locked in the open unit, and what sets it aside."""
    owner = db.session.scalar(locked(select(NetworkLieu).where(NetworkLieu.public_id == lieu)))
    row = db.session.scalar(
        select(ReceivedReturn).where(
            ReceivedReturn.network_lieu_id == (owner.id if owner is not None else None),
            ReceivedReturn.month == month,
            ReceivedReturn.revision == revision,
        )
    )
    if row is None:
        raise NotFound()
    standing = db.session.scalar(
        select(ReturnSetAside).where(ReturnSetAside.received_return_id == row.id, ReturnSetAside.ended_at.is_(None))
    )
    return row, standing


def _note(actor: Actor, action: str, row: ReceivedReturn) -> None:
    audit.record(actor, action, ("received_return", row.id), month=write_month(row.month), revision=row.revision)
