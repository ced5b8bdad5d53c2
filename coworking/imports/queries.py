"""Reading imports, and the people whom a file's lines may mean."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from coworking.accounts.models import Organisation, OrganisationMember, Person, PersonRole
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.folding import fold, listed_by
from coworking.core.search import folded
from coworking.imports.balance_rules import BalanceEntry
from coworking.imports.booking_rules import BookingEntry
from coworking.imports.models import ImportFile, ImportLine
from coworking.imports.organisation_rules import KnownOrganisation
from coworking.imports.person_rules import KnownPerson, PersonEntry, alike, same_name
from coworking.imports.plan_month_rules import PlanMonthEntry
from coworking.imports.subscription_rules import HeldPlan, SubscriptionEntry
from coworking.membership.models import STANDS, Plan, Subscription
from coworking.spaces import queries as spaces

LISTED = 30


def file_named(public_id: str) -> ImportFile:
    """The file; raises `NotFound`."""
    found = db.session.scalar(select(ImportFile).where(ImportFile.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def file_with(subject: str, sha256: str) -> ImportFile | None:
    """The file with this digest, where it was uploaded before."""
    return db.session.scalar(select(ImportFile).where(ImportFile.subject == subject, ImportFile.sha256 == sha256))


def files() -> list[ImportFile]:
    """The latest files, without their contents."""
    return list(db.session.scalars(select(ImportFile).order_by(ImportFile.id.desc()).limit(LISTED)))


def outcomes_of(file_ids: Sequence[int]) -> dict[int, Counter[str]]:
    """By file how many lines came to what (1 statement)."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    rows = db.session.execute(
        select(ImportLine.file_id, ImportLine.outcome, func.count())
        .where(ImportLine.file_id.in_(file_ids))
        .group_by(ImportLine.file_id, ImportLine.outcome)
    )
    for file_id, outcome, count in rows:
        found[file_id][outcome] = int(count)
    return found


def lines_of(file_id: int) -> Iterator[ImportLine]:
    """What became of each line, in the file's order, some hundred at a time."""
    last = 0
    while rows := db.session.scalars(
        select(ImportLine)
        .where(ImportLine.file_id == file_id, ImportLine.line > last)
        .order_by(ImportLine.line)
        .limit(500)
    ).all():
        yield from rows
        last = rows[-1].line


def noted_lines(file_id: int, limit: int) -> list[ImportLine]:
    """The first lines that were left out, or that something is to be known about."""
    return list(
        db.session.scalars(
            select(ImportLine)
            .where(ImportLine.file_id == file_id, ImportLine.words.is_not(None))
            .order_by(ImportLine.line)
            .limit(limit)
        )
    )


def to_invite(file_id: int, after: int, limit: int) -> list[tuple[int, str]]:
    """Lines behind ``after`` whose people were added with an address and cannot sign in yet: (line, public id)."""
    rows = db.session.execute(
        select(ImportLine.line, Person.public_id)
        .join(Person, Person.id == ImportLine.person_id)
        .where(
            ImportLine.file_id == file_id,
            ImportLine.line > after,
            ImportLine.outcome == "added",
            Person.email.is_not(None),
            Person.password_hash.is_(None),
            Person.email_confirmed_at.is_(None),
            Person.deactivated_at.is_(None),
        )
        .order_by(ImportLine.line)
        .limit(limit)
    )
    return [(line, public_id) for line, public_id in rows]


def count_to_invite(file_id: int) -> int:
    """How many people `to_invite` finds in all."""
    return len(to_invite(file_id, 0, 1_000_000))


@dataclass(slots=True)
class Acquaintances:
    """Whom the people of some lines may be: by address, by what near addresses share, by name."""

    exact: dict[str, KnownPerson]
    near: dict[str, list[KnownPerson]]
    namesakes: dict[str, list[KnownPerson]]


