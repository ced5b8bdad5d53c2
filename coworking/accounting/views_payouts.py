"""What payment providers paid out, what each payout consists of, and what they took for it."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from coworking.accounting import payout_pages
from coworking.accounting.list_pages import MOVEMENTS, movements
from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.errors import N_
from coworking.core.policy import Role, requires

blueprint = Blueprint("payouts", __name__, url_prefix="/payouts")


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def index() -> ResponseReturnValue:
    """Payouts; as a file every movement of those of the last year, for the accountant."""
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Payouts"), MOVEMENTS, movements())
    before = request.args.get("before", "")
    shown = payout_pages.payouts_page(int(before) if before.isdecimal() and len(before) < 18 else None)
    return render_template("accounting/payouts.html", **shown)


@blueprint.get("/<public_id>")
@requires(Role.ACCOUNTANT)
def payout(public_id: str) -> ResponseReturnValue:
    return render_template("accounting/payout.html", **payout_pages.payout_page(public_id))
