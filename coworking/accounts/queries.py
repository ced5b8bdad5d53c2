"""Reading people, for this package and others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased, contains_eager

from coworking.accounts.models import ApiToken, Organisation, OrganisationMember, Person
from coworking.accounts.terms_queries import accepted_on
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.search import fold, folded

PAGE_SIZE = 50
MAX_WORDS = 5


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """``people`` of page ``number`` (from 1) of ``pages``, out of ``total``."""

    people: list[Person]
    number: int
    pages: int
    total: int


def find_person(public_id: str) -> Person | None:
    """The person, closed accounts included, or None."""
    return _one(select(Person).where(Person.public_id == public_id))


def person_by_public_id(public_id: str) -> Person:
    """The person, closed accounts included; raises `NotFound`."""
    person = find_person(public_id)
    if person is None:
        raise NotFound()
    return person


def person_by_id(person_id: int | None) -> Person:
    """The person an actor is; raises `NotFound` for the system."""
    person = _one(select(Person).where(Person.id == person_id))
    if person is None:
        raise NotFound()
    return person


def person_by_email(email: str) -> Person | None:
    """The person with this address (lower case), or None."""
    return _one(select(Person).where(Person.email == email))


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """The names of people by id (1 statement)."""
    rows = db.session.execute(select(Person.id, Person.first_name, Person.last_name).where(Person.id.in_(list(ids))))
    return {person_id: f"{first} {last}".strip() for person_id, first, last in rows}


def search_people(text: str, limit: int = 10) -> list[Person]:
    """Active people whose names or address hold every word of ``text``, whatever the case and the accents, by name."""
    statement = _by_name(select(Person).where(Person.deactivated_at.is_(None), *_matches(text))).limit(limit)
    return list(db.session.scalars(statement).unique())


def other_records(person: Person, text: str, limit: int = 20) -> list[Person]:
    """Records besides ``person``'s that match ``text``, closed ones too, without those erased or merged, by name."""
    standing = (Person.id != person.id, Person.merged_into_person_id.is_(None), Person.erased_at.is_(None))
    return list(db.session.scalars(_by_name(select(Person).where(*standing, *_matches(text))).limit(limit)).unique())


def list_people(text: str = "", number: int = 1, *, closed: bool = False) -> PeoplePage:
    """One page of the people who match ``text``, by name: active ones, or the ``closed`` accounts (2 statements)."""
    conditions = [Person.deactivated_at.is_not(None) if closed else Person.deactivated_at.is_(None), *_matches(text)]
    total = db.session.scalar(select(func.count()).select_from(Person).where(*conditions)) or 0
    pages = max(1, ceil(total / PAGE_SIZE))
    number = min(max(1, number), pages)
    statement = _by_name(select(Person).where(*conditions)).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    return PeoplePage(list(db.session.scalars(statement).unique()), number, pages, total)


class PersonLine(NamedTuple):
    """A person as a line of a file: what staff may read of them."""

    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    address: str | None
    postcode: str | None
    city: str | None
    status: str | None
    commune: str | None
    created_at: datetime
    deactivated_at: datetime | None
    terms_on: date | None
    rules_on: date | None


def every_person(text: str = "", *, closed: bool = False) -> Iterator[PersonLine]:
    """All the people of whom `list_people` gives pages, by name (1 statement)."""
    columns = [getattr(Person, name) for name in PersonLine._fields[:-2]]
    statement = (
        select(*columns, accepted_on("terms"), accepted_on("rules"))
        .where(Person.deactivated_at.is_not(None) if closed else Person.deactivated_at.is_(None), *_matches(text))
        .order_by(folded(Person.last_name), folded(Person.first_name), Person.id)
    )
    for row in db.session.execute(statement):
        yield PersonLine(*row)


def people_after(cursor: str | None, limit: int) -> tuple[list[Person], str | None]:
    """Up to ``limit`` active people, oldest first, and the next cursor.

    ``cursor`` is the public id of the last one before them. Raises `NotFound` for an unknown cursor.
    """
    statement = select(Person).where(Person.deactivated_at.is_(None)).order_by(Person.id).limit(limit + 1)
    if cursor is not None:
        statement = statement.where(Person.id > person_by_public_id(cursor).id)
    found = list(db.session.scalars(statement).unique())
    return found[:limit], found[limit - 1].public_id if len(found) > limit else None


def _member_on(row: Any, on: Any) -> ColumnElement[bool]:
    return and_(row.since <= on, or_(row.until.is_(None), row.until >= on))


_MINE, _THEIRS = aliased(OrganisationMember), aliased(OrganisationMember)
_COLLEAGUE_IDS = (  # built once: every planning of a member asks it
    select(_THEIRS.person_id)
    .join(_MINE, _MINE.organisation_id == _THEIRS.organisation_id)
    .join(Person, Person.id == _THEIRS.person_id)
    .where(
        _MINE.person_id == bindparam("person"),
        _THEIRS.person_id != bindparam("person"),
        *(_member_on(row, bindparam("on")) for row in (_MINE, _THEIRS)),
        Person.visible_to_colleagues,
        Person.deactivated_at.is_(None),
    )
)


