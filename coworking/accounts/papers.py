"""Messages on paper: which wait to be handed over, and who handed them over when."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import joinedload

from coworking.accounts.models import Person
from coworking.accounts.paper_models import PaperMessage
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.core.search import folded
from coworking.core.units import locked, write_unit

LATELY = 20
"""How many that were handed over are shown."""


def waiting(actor: Actor, person_id: int | None = None) -> list[PaperMessage]:
    """What ``actor`` may hand over, of everyone or one person, by name, then the oldest first (1 statement)."""
    whose = () if person_id is None else (PaperMessage.person_id == person_id,)
    return _found(PaperMessage.handed_at.is_(None), *_read_by(actor), *whose)


def handed_lately(actor: Actor) -> list[PaperMessage]:
    """The last `LATELY` that were handed over, the latest first (1 statement)."""
    rows = db.session.scalars(
        select(PaperMessage)
        .where(PaperMessage.handed_at.is_not(None), *_read_by(actor))
        .options(joinedload(PaperMessage.person), joinedload(PaperMessage.handed_by))
        .order_by(PaperMessage.handed_at.desc(), PaperMessage.id.desc())
        .limit(LATELY)
    )
    return list(rows.unique())


def how_many_wait(*, is_manager: bool, person_id: int | None = None) -> int:
    """How many `waiting` finds for a manager or a host (1 statement)."""
    whose = () if person_id is None else (PaperMessage.person_id == person_id,)
    counted = select(func.count()).where(PaperMessage.handed_at.is_(None), *_read_as(is_manager=is_manager), *whose)
    return db.session.scalar(counted) or 0


def waiting_state() -> ScalarSelect[int]:
    """What a page that counts them depends on."""
    return select(func.count()).where(PaperMessage.handed_at.is_(None)).scalar_subquery()


def one(actor: Actor, public_id: str) -> PaperMessage:
    """The message; raises `NotFound`, also for one that ``actor`` may not read."""
    found = _found(PaperMessage.public_id == public_id, *_read_by(actor))
    if not found:
        raise NotFound()
    return found[0]


def hand_over(actor: Actor, public_ids: Sequence[str]) -> list[PaperMessage]:
    """These messages were handed over; the first who said so stays named. Raises `NotFound` and changes nothing."""
    with write_unit():
        rows = [_locked(actor, public_id) for public_id in sorted(set(public_ids))]
        if not rows:
            raise NotFound()
        for row in rows:
            if row.handed_at is None:
                row.handed_at, row.handed_by_id = now(), actor.person_id
                audit.record(actor, "paper.handed", ("paper_message", row.id), person_id=row.person_id)
    return rows


def take_back(actor: Actor, public_id: str) -> PaperMessage:
    """A wrong tap: the message waits again."""
    with write_unit():
        row = _locked(actor, public_id)
        if row.handed_at is not None:
            row.handed_at = row.handed_by_id = None
            audit.record(actor, "paper.waits_again", ("paper_message", row.id), person_id=row.person_id)
    return row


def _read_by(actor: Actor) -> Sequence[ColumnElement[bool]]:
    return _read_as(is_manager=actor.has(Role.MANAGER))


def _read_as(*, is_manager: bool) -> Sequence[ColumnElement[bool]]:
    """Hosts read no invoices (docs/privacy.md): they are the managers' to hand over."""
    return () if is_manager else (PaperMessage.about != "billing",)


def _found(*conditions: ColumnElement[bool]) -> list[PaperMessage]:
    rows = db.session.scalars(
        select(PaperMessage)
        .join(Person, Person.id == PaperMessage.person_id)
        .where(*conditions)
        .options(joinedload(PaperMessage.person), joinedload(PaperMessage.handed_by))
        .order_by(folded(Person.last_name), folded(Person.first_name), PaperMessage.person_id, PaperMessage.id)
    )
    return list(rows.unique())


def _locked(actor: Actor, public_id: str) -> PaperMessage:
    statement = select(PaperMessage).where(PaperMessage.public_id == public_id, *_read_by(actor))
    row = db.session.scalar(locked(statement))
    if row is None:
        raise NotFound()
    return row
