"""What one payer is about to be invoiced: looked at, reduced, held back, or issued without waiting for the month."""

from __future__ import annotations

from datetime import date

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import (
    charges,
    discounts,
    drafts,
    hold_queries,
    holds,
    payer_queries,
    pdf,
    rules,
    services,
)
from coworking.billing.pages import blueprint
from coworking.core.errors import DomainError, NotFound, at_field
from coworking.core.formats import money
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.months import month_of, read_month, write_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import row_of
from coworking.core.web import refusal, say
from coworking.pricing.rules import cents_of, rate_of
from coworking.spaces import queries as spaces


@blueprint.post("/now/<payer>/prepare")
@requires(Role.MANAGER)
def prepare_one(payer: str) -> ResponseReturnValue:
    """Look for what is to be charged by now, then show it."""
    _name_of(payer)
    charges.gather_recent()
    return redirect(url_for("billing.one_payer", payer=payer), 303)


@blueprint.get("/now/<payer>")
@requires(Role.MANAGER)
def one_payer(payer: str) -> ResponseReturnValue:
    return _page(payer, Form())


def _page(payer: str, discount: Form) -> ResponseReturnValue:
    name, month = _name_of(payer), _month()
    ready = drafts.of_payer(payer, month)
    held = hold_queries.of_payer(payer_queries.payer_ids(payer))
    return form_page(
        "billing/one_payer.html",
        discount,
        payer=payer,
        name=name,
        month=month,
        is_running=month == month_of(spaces.today()),
        ready=ready,
        doc=pdf.readable(drafts.preview(ready)) if ready else None,
        why=say(ready.problem) if ready and ready.problem else None,
        remarks=drafts.remarks([ready]) if ready else [],
        held=held.reason if held else None,
    )


@blueprint.get("/now/<payer>.pdf")
@requires(Role.MANAGER)
def draft_pdf(payer: str) -> ResponseReturnValue:
    """The draft as it would be printed; nothing is issued and nothing kept."""
    _name_of(payer)
    ready = drafts.of_payer(payer, _month())
    if ready is None:
        raise NotFound()
    answer = Response(pdf.draft_pdf(drafts.preview(ready)), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = 'inline; filename="brouillon.pdf"'
    return answer


@blueprint.post("/now/<payer>")
@requires(Role.MANAGER)
def issue_one(payer: str) -> ResponseReturnValue:
    shown = row_of(request.form.get("shown", "")) or 0
    _name_of(payer)
    try:
        invoice = services.issue_one(current_actor(), payer, _month(), shown)
    except DomainError as error:
        return refusal(error, lambda: _page(payer, Form()))
    flash(_("The invoice %(number)s is issued.", number=invoice.number))
    return redirect(url_for("billing.invoice", public_id=invoice.public_id), 303)


@blueprint.post("/now/<payer>/hold")
@requires(Role.MANAGER)
def hold_back(payer: str) -> ResponseReturnValue:
    _name_of(payer)
    form = Form(request.form)
    with form.trying(), at_field("hold"):
        holds.hold(current_actor(), payer, form["hold"])
        flash(_("Held back. The invoices of the month leave it out until you let it go."))
        return redirect(_address(payer), 303)
    return _page(payer, form)


@blueprint.post("/now/<payer>/let-go")
@requires(Role.MANAGER)
def let_go(payer: str) -> ResponseReturnValue:
    _name_of(payer)
    if holds.let_go(current_actor(), payer):
        flash(_("It is no longer held back."))
    return redirect(_address(payer), 303)


@blueprint.post("/now/<payer>/discount")
@requires(Role.MANAGER)
def discount(payer: str) -> ResponseReturnValue:
    """Take a percentage or an amount off everything on the draft."""
    _name_of(payer)
    form = Form(request.form)
    percent, cents = form.maybe("percent", rate_of), form.maybe("cents", cents_of)
    if form.is_good:
        with form.trying():
            off = discounts.reduce_all(
                current_actor(), payer, _month(), form["reason"], percent_bp=percent, cents=cents
            )
            flash(_("%(amount)s come off.", amount=money(off)))
            return redirect(_address(payer), 303)
    return _page(payer, form)


@blueprint.post("/now/<payer>/discount/remove")
@requires(Role.MANAGER)
def take_back_discount(payer: str) -> ResponseReturnValue:
    _name_of(payer)
    gone = discounts.take_back(current_actor(), payer, _month())
    if gone:
        flash(ngettext("%(num)s discount is taken back.", "%(num)s discounts are taken back.", gone))
    return redirect(_address(payer), 303)


def _name_of(payer: str) -> str:
    """The payer's name; what names nobody is no address."""
    try:
        return payer_queries.payer_name(payer)
    except rules.PayerUnknown:
        raise NotFound() from None


def _month() -> date:
    """The month by whose end what is charged is looked at; the running one unless the address or the form says another."""
    text = request.values.get("month", "")
    month = read_month(text) if text else month_of(spaces.today())
    rules.check_month(month, spaces.today())
    return month


def _address(payer: str) -> str:
    month = _month()
    named = None if month == month_of(spaces.today()) else write_month(month)
    return url_for("billing.one_payer", payer=payer, month=named)
