"""Reading who has which plan, for managers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import contains_eager

from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.months import month_of
from coworking.core.search import fold, folded
from coworking.membership.models import STANDS, Subscription

PAGE_SIZE = 50
MAX_WORDS = 5


@dataclass(frozen=True, slots=True)
class SubscriptionsPage:
    """``rows`` of page ``number`` (from 1) of ``pages``, out of ``total``."""

    rows: list[Subscription]
    number: int
    pages: int
    total: int


def list_subscriptions(text: str, number: int, today: date, *, ended: bool = False) -> SubscriptionsPage:
    """One page of the subscriptions that run or begin later, or of the ``ended`` ones, by name (2 statements)."""
    conditions = _narrowed(text, today, ended)
    counted = select(func.count()).select_from(Subscription).join(Subscription.person).where(*conditions)
    total = db.session.scalar(counted) or 0
    pages = max(1, ceil(total / PAGE_SIZE))
    number = min(max(1, number), pages)
    return SubscriptionsPage(_rows(conditions, PAGE_SIZE, (number - 1) * PAGE_SIZE), number, pages, total)


def every_subscription(text: str, today: date, *, ended: bool = False) -> list[Subscription]:
    """All that `list_subscriptions` gives pages of (1 statement)."""
    return _rows(_narrowed(text, today, ended), None, None)


def _rows(conditions: list[ColumnElement[bool]], limit: int | None, offset: int | None) -> list[Subscription]:
    statement = (
        select(Subscription)
        .join(Subscription.person)
        .where(*conditions)
        .options(contains_eager(Subscription.person))
        .order_by(folded(Person.last_name), folded(Person.first_name), Subscription.first_month, Subscription.id)
        .limit(limit)
        .offset(offset)
    )
    return list(db.session.scalars(statement).unique())


def _narrowed(text: str, today: date, ended: bool) -> list[ColumnElement[bool]]:
    is_over = Subscription.last_month < month_of(today)
    runs = or_(Subscription.last_month.is_(None), Subscription.last_month >= month_of(today))
    return [
        STANDS,
        is_over if ended else runs,
        *(
            or_(*(folded(column).contains(word, autoescape=True) for column in _SEARCHED))
            for word in fold(text.replace("\x00", "")).split()[:MAX_WORDS]
        ),
    ]


_SEARCHED = (Person.first_name, Person.last_name, Person.email, Subscription.name)
