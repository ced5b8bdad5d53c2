"""Money due: who has not paid, since when, what is being done, what to do now."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from coworking.accounting import money_queries
from coworking.accounting.list_pages import DUE
from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.errors import N_
from coworking.core.policy import Role, current_actor, requires
from coworking.spaces import queries as spaces

blueprint = Blueprint("money", __name__, url_prefix="/money-due")


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def due() -> ResponseReturnValue:
    today = spaces.today()
    found = money_queries.money_due(today)
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Money due"), DUE, found.payers)
    return render_template(
        "accounting/money_due.html",
        due=found,
        today=today,
        may_write=current_actor().has(Role.MANAGER),
    )
