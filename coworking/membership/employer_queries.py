"""Reading what an employer may see (`coworking.membership.employer_rules` decides what that is)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import contains_eager

from coworking.accounts import queries as accounts
from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_after, month_end, month_of
from coworking.core.policy import Actor, Role
from coworking.membership.employer_rules import (
    MONTHS_BACK,
    AgreementMonth,
    Employee,
    EmployeeAllowance,
    EmployeeMonth,
    EmployeeUse,
    forecast,
    seen_of,
)
from coworking.membership.models import Agreement
from coworking.pricing.models import Quote
from coworking.pricing.queries import prices_on
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class EmployerMonth:
    """What an organisation sees of ``month``: its people, those who still belong to it first, by name."""

    organisation: Organisation
    month: date
    people: list[EmployeeMonth]

    @property
    def used(self) -> int:
        return sum(row.used for row in self.people)


def organisation_of_contact(actor: Actor, public_id: str) -> Organisation:
    """The organisation, for its contact of today and for managers; raises `NotFound` for anyone else."""
    statement = select(Organisation).where(Organisation.public_id == public_id)
    if not actor.has(Role.MANAGER):
        statement = statement.where(Organisation.id.in_(accounts.contact_of(actor.person_id, spaces.today())))
    found = db.session.scalar(statement)
    if found is None:
        raise NotFound()
    return found


def belonging_of(actor: Actor, organisation: str, person: str) -> OrganisationMember:
    """How somebody belongs to the organisation today, or will, with both; for its contact and managers.

    Raises `NotFound` for anyone else, and for who belongs to it no longer.
    """
    found = db.session.scalars(
        select(OrganisationMember)
        .join(OrganisationMember.person)
        .where(
            OrganisationMember.organisation_id == organisation_of_contact(actor, organisation).id,
            Person.public_id == person,
            or_(OrganisationMember.until.is_(None), OrganisationMember.until >= spaces.today()),
        )
        .options(contains_eager(OrganisationMember.person))
        .order_by(OrganisationMember.since)
        .limit(1)
    ).first()
    if found is None:
        raise NotFound()
    return found


def organisations_after(actor: Actor, cursor: str | None, limit: int) -> tuple[list[Organisation], str | None]:
    """Up to ``limit`` organisations whose contact ``actor`` is, or all for managers, the oldest first; the next cursor.

    ``cursor`` is the public id of the last one before them; raises `NotFound` for one that ``actor`` may not read.
    """
    statement = select(Organisation).order_by(Organisation.id).limit(limit + 1)
    if not actor.has(Role.MANAGER):
        statement = statement.where(Organisation.id.in_(accounts.contact_of(actor.person_id, spaces.today())))
    if cursor is not None:
        statement = statement.where(Organisation.id > organisation_of_contact(actor, cursor).id)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].public_id if len(found) > limit else None


def organisations_of_contact(actor: Actor) -> list[Organisation]:
    """The organisations whose contact ``actor`` is today, by name."""
    ids = accounts.contact_of(actor.person_id, spaces.today())
    return list(db.session.scalars(select(Organisation).where(Organisation.id.in_(ids)).order_by(Organisation.name)))


def check_month(month: date) -> date:
    """``month``, when an employer may look at it: the running one and the two years before; raises `NotFound`."""
    this = month_of(spaces.today())
    if not month_after(this, -MONTHS_BACK) <= month <= this:
        raise NotFound()
    return month


def seen_by_employer(organisation: Organisation, month: date, *, person_id: int | None = None) -> EmployerMonth:
    """What ``organisation`` sees of ``month``, of everyone or of one person (3 statements)."""
    today = spaces.today()
    employees = _employees(organisation.id, month, person_id)
    uses = _uses(organisation.id, month, today, person_id)
    allowances = [
        EmployeeAllowance(*row)
        for row in db.session.execute(
            select(
                Agreement.id,
                Agreement.valid_from,
                Agreement.valid_until,
                Agreement.halfdays_per_month,
                or_(Agreement.days_per_week.is_not(None), Agreement.cap_cents.is_not(None)),
            ).where(Agreement.organisation_id == organisation.id)
        )
    ]
    shown = [seen_of(who, uses, allowances, month=month, today=today) for who in employees]
    return EmployerMonth(organisation, month, [row for row in shown if _was_there(row, month)])


def _was_there(row: EmployeeMonth, month: date) -> bool:
    """Whether someone belonged to it in the month, or half-days booked before are still paid."""
    belonged = row.who.since <= month_end(month) and (row.who.until is None or row.who.until >= month)
    return belonged or row.used > 0


def _employees(organisation_id: int, month: date, person_id: int | None) -> list[Employee]:
    """Everyone once, as they belonged to it last up to ``month``; those who still belong to it first, by name."""
    statement = (
        select(
            Person.id,
            OrganisationMember.id,
            Person.first_name,
            Person.last_name,
            OrganisationMember.is_contact,
            OrganisationMember.since,
            OrganisationMember.until,
            OrganisationMember.dates_shown_at.is_not(None),
            Person.public_id,
        )
        .join(Person, Person.id == OrganisationMember.person_id)
        .where(OrganisationMember.organisation_id == organisation_id, OrganisationMember.since <= month_end(month))
        .order_by(OrganisationMember.since, OrganisationMember.id)
    )
    if person_id is not None:
        statement = statement.where(OrganisationMember.person_id == person_id)
    latest = {row[0]: Employee(*row) for row in db.session.execute(statement)}
    return sorted(
        latest.values(), key=lambda who: (who.until is not None, who.last_name, who.first_name, who.person_id)
    )


def _uses(organisation_id: int, month: date, today: date, person_id: int | None) -> Sequence[EmployeeUse]:
    """The half-days that the organisation pays, that are over and were not given back."""
    statement = (
        select(Quote.person_id, Quote.agreement_id, Quote.day, func.count())
        .where(
            Quote.payer_organisation_id == organisation_id,
            Quote.state != "released",
            Quote.half.is_not(None),
            Quote.day.between(month, month_end(month)),
            Quote.day < today,
        )
        .group_by(Quote.person_id, Quote.agreement_id, Quote.day)
    )
    if person_id is not None:
        statement = statement.where(Quote.person_id == person_id)
    return [EmployeeUse(*row) for row in db.session.execute(statement)]


def spending(organisation: Organisation, agreements: Iterable[Agreement], month: date) -> dict[int, AgreementMonth]:
    """What each of its ``agreements`` cost in ``month`` up to yesterday, and what that may come to, by id (3 statements).

    Only the running month has a forecast.
    """
    today = spaces.today()
    rows = db.session.execute(
        select(Quote.agreement_id, func.sum(Quote.amount_cents))
        .where(
            Quote.payer_organisation_id == organisation.id,
            Quote.state != "released",
            Quote.day.between(month, month_end(month)),
            Quote.day < today,
        )
        .group_by(Quote.agreement_id)
    )
    spent = {agreement_id: int(cents) for agreement_id, cents in rows}
    calendar = spaces.days(month, month_end(month)) if month == month_of(today) else {}
    open_days = [day for day, row in calendar.items() if row.open()]
    over = sum(day < today for day in open_days)
    basis = prices_on(month_end(month)).basis
    return {
        one.id: AgreementMonth(
            found := spent.get(one.id, 0),
            forecast(found, over, len(open_days), one.cap_cents if one.cap_of == "organisation" else None),
            basis,
        )
        for one in agreements
    }


def is_only_contact(actor: Actor) -> bool:
    """Whether the actor speaks for an organisation and never booked anything (at most 2 statements)."""
    if not accounts.is_contact(actor.person_id, spaces.today()):
        return False
    return db.session.scalar(select(Quote.id).where(Quote.person_id == actor.person_id).limit(1)) is None


def agreements_in_force(organisation_id: int) -> list[Agreement]:
    """The agreements of the organisation that are not over, the latest first (1 statement)."""
    today = spaces.today()
    return list(
        db.session.scalars(
            select(Agreement)
            .where(
                Agreement.organisation_id == organisation_id,
                or_(Agreement.valid_until.is_(None), Agreement.valid_until >= today),
            )
            .order_by(Agreement.valid_from.desc(), Agreement.id.desc())
        )
    )
