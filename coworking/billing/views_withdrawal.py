"""Withdrawing from a plan or a pack within the legal fourteen days, on a sheet that says first what it comes to."""

from __future__ import annotations

from datetime import date

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import withdrawals
from coworking.billing.pages import blueprint
from coworking.core.errors import DomainError, NotFound
from coworking.core.i18n import _
from coworking.core.policy import current_actor, signed_in
from coworking.core.reading import day_of, row_of
from coworking.core.web import say
from coworking.membership import withdrawal_queries
from coworking.spaces import queries as spaces


@blueprint.get("/withdraw/<any(plan,pack):kind>/<public_id>")
@signed_in
def ask_withdrawal(kind: withdrawals.Bought, public_id: str) -> ResponseReturnValue:
    return _sheet(kind, public_id)


@blueprint.post("/withdraw/<any(plan,pack):kind>/<public_id>")
@signed_in
def withdraw(kind: withdrawals.Bought, public_id: str) -> ResponseReturnValue:
    contract, cents = withdrawals.contract_of(current_actor(), kind, public_id), row_of(request.form.get("agreed", ""))
    is_mine = contract.person_id == current_actor().person_id
    owner = contract.person.public_id
    try:
        withdrawals.withdraw(
            current_actor(),
            kind,
            public_id,
            agreed_cents=-1 if cents is None else cents,
            sent_on=None if is_mine else _sent_on(),
        )
    except NotFound:
        raise
    except DomainError as error:
        return _sheet(kind, public_id, error)
    flash(_("The withdrawal is recorded. The e-mail about it says what stays owed and what comes back."))
    back = url_for("membership.mine") if is_mine else url_for("membership.person", public_id=owner)
    return redirect(back, 303)


def _sheet(kind: withdrawals.Bought, public_id: str, error: DomainError | None = None) -> ResponseReturnValue:
    contract = withdrawals.contract_of(current_actor(), kind, public_id)
    mine, today = contract.person_id == current_actor().person_id, spaces.today()
    sent_on, found = today, None
    made = withdrawal_queries.withdrawal_from(contract)
    try:
        sent_on = today if mine else _sent_on()
        found = None if made is not None else withdrawals.look(contract, sent_on)
    except DomainError as refused:
        error = error or refused
    response = make_response(
        render_template(
            "billing/withdraw.html",
            kind=kind,
            contract=contract,
            found=found,
            withdrawal=made,
            last_day=withdrawal_queries.last_day_of_right(contract),
            first_day=withdrawal_queries.contract_day(contract),
            mine=mine,
            sent_on=sent_on,
            today=today,
            error=None if error is None else say(error),
        )
    )
    if error is not None and request.method == "POST":
        response.status_code = error.status
    response.vary.add("HX-Request")  # a sheet is a page or only its inside
    return response


def _sent_on() -> date:
    """The day on which the letter was sent; today where nothing was typed. Raises what `day_of` raises."""
    text = request.values.get("sent_on", "")
    return day_of(text) if text else spaces.today()
