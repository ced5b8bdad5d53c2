"""A first half-day to try the lieu: whether somebody may have it, and that they have it once.

It is for people who signed up by themselves and confirmed their address, before anything else was booked or used by
them, under whatever spelling of it. The database refuses a second one (`trial`, guard ``quote_trial_once``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from coworking.accounts.models import Person
from coworking.core import audit
from coworking.core.db import db
from coworking.core.folding import address_key
from coworking.core.page_versions import Keep, lieu_version
from coworking.core.policy import Actor
from coworking.core.search import folded
from coworking.core.sql import inserted
from coworking.core.units import locked, require_unit, write_unit
from coworking.membership.access import managers_only
from coworking.membership.models import MembershipSettings
from coworking.membership.trial_models import Trial
from coworking.membership.trial_rules import TrialTaken, TrialTerms
from coworking.pricing.models import Quote

_TRACES: list[InstrumentedAttribute[int]] = []

_kept_cents = Keep[tuple[int | None]](4)


def trace(person_column: InstrumentedAttribute[int]) -> None:
    """Rows of this column's table show that a person has been here; packages above register theirs when imported."""
    if person_column not in _TRACES:
        _TRACES.append(person_column)


def trial_cents() -> int | None:
    """What a first half-day costs to try, in the basis of the day's tariff; None where the lieu offers none.

    No statement while the lieu's version is the same.
    """
    version = lieu_version()
    found = _kept_cents.get(version) if version is not None else None
    if found is None:
        found = (db.session.scalar(select(MembershipSettings.trial_cents)),)
        if version is not None:
            _kept_cents.put(version, found)
    return found[0]


def set_trial(actor: Actor, cents: int | None) -> None:
    """Offer a first half-day at ``cents``, or none. What was booked keeps its price. Managers only."""
    managers_only(actor)
    with write_unit():
        row = db.session.scalar(locked(select(MembershipSettings)))
        if row is None:
            row = MembershipSettings(id=1)
            db.session.add(row)
        if row.trial_cents != cents:
            row.trial_cents = cents
            audit.record(actor, "trial.set", ("lieu", 1), cents=cents)


def trial_of(person_id: int, *, leaving: Collection[int] = ()) -> TrialTerms | None:
    """The half-day that a person may still have to try (1 or 2 statements, none where the lieu offers none).

    ``leaving``: ids of quotes that would be released first. Behind the person's lock the answer stays true for them; who
    else has their mailbox is settled when it is taken.
    """
    cents = trial_cents()
    if cents is None:
        return None
    email = db.session.scalar(
        select(Person.email).where(
            Person.id == person_id,
            Person.email_confirmed_at.is_not(None),
            Person.vouched.is_(False),
            ~_has_been([person_id], leaving),
        )
    )
    if email is None or _mailbox_has_been(person_id, email, leaving):
        return None
    return TrialTerms(cents)


def _has_been(people: Collection[int], leaving: Collection[int]):  # type: ignore[no-untyped-def] - an SQL expression
    """Whether any of ``people`` has booked or used anything, but for the quotes that are ``leaving``."""
    booked = exists().where(Quote.person_id.in_(people), Quote.state != "released", Quote.id.not_in(leaving))
    return or_(booked, *(exists().where(column.in_(people)) for column in _TRACES))


def _mailbox_has_been(person_id: int, email: str, leaving: Collection[int]) -> bool:
    """Whether somebody with another spelling of ``email`` has been here, or has their half-day to try."""
    key = address_key(email)
    local, _at, domain = key.rpartition("@")
    spelled = folded(Person.email)
    like = (spelled.startswith(local, autoescape=True), spelled.endswith(f"@{domain}", autoescape=True))
    rows = db.session.execute(select(Person.id, Person.email).where(Person.id != person_id, *like))
    others = [other for other, address in rows if address is not None and address_key(address) == key]
    had = exists().where(Trial.address == key, Trial.quote_id.not_in(leaving))
    return bool(db.session.scalar(select(or_(had, _has_been(others, ())) if others else had)))


def trying_on(day: date) -> set[int]:
    """The ids of those who try the lieu on ``day`` (1 statement)."""
    booked = (Quote.day == day, Quote.cover == "trial", Quote.state == "live")
    return set(db.session.scalars(select(Quote.person_id).where(*booked)))


def take(quotes: Iterable[Quote]) -> None:
    """Note whose half-day to try the new ``quotes`` are; raises `TrialTaken` where their person or mailbox has had one."""
    require_unit()
    for quote in quotes:
        if quote.cover == "trial":
            email = db.session.scalar(select(Person.email).where(Person.id == quote.person_id))
            address = None if email is None else address_key(email)
            if not inserted(Trial, person_id=quote.person_id, address=address, quote_id=quote.id):
                raise TrialTaken()


def give_back(quotes: Iterable[Quote]) -> None:
    """Their people may try again: ``quotes`` owe nothing any more."""
    require_unit()
    ids = [quote.id for quote in quotes if quote.cover == "trial"]
    if ids:
        db.session.execute(delete(Trial).where(Trial.quote_id.in_(ids)))


def may_take_again(quotes: Iterable[Quote]) -> bool:
    """Whether released ``quotes`` to try may stand again: their people have no other one by now."""
    people = [quote.person_id for quote in quotes if quote.cover == "trial"]
    if not people:
        return True
    emails = db.session.scalars(select(Person.email).where(Person.id.in_(people)))
    keys = [address_key(email) for email in emails if email is not None]
    had = exists().where(or_(Trial.person_id.in_(people), Trial.address.in_(keys)))
    return not db.session.scalar(select(had))
