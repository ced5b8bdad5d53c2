"""What the membership pages share."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError
from coworking.core.formats import money
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import current_actor
from coworking.core.web import refusal
from coworking.membership import queries
from coworking.membership.reduced_forms import ReducedField
from coworking.pricing import group_queries
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.group_rules import ANY
from coworking.pricing.queries import prices_on
from coworking.pricing.rules import KINDS
from coworking.spaces import queries as spaces

blueprint = Blueprint("membership", __name__)


@blueprint.app_template_global()
def reduced_mine() -> list[PriceGroupMember]:
    """The reduced prices that whoever reads this page has or will have."""
    return reduced_now(current_actor().person_id or 0)


def reduced_now(person_id: int) -> list[PriceGroupMember]:
    """The reduced prices that a person has or will have, the first to end first."""
    today = spaces.today()
    return [
        one
        for one in reversed(group_queries.belongings_of(person_id))
        if one.last_day >= today and not one.never_counted
    ]


def reduced_inputs() -> list[ReducedField]:
    """Each thing that a group can pay less for, with what everyone pays today."""
    today, words = (
        spaces.today(),
        {"desk": _("A desk, half a day"), "room": _("A room, an hour"), "office": _("An office, an hour")},
    )
    prices, there = prices_on(today), {row.kind for row in spaces.resources(day=today)}
    places = [
        ReducedField(kind, ANY, words[kind], full=money(prices.by_kind[kind]) if kind in prices.by_kind else None)
        for kind in KINDS
        if kind in there
    ]
    year, offers = queries.settings().adhesion_cents, queries.pack_offers()
    adhesion = [ReducedField("adhesion", ANY, _("The annual membership"), full=money(year))] if year else []
    packs = [ReducedField("pack", one.id, one.name, full=money(one.cents)) for one in offers]
    every = [ReducedField("pack", ANY, _("Any pack"), only_percentage=True)] if packs else []
    plans = [ReducedField("plan", one.id, one.name, full=money(one.monthly_cents)) for one in queries.plans()]
    every_plan = [ReducedField("plan", ANY, _("Any plan"), only_percentage=True)] if plans else []
    return places + adhesion + every_plan + plans + every + packs


def is_taxable() -> bool:
    """Whether the lieu charges VAT at all: who does not never meets it."""
    return spaces.lieu().vat_status == "taxable"


def done(form: Form, action: Callable[[], object], said: str, *, field: str) -> bool:
    """Run ``action`` unless something typed is wrong, and say so; a refusal lands at its ``field``."""
    if form.is_good:
        with form.trying(at=field):
            action()
            flash(said)
            return True
    return False


def tried(
    action: Callable[[], object], said: str, *, back: str, page: Callable[[], ResponseReturnValue]
) -> ResponseReturnValue:
    """Run ``action``, say so and go ``back``; what it refuses is said on ``page``."""
    try:
        action()
    except DomainError as error:
        return refusal(error, page)
    flash(said)
    return redirect(back, 303)
