"""Whose booking, for whom: what an actor may act on, locked and freshly read inside the open unit; the trail it leaves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import lazyload

from coworking.accounts import booking_proxies
from coworking.accounts.models import Person
from coworking.accounts.rules import AddressUnconfirmed
from coworking.booking.models import Booking
from coworking.booking.queries import whose
from coworking.core import audit
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.page_versions import LIEU_VERSION, note_lieu_version
from coworking.core.policy import Actor, Role
from coworking.core.units import for_update, require_unit
from coworking.membership import coverage

# Built once: every booking and every arrival asks one of them.
_PERSON = select(Person, LIEU_VERSION).options(lazyload(Person.role_rows))  # who books is known; for whom needs no role
_ONE = for_update(_PERSON.where(Person.id == bindparam("id")))
_OF_PUBLIC_ID = for_update(_PERSON.where(Person.public_id == bindparam("public_id")))
_BOOKING = for_update(select(Booking).where(Booking.id == bindparam("id")))


def for_whom(actor: Actor, public_id: str | None, *, by_proxy: bool = False) -> Person:
    """The person booked for, locked; a member books for nobody else (and learns nothing by trying).

    ``by_proxy``: who was named to book for someone may do this for them.
    """
    require_unit()
    if public_id is not None and actor.is_staff:
        person = _lock(_OF_PUBLIC_ID, {"public_id": public_id})
    elif public_id is not None and by_proxy and (theirs := _whom_they_book_for(actor, public_id)) is not None:
        person = lock_person(theirs)
        if not booking_proxies.acts_for(actor, person.id):  # it may just have ended
            raise NotFound(field="person_id")
    else:
        person = _lock(_ONE, {"id": actor.person_id})
    if person is None or not person.is_active or public_id not in (None, person.public_id):
        raise NotFound(field="person_id")
    if not person.may_book and not actor.is_staff:
        raise AddressUnconfirmed()
    return person


def _whom_they_book_for(actor: Actor, public_id: str) -> int | None:
    try:
        return booking_proxies.person_for(actor, public_id)[0].id
    except NotFound:
        return None


def lock_person(person_id: int) -> Person:
    """The person, locked: requests that book, move or cancel for them run one after the other."""
    require_unit()
    person = _lock(_ONE, {"id": person_id})
    if person is None:
        raise NotFound()
    return person


def _lock(statement: Select[Person, str], values: dict[str, Any]) -> Person | None:
    """The person whom ``statement`` finds, locked with what they share of an employer's money; the lieu's version comes
    with them."""
    row = db.session.execute(statement, values).one_or_none()
    if row is None:
        return None
    person, version = row
    note_lieu_version(version)
    coverage.lock_common_caps(person.id)
    return person


def own_booking(actor: Actor, public_id: str, *, by_proxy: bool = False) -> Booking:
    """The booking, its person locked first; a stranger's answers as if it did not exist. ``by_proxy``: see `for_whom`."""
    require_unit()
    statement = select(Booking.id, Booking.person_id).where(Booking.public_id == public_id)
    if not actor.is_staff:
        statement = statement.where(whose(actor) if by_proxy else Booking.person_id == actor.person_id)
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound()
    lock_person(found.person_id)
    theirs = actor.is_staff or found.person_id == actor.person_id
    if not theirs and not booking_proxies.acts_for(actor, found.person_id):  # it may just have ended
        raise NotFound()
    return db.session.scalars(_BOOKING, {"id": found.id}).one()


def sees_price(actor: Actor, booking: Booking) -> bool:
    """Whether ``actor`` may see what ``booking`` costs: its person and managers may, hosts never."""
    return actor.person_id == booking.person_id or actor.has(Role.MANAGER)


def record_change(actor: Actor, action: str, booking: Booking, **details: object) -> None:
    """Write what staff and proxies change of other people's bookings into the audit trail; the booking tells one's own."""
    if actor.needs_audit and actor.person_id != booking.person_id:
        audit.record(actor, action, ("booking", booking.id), person_id=booking.person_id, **details)
