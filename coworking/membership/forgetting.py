"""What becomes of reduced prices when somebody is erased. A plan that still runs stands in the way: it is invoiced.
What is left of packs is lost."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, or_, select

from coworking.core import erasing
from coworking.core.db import db
from coworking.core.erasing import Forgets, Hindrance, Loss
from coworking.core.formats import day_year, month_year
from coworking.core.i18n import _
from coworking.core.months import month_of
from coworking.membership import queries
from coworking.membership.models import STANDS, Pack, Subscription
from coworking.membership.pack_request_models import PackRequest
from coworking.membership.trial_models import Trial
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.unit_words import amount_of
from coworking.spaces import queries as spaces


def _of_packs(person: int) -> ColumnElement[bool]:
    return PackRequest.pack_id.in_(select(Pack.id).where(Pack.person_id == person))


erasing.declare(
    Forgets(PriceGroupMember, lambda person: PriceGroupMember.person_id == person, empties={"proof": "…"}),
    Forgets(Trial, lambda person: Trial.person_id == person, empties={"address": None}),
    Forgets(PackRequest, _of_packs, deletes=True),
)


@erasing.hindered_by
def _runs_on(person_id: int) -> Iterator[Hindrance]:
    this_month = month_of(spaces.today())
    still = or_(Subscription.last_month.is_(None), Subscription.last_month >= this_month)
    for row in db.session.scalars(select(Subscription).where(Subscription.person_id == person_id, STANDS, still)):
        if row.last_month is None:
            yield Hindrance(_("A plan goes on month after month: end it first."), "membership.mine")
        else:
            yield Hindrance(
                _(
                    "A plan runs until the end of %(month)s: erase the account after that.",
                    month=month_year(row.last_month),
                ),
                "membership.mine",
            )


@erasing.lost_with
def _rest_of_packs(person_id: int) -> Iterator[Loss]:
    today = spaces.today()
    for one in queries.packs_of(person_id, today):
        if one.left and not one.is_over(today):
            words = _(
                "What is left of %(name)s, valid until %(day)s: %(left)s.",
                name=one.pack.name,
                day=day_year(one.pack.valid_until),
                left=amount_of(one.pack.unit, one.left),
            )
            yield Loss(words, "membership.mine")
