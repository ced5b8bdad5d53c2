"""Two records that may be one person, side by side: what each has, and what making them one would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from coworking.accounts.card_models import PersonCard
from coworking.accounts.models import Device, Person
from coworking.accounts.terms_queries import accepted_by
from coworking.billing import queries as billing
from coworking.billing.models import Invoice
from coworking.billing.payer_credit_queries import credit_left
from coworking.booking.models import Booking
from coworking.core.clock import now
from coworking.core.db import db
from coworking.membership.entitlement_queries import remaining
from coworking.membership.queries import employers_of, last_adhesion_day, subscriptions_of
from coworking.presence.models import Presence
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What the lieu knows of a record, in numbers and names.

    ``plans``: those that run; ``left``: what else is left of allowances; ``last_seen``: when it was last signed in to.
    """

    person: Person
    coming: int
    past: int
    days: int
    last_day: date | None
    plans: Sequence[str]
    left: Sequence[str]
    member_until: date | None
    employers: Sequence[str]
    invoices: int
    owed_cents: int
    credit_cents: int
    has_card: bool
    accepted: int
    last_seen: datetime | None

    @property
    def weight(self) -> int:
        """How much hangs on it: the record with more is proposed to stay."""
        return self.past + self.days + 5 * (self.coming + self.invoices + len(self.plans) + len(self.left))


def facts_of(person: Person) -> RecordFacts:
    """The facts of one record, in a fixed number of statements."""
    today = spaces.today()
    days, last_day = _one(
        select(func.count(Presence.day.distinct()), func.max(Presence.day)).where(Presence.person_id == person.id)
    )
    live = (Booking.person_id == person.id, Booking.status != "cancelled")
    over = func.count().filter(Booking.ends_at <= now())
    every, past = _one(select(func.count(), over).select_from(Booking).where(*live))
    plans = [row.name for row in subscriptions_of(person.id) if row.last_month is None or row.last_month >= today]
    return RecordFacts(
        person=person,
        coming=every - past,
        past=past,
        days=days,
        last_day=last_day,
        plans=plans,
        left=[one.name for one in remaining(person.id, today) if not one.employer and one.name not in plans],
        member_until=last_adhesion_day(person.id),
        employers=[row.organisation.name for row in employers_of(person.id, today)],
        invoices=_one(select(func.count()).select_from(Invoice).where(Invoice.payer_person_id == person.id))[0],
        owed_cents=sum(row.open_cents for row in billing.owed_of((person.id, None))),
        credit_cents=credit_left((person.id, None)),
        has_card=_one(
            select(func.count())
            .select_from(PersonCard)
            .where(PersonCard.person_id == person.id, PersonCard.ended_at.is_(None))
        )[0]
        > 0,
        accepted=len(accepted_by(person.id)),
        last_seen=_one(select(func.max(Device.last_used_at)).where(Device.person_id == person.id))[0],
    )


def _one(statement: Any) -> Any:
    return db.session.execute(statement).one()
