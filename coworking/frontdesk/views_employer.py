"""An employer's own page, for its contact; and « Ce que voit mon employeur », for the people it pays for.

What stands there is decided in `coworking.membership.employer_rules` alone: both pages and the files show the same.
"""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import invitations, organisations
from coworking.accounts import queries as accounts
from coworking.accounts.session import require_proof
from coworking.billing import queries as billing
from coworking.core import exports
from coworking.core.errors import N_, NotFound
from coworking.core.exports import Column
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.months import month_after, month_of, read_month
from coworking.core.policy import Role, current_actor, signed_in
from coworking.core.reading import one_of
from coworking.membership import employer_queries as queries
from coworking.membership import employers
from coworking.membership.employer_rules import MONTHS_BACK, EmployeeMonth
from coworking.membership.pages import done
from coworking.spaces import queries as spaces

blueprint = Blueprint("employer", __name__)

INVOICES_SHOWN = 12

PEOPLE: list[Column[EmployeeMonth]] = [
    Column(N_("First name"), lambda row: row.who.first_name),
    Column(N_("Last name"), lambda row: row.who.last_name),
    Column(N_("First day"), lambda row: row.who.since),
    Column(N_("Last day"), lambda row: row.who.until),
    Column(N_("Half-days used"), lambda row: row.used),
    Column(N_("Half-days left"), lambda row: row.left),
    Column(N_("Dates"), lambda row: _dates(row)),
]


def _dates(row: EmployeeMonth) -> str | None:
    """« 2026-11-03, 2026-11-05 (2) »; None where the person did not agree."""
    if row.dates is None:
        return None
    return ", ".join(day.isoformat() + (f" ({count})" if count > 1 else "") for day, count in row.dates)


# The contact's home ---------------------------------------------------------------------------------------------------


@blueprint.get("/employer")
@signed_in
def index() -> ResponseReturnValue:
    """The contact's organisation, or the choice between several."""
    found = queries.organisations_of_contact(current_actor())
    if not found:
        raise NotFound()
    if len(found) == 1:
        return redirect(url_for("employer.home", public_id=found[0].public_id))
    return render_template("frontdesk/employers.html", organisations=found)


@blueprint.get("/employer/<public_id>")
@signed_in
def home(public_id: str) -> ResponseReturnValue:
    if kind := exports.asked():
        organisation = queries.organisation_of_contact(current_actor(), public_id)
        require_proof()
        shown = queries.seen_by_employer(organisation, _month())
        return exports.list_answer(kind, N_("Half-days paid"), PEOPLE, shown.people)
    return _home(public_id)


@blueprint.post("/employer/<public_id>/members/<int:member_id>/end")
@signed_in
def end_member(public_id: str, member_id: int) -> ResponseReturnValue:
    form = Form(request.form)
    last_day = form.day("last_day")
    if done(
        form,
        lambda: organisations.end_member(current_actor(), public_id, member_id, last_day),
        _("Saved. What is booked already stays paid as it was agreed."),
        field="last_day",
    ):
        if not queries.organisations_of_contact(current_actor()):
            return redirect(url_for("public.home"), 303)
        return _back(public_id)
    return _home(public_id, ended=form, member_id=member_id)


@blueprint.post("/employer/<public_id>/agreements/<agreement>/order-number")
@signed_in
def set_order_number(public_id: str, agreement: str) -> ResponseReturnValue:
    form = Form(request.form)
    number = form.optional("order_number", most=60)
    if done(
        form,
        lambda: employers.set_order_number(current_actor(), public_id, agreement, number),
        _("Your next invoices carry this order number.") if number else _("Your next invoices carry no order number."),
        field="order_number",
    ):
        return _back(public_id)
    return _home(public_id, ordered=form, agreement=agreement)


@blueprint.post("/employer/<public_id>/invitations")
@signed_in
def invite(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    email = form.email("email")
    if done(
        form,
        lambda: invitations.invite(current_actor(), public_id, email, as_contact=form.checked("as_contact")),
        _("The invitation leaves for %(email)s. It can be accepted for fourteen days.", email=email),
        field="email",
    ):
        return _back(public_id)
    return _home(public_id, invited=form)


@blueprint.post("/employer/<public_id>/invitations/<invitation>/withdraw")
@signed_in
def withdraw(public_id: str, invitation: str) -> ResponseReturnValue:
    invitations.withdraw(current_actor(), public_id, invitation)
    flash(_("The invitation is withdrawn: its link works no longer."))
    return _back(public_id)


def _month() -> date:
    written = request.args.get("month")
    return queries.check_month(read_month(written) if written else month_of(spaces.today()))


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("employer.home", public_id=public_id), 303)


def _home(
    public_id: str,
    *,
    ended: Form | None = None,
    member_id: int | None = None,
    ordered: Form | None = None,
    agreement: str | None = None,
    invited: Form | None = None,
) -> ResponseReturnValue:
    """The whole page around whichever form was just sent, and the row it stands in."""
    organisation = queries.organisation_of_contact(current_actor(), public_id)
    month, today = _month(), spaces.today()
    this, agreements = month_of(today), queries.agreements_in_force(organisation.id)
    return form_page(
        "frontdesk/employer.html",
        ended or ordered or invited or Form(),
        organisation=organisation,
        seen=queries.seen_by_employer(organisation, month),
        month=month,
        is_now=month == this,
        earlier=month_after(month, -1) if month > month_after(this, -MONTHS_BACK) else None,
        later=month_after(month) if month < this else None,
        agreements=agreements,
        spending=queries.spending(organisation, agreements, month),
        invoices=billing.documents_of(organisation.id, INVOICES_SHOWN),
        today=today,
        ended=(ended or Form()).over({"last_day": today.isoformat()}),
        ended_id=member_id,
        ordered=ordered,
        ordered_id=agreement,
        invited=invited or Form(),
        invitations=invitations.open_invitations(organisation),
        is_manager=current_actor().has(Role.MANAGER),
    )


# The member's side ----------------------------------------------------------------------------------------------------


@blueprint.get("/me/employer")
@signed_in
def mine() -> ResponseReturnValue:
    """Exactly what each of one's employers sees of oneself, this month and the one before."""
    actor = current_actor()
    this = month_of(spaces.today())
    rows = accounts.memberships_of(actor.person_id)
    return render_template(
        "frontdesk/seen_by_employer.html",
        rows=[
            (
                row,
                [
                    (month, seen.people)
                    for month in (this, month_after(this, -1))
                    if (seen := queries.seen_by_employer(row.organisation, month, person_id=actor.person_id)).people
                ],
            )
            for row in rows
        ],
        today=spaces.today(),
        may_join=invitations.may_join(accounts.person_by_id(actor.person_id)),
    )


@blueprint.post("/me/employer/<public_id>/join")
@signed_in
def join(public_id: str) -> ResponseReturnValue:
    invitations.join_by_address(current_actor(), public_id)
    flash(_("You belong to it now. What it pays is marked on your week."))
    return redirect(url_for("employer.mine"), 303)


@blueprint.post("/me/employer/<public_id>/dates")
@signed_in
def show_dates(public_id: str) -> ResponseReturnValue:
    shown = one_of(("no", "yes"), Form(request.form)["shown"]) == "yes"
    employers.show_dates(current_actor(), public_id, shown)
    flash(_("Your employer now sees the dates it pays.") if shown else _("Your employer now sees how many, not when."))
    return redirect(url_for("employer.mine"), 303)
