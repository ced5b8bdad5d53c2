"""Closing an account for good: what is known of its person goes, invoices stay (docs/privacy.md)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, update

from coworking.accounts import access, rules
from coworking.accounts.forgetting import NAME
from coworking.accounts.models import OrganisationMember, Person
from coworking.accounts.twin_queries import records_of
from coworking.core import audit, displaced, erasing, place, security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.erasing import Hindrance, Loss
from coworking.core.errors import N_, DomainError, Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.timespan import local_date
from coworking.core.units import write_unit


class SomethingFirst(DomainError):
    """Something must be done before the account can be erased: ``found``."""

    code = "something_first"
    status = 409
    message = N_("Some things must be done first.")

    def __init__(self, found: Sequence[Hindrance]) -> None:
        super().__init__(extra={"first": [one.words for one in found]})
        self.found = found


class CameBack(DomainError):
    """The reason for which nobody but the software wanted to erase the account holds no more."""

    code = "came_back"
    status = 409
    message = N_("They came back: the account stays.")


def to_do_first(person_id: int) -> list[Hindrance]:
    """What stands in the way of erasing somebody, over every record of theirs."""
    return [one for record in records_of(person_id) for one in erasing.hindrances(record)]


def to_be_lost(person_id: int) -> list[Loss]:
    """What of worth goes with somebody, over every record of theirs."""
    return [one for record in records_of(person_id) for one in erasing.losses(record)]


def erase(actor: Actor, public_id: str, *, while_still: ColumnElement[bool] | None = None) -> Person:
    """Forget somebody, oneself or, as a manager, somebody else; doing it twice is fine.

    Their bookings to come are cancelled free of charge. ``while_still``: a condition on the person that must hold in the
    unit. Raises `NotFound`, `Forbidden`, `SomethingFirst` or `CameBack`, and changes nothing.
    """
    with write_unit():
        person, _managers = access.with_managers(public_id)
        if person.id != actor.person_id:
            if not actor.has(Role.MANAGER):
                raise Forbidden()
            rules.check_may_change(actor, person.roles)
        if person.erased_at is not None:
            return person
        if person.merged_into_person_id is not None:
            raise NotFound()
        if while_still is not None and not _fulfils(person.id, while_still):
            raise CameBack()
        if found := to_do_first(person.id):
            raise SomethingFirst(found)
        instant = now()
        person.deactivated_at = person.deactivated_at or instant
        person.session_epoch += 1
        db.session.flush()
        displaced.announce(displaced.PERSON, {"person": person.public_id}, agreed=None)
        _leave_organisations(person)
        for record in records_of(person.id):
            erasing.forget(record)
            db.session.execute(
                update(Person)
                .where(Person.id == record)
                .values(first_name=NAME, last_name=str(record), erased_at=instant)
                .execution_options(synchronize_session=False)
            )
        db.session.expire_all()
        audit.record(actor, "person.erased", ("person", person.id), person_id=person.id)
        security.record(security.ACCOUNT_ERASED, person_id=person.id, actor_id=actor.person_id)
    return person


def _fulfils(person_id: int, condition: ColumnElement[bool]) -> bool:
    return db.session.scalar(select(Person.id).where(Person.id == person_id, condition)) is not None


def _leave_organisations(person: Person) -> None:
    """Nobody pays for them from today on; what was paid stays theirs who paid."""
    today = local_date(now(), place.clock())
    still = (OrganisationMember.person_id == person.id, OrganisationMember.until.is_(None))
    db.session.execute(
        update(OrganisationMember)
        .where(*still, OrganisationMember.since <= today)
        .values(until=today, is_contact=False)
        .execution_options(synchronize_session=False)
    )
