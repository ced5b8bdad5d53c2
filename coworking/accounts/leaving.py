"""Accounts that nobody has used for long: their people are told thirty days before, then forgotten (`erasing.erase`).

Each package declares what shows that somebody is still there (`sign`). Who has a role, or something that stands in the way
of erasing (an invoice to pay, a plan that runs, a deposit), stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, delete, exists, func, select

from coworking.accounts import emails, erasing
from coworking.accounts.models import Device, Leaving, Person, PersonRole
from coworking.core import audit, place
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.retention import Forecast
from coworking.core.sql import inserted
from coworking.core.timespan import local_date
from coworking.core.units import locked, write_unit

NOTICE = timedelta(days=30)
AT_ONCE = 25
"""People of one run: each is a unit of their own."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """Rows of ``model`` that show until ``when`` that the person in ``who`` was there or will be."""

    who: Any
    when: Any


_signs: list[SignOfLife] = []


def sign(who: Any, when: Any) -> None:
    """Register a column that names a person and one that says until when the row shows that they are still there."""
    _signs.append(SignOfLife(who, when))


sign(Device.person_id, Device.last_used_at)


def _unused(before: datetime) -> ColumnElement[bool]:
    """People whom nobody has seen since ``before``."""
    day = local_date(before, place.clock())
    seen = [
        exists().where(one.who == Person.id, one.when >= (day if isinstance(one.when.type, Date) else before))
        for one in _signs
    ]
    no_role = ~exists().where(PersonRole.person_id == Person.id)
    return (
        Person.erased_at.is_(None)
        & Person.merged_into_person_id.is_(None)
        & (Person.created_at < before)
        & no_role
        & ~_any(seen)
    )


def _unconfirmed(before: datetime) -> ColumnElement[bool]:
    """Who signed up, never showed that the address is theirs, and left no trace but of signing up."""
    traces = [exists().where(one.who == Person.id) for one in _signs if one.who is not Device.person_id]
    alone = ~_any(traces) & Person.email_confirmed_at.is_(None) & Person.vouched.is_(False)
    return _unused(before) & Person.email.is_not(None) & alone


def _any(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    found = conditions[0]
    for one in conditions[1:]:
        found = found | one
    return found


def count_unused(before: datetime) -> Forecast:
    """Who would be erased now, or told that they will be; ``exempt``: who is kept because of what stands in the way."""
    return _forecast(_unused(before), before)


def count_unconfirmed(before: datetime) -> Forecast:
    return _forecast(_unconfirmed(before), before)


def _forecast(condition: ColumnElement[bool], before: datetime) -> Forecast:
    people = list(db.session.scalars(select(Person.id).where(condition).order_by(Person.id)))
    kept = sum(1 for one in people if erasing.to_do_first(one))
    first = db.session.scalar(select(func.min(Leaving.leaves_on)).where(Leaving.person_id.in_(people)))
    return Forecast(len(people) - kept, first, kept)


def forget_unconfirmed(before: datetime) -> int:
    """Erase who signed up and never confirmed; return how many."""
    return sum(_erase(one, _unconfirmed(before)) for one in _people(_unconfirmed(before)))


def forget_unused(before: datetime) -> int:
    """Tell who is to be erased, erase whose thirty days are over and count them; forget the notice of who came back."""
    _keep_who_came_back(before)
    today = local_date(now(), place.clock())
    told = select(Leaving.person_id)
    for person_id in _people(_unused(before) & Person.id.not_in(told)):
        _tell(person_id, before, today)
    due = select(Leaving.person_id).where(Leaving.leaves_on <= today)
    return sum(_erase(one, _unused(before)) for one in _people(_unused(before) & Person.id.in_(due)))


def _people(condition: ColumnElement[bool]) -> Iterator[int]:
    """Whom nothing stands in the way of, read before any unit."""
    found = list(db.session.scalars(select(Person.id).where(condition).order_by(Person.id)))
    free = [one for one in found if not erasing.to_do_first(one)]
    return iter(free[:AT_ONCE])


def _keep_who_came_back(before: datetime) -> None:
    gone = select(Person.id).where(_unused(before))
    over = select(Leaving.person_id).where(Leaving.person_id.not_in(gone))
    if db.session.scalar(over.limit(1)) is None:
        return
    with write_unit():
        db.session.execute(
            delete(Leaving).where(Leaving.person_id.in_(over)).execution_options(synchronize_session=False)
        )


def _tell(person_id: int, before: datetime, today: date) -> None:
    with write_unit():
        person = _still(person_id, _unused(before))
        if person is None or not inserted(Leaving, person_id=person_id, leaves_on=today + NOTICE, told_at=now()):
            return
        if person.email is not None and person.is_active:
            emails.enqueue_access(emails.LEAVING, person, starts=now() + NOTICE)
        audit.record(SYSTEM, "person.leaving", ("person", person_id), person_id=person_id)


def _still(person_id: int, condition: ColumnElement[bool]) -> Person | None:
    """The person, locked, where ``condition`` still holds."""
    statement = locked(select(Person).where(Person.id == person_id, condition))
    return db.session.scalars(statement).unique().one_or_none()


def _erase(person_id: int, condition: ColumnElement[bool]) -> int:
    """Erase somebody in a unit that looks once more; return 1, or 0 when something came between."""
    public_id = db.session.scalar(select(Person.public_id).where(Person.id == person_id, condition))
    if public_id is None:
        return 0
    try:
        erasing.erase(SYSTEM, public_id, while_still=condition)
    except (erasing.SomethingFirst, erasing.CameBack):
        return 0
    return 1
