"""The copy of what the lieu holds about somebody (RGPD, articles 15 and 20): made at once, told of, and written down."""

from __future__ import annotations

import tempfile
from typing import IO

from coworking.accounts import access, copy_formats, emails, queries, throttle
from coworking.accounts.models import Person
from coworking.accounts.rules import TooManyAttempts
from coworking.accounts.twin_queries import records_of
from coworking.core import audit, place, security
from coworking.core.errors import N_, DomainError, Forbidden, NotFound
from coworking.core.i18n import in_language
from coworking.core.policy import Actor, Role
from coworking.core.units import snapshot, write_unit

_KEPT_IN_MEMORY = 1 << 20


class MakeItThemselves(DomainError):
    """Whoever has an account makes the copy there: nobody of the team needs to read it all."""

    code = "make_it_themselves"
    status = 409
    message = N_("They make the copy themselves, under Me → My data.")


class SeveralCopies(DomainError):
    """``minutes`` says how long to wait; ``retry_after`` (an extra) the same in seconds."""

    code = "several_copies"
    status = 429
    message = N_("You have just made several copies. Try again in %(minutes)s min.")


def needs_the_team(person: Person) -> bool:
    """Whether somebody of the team makes the copy for them: they have no address to sign in with, or a closed account."""
    return person.email is None or not person.is_active


def copy_of(actor: Actor, public_id: str) -> IO[bytes]:
    """A ZIP of everything the lieu holds about a person, oneself or, as a manager, somebody who cannot sign in.

    Nothing is locked while it is made. Raises `NotFound`, also for who was erased, `Forbidden`, `MakeItThemselves` or
    `SeveralCopies`.
    """
    person = queries.person_by_public_id(public_id)
    _check(actor, person)
    _count(actor)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    try:
        with snapshot():
            person = queries.person_by_public_id(public_id)
            with in_language(person.locale):
                copy_formats.write(file, person, records_of(person.id), place.name())
        with write_unit():
            _note(actor, access.by_public_id(public_id))
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _count(actor: Actor) -> None:
    try:
        with write_unit():
            throttle.count(throttle.copy_buckets(actor.person_id))
    except TooManyAttempts as error:
        raise SeveralCopies(extra=error.extra, minutes=error.params["minutes"]) from error


def _check(actor: Actor, person: Person) -> None:
    if person.erased_at is not None:
        raise NotFound()
    if person.id != actor.person_id:
        if not actor.has(Role.MANAGER):
            raise Forbidden()
        if not needs_the_team(person):
            raise MakeItThemselves()


def _note(actor: Actor, person: Person | None) -> None:
    """Write it down and tell who can sign in, in the open unit; raises `NotFound` when they were erased meanwhile."""
    if person is None:
        raise NotFound()
    _check(actor, person)
    audit.record(actor, "person.data_copied", ("person", person.id), person_id=person.id)
    security.record(security.DATA_COPIED, person_id=person.id, actor_id=actor.person_id)
    if person.id == actor.person_id:
        emails.enqueue_access(emails.DATA_COPIED, person)
