"""One person's whole story: what they booked, when they came, what is left, what they owe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from coworking.accounts import papers
from coworking.accounts.booking_proxies import proxy_of
from coworking.accounts.card_models import PersonCard
from coworking.accounts.cards import card_of
from coworking.accounts.models import OrganisationMember, Person
from coworking.accounts.proxy_models import BookingProxy
from coworking.accounts.queries import person_by_public_id
from coworking.accounts.terms_queries import TextHead, waiting_for
from coworking.accounts.twin_queries import merged_records, same_person
from coworking.billing import queries as billing
from coworking.billing.account_queries import PayerAccount, account_for
from coworking.billing.account_rules import Line
from coworking.billing.models import Charge
from coworking.booking.models import Booking
from coworking.booking.queries import coming_bookings, past_bookings
from coworking.core.db import db
from coworking.core.policy import Actor, Role
from coworking.membership.entitlement_queries import Remaining, remaining
from coworking.membership.queries import employers_of
from coworking.presence.models import PastVisits, Presence
from coworking.spaces import queries as spaces

SHOWN = 8
"""How many of each list a story shows: enough to answer somebody who stands at the desk."""
LATELY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Visits:
    """When somebody came: on how many days lately (`LATELY`), the first and the latest of all, and the ``latest`` ones."""

    days: int
    first: date | None
    latest: Sequence[Presence]


@dataclass(frozen=True, slots=True)
class MoneyOf:
    """How somebody stands: their account, the last of its lines (newest first), and what is not invoiced yet."""

    account: PayerAccount
    lines: Sequence[Line]
    to_invoice: Sequence[Charge]


@dataclass(frozen=True, slots=True)
class Story:
    """What the team knows of ``person``. ``coming`` and ``past``: how many bookings there are beside those listed.

    ``not_accepted``: versions of terms and house rules. ``merged``: records that went into this one, whose past is shown
    with it; ``merged_into``: where this one went. ``money`` and ``employers`` are None for those who may not see them.
    """

    person: Person
    coming: Sequence[Booking]
    more_coming: int
    past: Sequence[Booking]
    visits: Visits
    left: Sequence[Remaining]
    employers: Sequence[OrganisationMember] | None
    money: MoneyOf | None
    card: PersonCard | None
    to_print: int
    proxy: BookingProxy | None
    not_accepted: Sequence[TextHead]
    merged: Sequence[Person]
    merged_into: Person | None


def story_of(actor: Actor, public_id: str) -> Story:
    """The story as ``actor`` may read it, in a fixed number of statements; raises `NotFound`.

    Hosts read no amounts, and not who employs somebody (docs/privacy.md).
    """
    person, today = person_by_public_id(public_id), spaces.today()
    coming = [booking for booking in coming_bookings(person.id) if not booking.is_cancelled]
    reads_money = actor.has(Role.ACCOUNTANT)
    left = remaining(person.id, today)
    return Story(
        person=person,
        coming=coming[:SHOWN],
        more_coming=len(coming[SHOWN:]),
        past=past_bookings(person.id, 1, SHOWN)[0],
        visits=_visits(person.id, today),
        left=left if reads_money else [one for one in left if not one.employer],
        employers=employers_of(person.id, today) if reads_money else None,
        money=_money(actor, person) if reads_money else None,
        card=card_of(person.id),
        proxy=proxy_of(person.id),
        not_accepted=waiting_for(person.id),
        merged=merged_records(person.id),
        merged_into=db.session.get(Person, person.merged_into_person_id) if person.merged_into_person_id else None,
        to_print=papers.how_many_wait(is_manager=actor.has(Role.MANAGER), person_id=person.id),
    )


def _visits(person_id: int, today: date) -> Visits:
    lately = func.count(Presence.day.distinct()).filter(Presence.day > today - LATELY)
    theirs = same_person(PastVisits.person_id, person_id)
    long_ago = select(func.min(PastVisits.first_day)).where(theirs).scalar_subquery()
    days, first = db.session.execute(
        select(lately, func.coalesce(long_ago, func.min(Presence.day))).where(
            same_person(Presence.person_id, person_id)
        )
    ).one()
    latest = (
        select(Presence)
        .where(same_person(Presence.person_id, person_id))
        .order_by(Presence.arrived_at.desc())
        .limit(SHOWN)
    )
    return Visits(days, first, list(db.session.scalars(latest)))


def _money(actor: Actor, person: Person) -> MoneyOf:
    account = account_for(actor, person.public_id)
    return MoneyOf(account, account.lines[::-1][:SHOWN], billing.coming_for(person.id))
