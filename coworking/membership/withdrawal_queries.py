"""Until when who bought at a distance can withdraw, and who did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_end
from coworking.core.timespan import local_date
from coworking.membership.models import STANDS, Pack, Subscription
from coworking.membership.withdrawal_models import Withdrawal
from coworking.membership.withdrawal_rules import last_day_to_withdraw
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from coworking.spaces.rules import holiday_on

LETTERS_COME_WITHIN = timedelta(days=30)
"""How long after the last day a manager is still offered to write down a letter."""


def contract_day(row: Subscription | Pack) -> date:
    """The local day on which it was bought."""
    return local_date(row.created_at, spaces.lieu().tz)


def is_holiday(day: date) -> bool:
    """Whether the law counts ``day`` as a public holiday where the lieu is."""
    return holiday_on(day, spaces.lieu().holiday_area) is not None


def last_day_of_right(row: Subscription | Pack) -> date | None:
    """The last day on which its person can withdraw from it; None: it was not bought at a distance."""
    return last_day_to_withdraw(contract_day(row), is_holiday) if row.at_distance else None


def to_withdraw(rows: Iterable[Subscription | Pack], *, by_letter: bool = False) -> dict[str, date]:
    """Until when the person of each can withdraw, by public id: of those that are open and that nobody withdrew from.

    ``by_letter``: also those whose letter may still be under way (1 statement).
    """
    today, grace = spaces.today(), LETTERS_COME_WITHIN if by_letter else timedelta()
    days = {row: day for row in rows if (day := last_day_of_right(row)) is not None and day + grace >= today}
    done = {(found.subscription_id, found.pack_id) for found in _of_rows(days)} if days else set()
    return {row.public_id: day for row, day in days.items() if _key(row) not in done}


def withdrawal_from(row: Subscription | Pack) -> Withdrawal | None:
    """What its person's withdrawal came to, if they withdrew (1 statement)."""
    subscription_id, pack_id = _key(row)
    of_it = Withdrawal.subscription_id == subscription_id if pack_id is None else Withdrawal.pack_id == pack_id
    return db.session.scalar(select(Withdrawal).where(of_it))


def withdrawals_of(person_id: int) -> list[Withdrawal]:
    """From what a person withdrew, the latest first (1 statement)."""
    statement = (
        select(Withdrawal)
        .outerjoin(Withdrawal.subscription)
        .outerjoin(Withdrawal.pack)
        .where(or_(Subscription.person_id == person_id, Pack.person_id == person_id))
        .options(joinedload(Withdrawal.subscription), joinedload(Withdrawal.pack))
        .order_by(Withdrawal.id.desc())
    )
    return list(db.session.scalars(statement))


def plan_bought(public_id: str) -> Subscription:
    """The plan as it was taken, with its person; `NotFound` for what a larger one only added to a month."""
    statement = select(Subscription).where(Subscription.public_id == public_id, Subscription.from_day.is_(None))
    found = db.session.scalar(statement.options(joinedload(Subscription.person)))
    if found is None:
        raise NotFound()
    return found


def parts_of(taken: Subscription) -> list[Subscription]:
    """The plan, behind what the change that it follows from added to the month before."""
    if taken.replaces_id is None:
        return [taken]
    added = (Subscription.replaces_id == taken.replaces_id, Subscription.from_day.is_not(None), STANDS)
    return [*db.session.scalars(select(Subscription).where(*added)), taken]


def follower_of(taken: Subscription) -> Subscription | None:
    """The plan that took its place, by a change or for a pause."""
    following = (Subscription.replaces_id == taken.id, Subscription.from_day.is_(None), STANDS)
    return db.session.scalar(select(Subscription).where(*following).limit(1))


def days_of_plan(row: Subscription, month: date) -> tuple[date, date]:
    """The first and the last day for which a plan's ``month`` is paid: from when it counts, until the month ends."""
    begins = row.from_day or row.begins_on or contract_day(row)
    return max(month, begins) if month == row.first_month else month, month_end(month)


def last_day_used(rows: Iterable[Subscription]) -> date | None:
    """The last day until today on which something was used of the plans, or cancelled too late."""
    return db.session.scalar(select(func.max(Quote.day)).where(*_held(rows), Quote.day <= spaces.today()))


def last_day_booked(rows: Iterable[Subscription]) -> date | None:
    """The last day on which something is still to be used of the plans."""
    return db.session.scalar(
        select(func.max(Quote.day)).where(*_held(rows), Quote.state == "live", Quote.starts_at > now())
    )


def is_untouched(rows: Iterable[Subscription]) -> bool:
    """Whether nothing is booked on the plans, and nothing was used of them."""
    return db.session.scalar(select(Quote.id).where(*_held(rows)).limit(1)) is None


def _held(rows: Iterable[Subscription]):  # type: ignore[no-untyped-def] - SQL expressions
    return Quote.subscription_id.in_([row.id for row in rows]), Quote.state != "released"


def _key(row: Subscription | Pack) -> tuple[int | None, int | None]:
    return (row.id, None) if isinstance(row, Subscription) else (None, row.id)


def _of_rows(rows: Iterable[Subscription | Pack]) -> list[Withdrawal]:
    keys = [_key(row) for row in rows]
    plans, packs = ([key[at] for key in keys if key[at] is not None] for at in (0, 1))
    return list(
        db.session.scalars(
            select(Withdrawal).where(or_(Withdrawal.subscription_id.in_(plans), Withdrawal.pack_id.in_(packs)))
        )
    )
