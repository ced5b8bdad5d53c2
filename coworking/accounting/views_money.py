"""Money due: who has not paid, since when, what is being done, what to do now."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from coworking.accounting import money_queries
from coworking.core.policy import Role, current_actor, requires
from coworking.spaces import queries as spaces

blueprint = Blueprint("money", __name__, url_prefix="/money-due")


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def due() -> ResponseReturnValue:
    today = spaces.today()
    return render_template(
        "accounting/money_due.html",
        due=money_queries.money_due(today),
        today=today,
        may_write=current_actor().has(Role.MANAGER),
    )
