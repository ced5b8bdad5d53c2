"""A payer's account, for managers and accountants and for the payer; and what a manager does with their credit."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import account_queries, drafts, payer_credit, payer_credit_queries, using_credit
from coworking.billing.account_rules import Line
from coworking.billing.pages import ENTRY_WORDS, METHOD_WORDS, blueprint
from coworking.billing.pay_links import pay_url
from coworking.billing.payer_credit_rules import proposed_use
from coworking.core import pdf
from coworking.core.errors import DomainError
from coworking.core.formats import decimal
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, language
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.units import end_read
from coworking.core.web import refusal
from coworking.pricing.rules import cents_of
from coworking.spaces import queries as spaces


@blueprint.get("/payers/<public_id>")
@signed_in
def account(public_id: str) -> ResponseReturnValue:
    return _page(public_id, Form())


def _page(public_id: str, form: Form) -> ResponseReturnValue:
    actor = current_actor()
    found = account_queries.account_for(actor, public_id)
    may_write = actor.has(Role.MANAGER)
    usable = proposed_use(found.credit_cents, (row.open_cents for row in found.owed))
    form.over({"given_on": spaces.today().isoformat(), "cents": decimal(found.credit_cents), "method": "transfer"})
    return form_page(
        "billing/account.html",
        form,
        account=found,
        words=entry_words,
        may_write=may_write,
        is_staff=actor.has(Role.ACCOUNTANT),
        usable=usable,
        movements=payer_credit_queries.movements(found.payer) if may_write else [],
        pay_url=pay_url([row.invoice.public_id for row in found.owed]) if found.owed else None,
    )


def entry_words(line: Line) -> str:
    """What a line of an account is, in the reader's language: « Facture F2026-0001 », « Reçu par virement »."""
    entry = line.entry
    words = _(ENTRY_WORDS[entry.kind], number=entry.number)
    is_by = entry.kind in {"payment", "reversal", "given"} and entry.method in METHOD_WORDS
    how = _(METHOD_WORDS[entry.method]) if is_by and entry.method else None
    return words + f" ({how})" if how else words


@blueprint.get("/payers/<public_id>.pdf")
@signed_in
def account_pdf(public_id: str) -> ResponseReturnValue:
    """Drawn anew each time: it says what is true today."""
    found, seller = account_queries.account_for(current_actor(), public_id), drafts.seller()
    page = pdf.html(
        "billing/account_pdf.html",
        locale=language(),
        account=found,
        words=entry_words,
        place=seller,
        today=spaces.today(),
    )
    end_read()
    with pdf.turn() as draw:
        answer = Response(draw(page), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="compte-{public_id}.pdf"'
    return answer


@blueprint.post("/payers/<public_id>/use")
@requires(Role.MANAGER)
def use_credit(public_id: str) -> ResponseReturnValue:
    """Pay an invoice out of the credit: what the button says, if it is still so."""
    invoice = request.form.get("invoice", "")
    try:
        using_credit.use(current_actor(), invoice, cents_of(request.form.get("cents", "")))
    except DomainError as error:
        return refusal(error, lambda: _page(public_id, Form()))
    flash(_("The credit paid this."))
    if request.form.get("back") == "invoice":
        return redirect(url_for("billing.invoice", public_id=invoice), 303)
    return redirect(url_for("billing.account", public_id=public_id), 303)


@blueprint.post("/payers/<public_id>/give-back")
@requires(Role.MANAGER)
def give_credit_back(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    payer, _name = account_queries.payer_named(public_id)
    cents, given_on = form.check("cents", cents_of), form.day("given_on")
    if form.is_good:
        with form.trying(at="reason"):
            payer_credit.give_back(current_actor(), payer, cents or 0, given_on, form["method"], form["reason"])
            flash(_("Written down: it is given back."))
            return redirect(url_for("billing.account", public_id=public_id), 303)
    return _page(public_id, form)


@blueprint.post("/payers/<public_id>/given/<movement>/undo")
@requires(Role.MANAGER)
def undo_giving(public_id: str, movement: str) -> ResponseReturnValue:
    payer, _name = account_queries.payer_named(public_id)
    try:
        payer_credit.undo_giving(current_actor(), payer, movement)
    except DomainError as error:
        return refusal(error, lambda: _page(public_id, Form()))
    flash(_("Undone: it was not given back."))
    return redirect(url_for("billing.account", public_id=public_id), 303)
