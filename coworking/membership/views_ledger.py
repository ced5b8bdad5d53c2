"""Where each half-day and hour came from and went, month by month: one's own, or anyone's for the manager."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from coworking.accounts import queries as accounts
from coworking.accounts.models import Person
from coworking.core.i18n import N_, _
from coworking.core.months import month_after, month_of, read_month
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.membership.ledger_queries import accounts_of
from coworking.membership.pages import blueprint
from coworking.spaces import queries as spaces

WENT = {
    "used": N_("is used"),
    "booked": N_("is booked"),
    "late": N_("cancelled late, it counts"),
    "back": N_("given back"),
}
HALVES = {"am": N_("morning"), "pm": N_("afternoon")}


@blueprint.get("/me/allowances")
@signed_in
def allowances() -> ResponseReturnValue:
    """« Mes demi-journées »: what each allowance gave this month, what was taken of it and what is left."""
    return _page(accounts.person_by_id(current_actor().person_id), is_own=True)


@blueprint.get("/people/<public_id>/allowances")
@requires(Role.MANAGER)
def allowances_of(public_id: str) -> ResponseReturnValue:
    return _page(accounts.person_by_public_id(public_id), is_own=False)


def _page(person: Person, *, is_own: bool) -> ResponseReturnValue:
    today = spaces.today()
    month = read_month(request.args["month"]) if request.args.get("month") else month_of(today)
    return render_template(
        "membership/allowances.html",
        person=person,
        is_own=is_own,
        month=month,
        previous=month_after(month, -1),
        following=month_after(month),
        accounts=accounts_of(person.id, month, today),
        went={key: _(word) for key, word in WENT.items()},
        halves={key: _(word) for key, word in HALVES.items()},
    )
