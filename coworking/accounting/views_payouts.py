"""What payment providers paid out, what each payout consists of, and what they took for it."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from coworking.accounting import payout_pages
from coworking.accounts.session import require_proof
from coworking.core.i18n import _
from coworking.core.policy import Role, requires
from coworking.core.tables import csv_answer

blueprint = Blueprint("payouts", __name__, url_prefix="/payouts")


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def index() -> ResponseReturnValue:
    before = request.args.get("before", "")
    shown = payout_pages.payouts_page(int(before) if before.isdecimal() and len(before) < 18 else None)
    return render_template("accounting/payouts.html", **shown)


@blueprint.get("/<public_id>")
@requires(Role.ACCOUNTANT)
def payout(public_id: str) -> ResponseReturnValue:
    return render_template("accounting/payout.html", **payout_pages.payout_page(public_id))


@blueprint.get("/movements.csv")
@requires(Role.ACCOUNTANT)
def export() -> Response:
    """Every movement of the payouts of the last year, for the accountant."""
    require_proof()
    rows = payout_pages.movements()
    return csv_answer("payouts.csv", [[_(name) for name in payout_pages.COLUMNS], *rows])