def colleague_ids(person_id: int, on: date) -> frozenset[int]:
    """Active people who share an organisation with ``person_id`` on that date, when both agree to be seen; one statement,
    and none for who did not agree."""
    me = db.session.get(Person, person_id)
    if me is None or not me.visible_to_colleagues:
        return frozenset()
    return frozenset(db.session.scalars(_COLLEAGUE_IDS, {"person": person_id, "on": on}))


def every_organisation(text: str = "") -> list[Organisation]:
    """All the organisations of which `list_organisations` gives pages, by name."""
    statement = select(Organisation).where(*_named(text)).order_by(folded(Organisation.name), Organisation.id)
    return list(db.session.scalars(statement))


def _named(text: str) -> list[ColumnElement[bool]]:
    words = fold(text.replace("\x00", "")).split()[:MAX_WORDS]
    return [folded(Organisation.name).contains(word, autoescape=True) for word in words]


def list_organisations(text: str = "", number: int = 1) -> tuple[list[Organisation], int, int]:
    """One page of the organisations whose names hold every word of ``text``, by name; its number and how many pages."""
    conditions = _named(text)
    total = db.session.scalar(select(func.count()).select_from(Organisation).where(*conditions)) or 0
    pages = max(1, ceil(total / PAGE_SIZE))
    number = min(max(1, number), pages)
    rows = db.session.scalars(
        select(Organisation)
        .where(*conditions)
        .order_by(folded(Organisation.name), Organisation.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return list(rows), number, pages


def organisation_by_public_id(public_id: str) -> Organisation:
    """The organisation; raises `NotFound`."""
    found = db.session.scalar(select(Organisation).where(Organisation.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def members_of(organisation_id: int) -> list[OrganisationMember]:
    """Everyone who belongs or belonged to it, with the people: those who still do first, by name."""
    return list(
        db.session.scalars(
            select(OrganisationMember)
            .join(OrganisationMember.person)
            .where(OrganisationMember.organisation_id == organisation_id)
            .options(contains_eager(OrganisationMember.person))
            .order_by(OrganisationMember.until.is_not(None), folded(Person.last_name), folded(Person.first_name))
        ).unique()
    )


def contact_of(person_id: int | None, on: date) -> Select[int]:
    """The organisations whose contact the person is on that date, as a subquery of their ids."""
    return select(OrganisationMember.organisation_id).where(
        OrganisationMember.person_id == person_id, OrganisationMember.is_contact, _member_on(OrganisationMember, on)
    )


def memberships_of(person_id: int | None) -> list[OrganisationMember]:
    """Each organisation the person belongs or belonged to, as they did last; the present ones first (1 statement)."""
    rows = db.session.scalars(
        select(OrganisationMember)
        .join(OrganisationMember.organisation)
        .where(OrganisationMember.person_id == person_id)
        .options(contains_eager(OrganisationMember.organisation))
        .order_by(OrganisationMember.since, OrganisationMember.id)
    )
    latest = {row.organisation_id: row for row in rows}
    return sorted(latest.values(), key=lambda row: (row.until is not None, row.id))


def is_contact(person_id: int | None, on: date) -> bool:
    """Whether the person speaks for an organisation on that date (1 statement)."""
    return db.session.scalar(contact_of(person_id, on).limit(1)) is not None


def organisations_between(person_id: int, first: date, last: date) -> list[Organisation]:
    """The organisations ``person_id`` belonged to on at least one date from ``first`` to ``last``, by name."""
    return list(
        db.session.scalars(
            select(Organisation)
            .where(
                Organisation.id.in_(
                    select(OrganisationMember.organisation_id).where(
                        OrganisationMember.person_id == person_id,
                        OrganisationMember.since <= last,
                        or_(OrganisationMember.until.is_(None), OrganisationMember.until >= first),
                    )
                )
            )
            .order_by(folded(Organisation.name), Organisation.id)
        )
    )


def tokens_of(person_id: int) -> list[ApiToken]:
    """Tokens in force, newest first."""
    return list(
        db.session.scalars(
            select(ApiToken)
            .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None), ApiToken.ends_at > now())
            .order_by(ApiToken.id.desc())
        )
    )


def _one(statement: Select[Person]) -> Person | None:
    return db.session.scalars(statement).unique().one_or_none()


def _by_name(statement: Select[Person]) -> Select[Person]:
    return statement.order_by(folded(Person.last_name), folded(Person.first_name), Person.id)


def _matches(text: str) -> list[ColumnElement[bool]]:
    """Every word stands somewhere in the names or the address."""
    columns = (Person.first_name, Person.last_name, Person.email)
    return [
        or_(*(folded(column).contains(word, autoescape=True) for column in columns))
        for word in fold(text.replace("\x00", "")).split()[:MAX_WORDS]
    ]
