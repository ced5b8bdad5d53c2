"""Problems that people report on a desk, room or office, until the team marks them as resolved.

What takes a place out of service is the manager's own act (`coworking.spaces.inventory.retire_resource`): a report changes
nothing of what can be booked.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from coworking.booking.access import for_whom
from coworking.booking.message_models import ProblemReport
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource

MOST_OPEN = 10
"""How many reports of one person may wait at a time."""

MOST_CHARACTERS = 500

SHOWN_RESOLVED = 5

_OPEN = ProblemReport.resolved_at.is_(None)
_REPORTS = select(ProblemReport).options(joinedload(ProblemReport.resource), joinedload(ProblemReport.person))


class TooManyReports(DomainError):
    code = "too_many_reports"
    status = 409
    message = N_("%(most)s problems that you reported are still open. Tell the host in person.")


@dataclass(frozen=True, slots=True)
class ReportedPlace:
    """A desk, room or office with its open reports, the oldest first."""

    resource: Resource
    reports: tuple[ProblemReport, ...]


def report(actor: Actor, resource: str, words: str) -> ProblemReport:
    """Tell the team that something is wrong with ``resource`` (public id), which is in service today or later.

    The same words of the same person on the same place are one report while it is open.
    """
    with write_unit() as unit:
        person = for_whom(actor, None)  # locked: sixteen taps come one after the other
        place = spaces.resource_by_public_id(resource)
        if place.in_service_until is not None and place.in_service_until < spaces.today():
            raise NotFound()
        waiting = db.session.scalars(
            select(ProblemReport).where(ProblemReport.person_id == person.id, ProblemReport.resolved_at.is_(None))
        ).all()
        found = next((one for one in waiting if (one.resource_id, one.words) == (place.id, words)), None)
        if found is None:
            if len(waiting) >= MOST_OPEN:
                raise TooManyReports(most=MOST_OPEN, field="words")
            found = ProblemReport(resource_id=place.id, person_id=person.id, words=words)
            db.session.add(found)
            db.session.flush()
        unit.result = found.public_id
    return found


def open_places() -> list[ReportedPlace]:
    """Every place with open reports, the longest waiting first: one statement."""
    places: dict[int, list[ProblemReport]] = {}
    for one in db.session.scalars(_REPORTS.where(_OPEN).order_by(ProblemReport.id)).unique():
        places.setdefault(one.resource_id, []).append(one)
    return [ReportedPlace(reports[0].resource, tuple(reports)) for reports in places.values()]


def open_reports(resource: Resource, *, person_id: int | None = None) -> list[ProblemReport]:
    """The open reports of ``resource``, the oldest first, of everyone or of one person: one statement."""
    statement = _REPORTS.where(_OPEN, ProblemReport.resource_id == resource.id).order_by(ProblemReport.id)
    if person_id is not None:
        statement = statement.where(ProblemReport.person_id == person_id)
    return list(db.session.scalars(statement).unique())


def resolved_reports(resource: Resource) -> list[ProblemReport]:
    """The reports of ``resource`` that were resolved last, the latest first: one statement."""
    statement = (
        _REPORTS.options(joinedload(ProblemReport.resolved_by))
        .where(ProblemReport.resource_id == resource.id, ProblemReport.resolved_at.is_not(None))
        .order_by(ProblemReport.resolved_at.desc(), ProblemReport.id.desc())
        .limit(SHOWN_RESOLVED)
    )
    return list(db.session.scalars(statement).unique())


def resolve(actor: Actor, resource: str, reports: Collection[str], word: str | None) -> datetime | None:
    """Staff mark these reports (public ids) of ``resource`` as resolved, with a ``word``; the moment, None where none waits.

    Twice is fine: the first who resolved a report stays named.
    """
    with write_unit():
        instant = now()
        done = _locked(resource, _OPEN, ProblemReport.public_id.in_(reports))
        for one in done:
            one.resolved_at, one.resolved_by_id, one.resolution = instant, actor.person_id, word
            audit.record(actor, "problem.resolved", ("problem_report", one.id), person_id=one.person_id)
    return instant if done else None


def reopen(actor: Actor, resource: str, at: datetime) -> int:
    """A wrong tap: what ``actor`` marked as resolved at that moment waits again; how many."""
    with write_unit():
        by_me = ProblemReport.resolved_by_id == actor.person_id
        undone = _locked(resource, ProblemReport.resolved_at == at, by_me)
        for one in undone:
            one.resolved_at = one.resolved_by_id = one.resolution = None
            audit.record(actor, "problem.reopened", ("problem_report", one.id), person_id=one.person_id)
    return len(undone)


def open_state() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """What changes when a report comes, is resolved or waits again, to be selected with other things."""
    return (
        select(func.count()).where(_OPEN).scalar_subquery(),
        select(func.coalesce(func.sum(ProblemReport.id), 0)).where(_OPEN).scalar_subquery(),
    )


def _locked(resource: str, *conditions: ColumnElement[bool]) -> list[ProblemReport]:
    place = spaces.resource_by_public_id(resource)
    statement = select(ProblemReport).where(ProblemReport.resource_id == place.id, *conditions)
    return list(db.session.scalars(locked(statement.order_by(ProblemReport.id))))