def acquaintances(entries: Sequence[PersonEntry]) -> Acquaintances:
    """Everyone whom ``entries`` may mean (2 statements at most)."""
    emails = {entry.email for entry in entries if entry.email}
    bases = {alike(email) for email in emails}
    words = {word for entry in entries for word in (fold(entry.last_name), fold(entry.first_name))}
    is_staff = select(PersonRole.role).where(PersonRole.person_id == Person.id).exists()
    columns = (
        Person.public_id, Person.first_name, Person.last_name, Person.email, Person.phone, Person.address,
        Person.postcode, Person.city, Person.staff_note, is_staff, Person.deactivated_at.is_not(None),
        Person.status, Person.commune,
    )  # fmt: skip
    rows = db.session.execute(
        select(*columns)
        .where(
            or_(
                Person.email.in_(emails | bases),
                Person.email.contains("+"),
                folded(Person.last_name).in_(words),
            )
        )
        .order_by(Person.id)
    )
    people = list(rows)
    belonging = _organisations_of([row[0] for row in people]) if any(entry.organisation for entry in entries) else {}
    found = Acquaintances({}, defaultdict(list), defaultdict(list))
    for row in people:
        known = KnownPerson(*row, organisations=frozenset(belonging.get(row[0], ())))
        if known.email:
            found.exact[known.email] = known
            if (base := alike(known.email)) in bases:
                found.near[base].append(known)
        if not known.is_closed:
            found.namesakes[same_name(known.first_name, known.last_name)].append(known)
    return found


def _organisations_of(public_ids: Sequence[str]) -> dict[str, set[str]]:
    """By person the organisations that they belong to now, as `listed_by` has their names (1 statement)."""
    today = spaces.today()
    rows = db.session.execute(
        select(Person.public_id, Organisation.name)
        .join(OrganisationMember, OrganisationMember.person_id == Person.id)
        .join(Organisation, Organisation.id == OrganisationMember.organisation_id)
        .where(
            Person.public_id.in_(public_ids),
            or_(OrganisationMember.until.is_(None), OrganisationMember.until >= today),
        )
    )
    found: dict[str, set[str]] = defaultdict(set)
    for public_id, name in rows:
        found[public_id].add(listed_by(name))
    return found


def whom_they_mean(
    entries: Sequence[SubscriptionEntry | PlanMonthEntry | BalanceEntry | BookingEntry],
) -> dict[int, list[KnownPerson]]:
    """By line the people with its address, else those of its name (1 statement)."""
    asked = [PersonEntry(entry.line, entry.who.first_name, entry.who.last_name, entry.who.email) for entry in entries]
    known = acquaintances(asked)
    found: dict[int, list[KnownPerson]] = {}
    for entry in entries:
        who = entry.who
        exact = known.exact.get(who.email or "")
        open_ones = [exact] if exact is not None and not exact.is_closed else []
        called = [] if who.email else known.namesakes.get(same_name(who.first_name, who.last_name), [])
        found[entry.line] = open_ones or called
    return found


def plans_held(public_ids: Sequence[str]) -> dict[str, list[HeldPlan]]:
    """By person the plans they have, had or will have (1 statement)."""
    rows = db.session.execute(
        select(Person.public_id, Subscription.name, Subscription.first_month, Subscription.last_month)
        .join(Person, Person.id == Subscription.person_id)
        .where(Person.public_id.in_(public_ids), STANDS)
        .order_by(Subscription.first_month)
    )
    found: dict[str, list[HeldPlan]] = defaultdict(list)
    for public_id, name, first_month, last_month in rows:
        found[public_id].append(HeldPlan(name, first_month, last_month))
    return found


def plans_offered() -> dict[str, str]:
    """The plans that can be chosen: their public ids by their names (1 statement)."""
    rows = db.session.execute(select(Plan.name, Plan.public_id).where(Plan.is_open).order_by(Plan.id))
    return {row[0]: row[1] for row in rows}


def known_organisations() -> list[KnownOrganisation]:
    """Every organisation (1 statement). A place knows some hundred at most."""
    columns = [getattr(Organisation, column) for column in KnownOrganisation.__dataclass_fields__]
    return [KnownOrganisation(*row) for row in db.session.execute(select(*columns).order_by(Organisation.id))]
