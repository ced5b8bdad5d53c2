"""One document, for its payer to read and for managers to record payments and credit it; and one's own invoices."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import (
    account_queries,
    credit_rules,
    drafts,
    forms,
    life_pages,
    means_queries,
    online_looking,
    online_queries,
    online_refunds,
    payer_queries,
    paying,
    pdf,
    queries,
    reminder_queries,
    services,
)
from coworking.billing.list_pages import INVOICES
from coworking.billing.online_rules import UNSETTLED
from coworking.billing.pages import blueprint, refund_choices
from coworking.billing.pay_links import pay_token, pay_url
from coworking.billing.payer_credit_queries import credit_left
from coworking.billing.payer_credit_rules import proposed_use
from coworking.core import exports
from coworking.core.errors import N_, DomainError
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.reading import day_of, words_of
from coworking.core.web import refusal
from coworking.pricing.rules import cents_of
from coworking.spaces import queries as spaces


@blueprint.get("/mine")
@signed_in
def mine() -> ResponseReturnValue:
    actor = current_actor()
    assert actor.person_id is not None, "the system does not browse"
    if kind := exports.asked():
        every, _following = queries.documents(actor, queries.Filters(), limit=None, own=True)
        return exports.list_answer(kind, N_("Invoices"), INVOICES, every)
    rows, following = queries.documents(actor, queries.Filters(), after=request.args.get("after") or None, own=True)
    coming = queries.coming_for(actor.person_id)
    amounts, total = drafts.with_vat(coming)
    return render_template(
        "billing/mine.html",
        accounts=account_queries.accounts_of(actor),
        rows=rows,
        following=following,
        coming=list(zip(coming, amounts, strict=True)),
        coming_cents=total,
    )


@blueprint.get("/mine/pay")
@signed_in
def pay_some() -> ResponseReturnValue:
    """The page that pays those of one payer's invoices which the reader ticked; what they do not owe is left out."""
    ticked = set(request.args.getlist("invoice"))
    chosen = [row.invoice for row in queries.owed_by(current_actor()) if row.invoice.public_id in ticked]
    if len({(row.payer_person_id, row.payer_organisation_id) for row in chosen}) != 1:
        flash(_("Tick at least one invoice."), "error")
        return redirect(url_for("billing.mine"), 303)
    return redirect(url_for("pay.page", token=pay_token([row.public_id for row in chosen])), 303)


@blueprint.get("/<public_id>")
@signed_in
def invoice(public_id: str) -> ResponseReturnValue:
    return _page(public_id, None)


def _page(public_id: str, form: Form | None) -> ResponseReturnValue:
    actor = current_actor()
    standing = queries.standing_for(actor, public_id)
    row = standing.invoice
    payments = queries.payments_of(row)
    if form is None:
        euros = f"{max(standing.open_cents, 0) / 100:.2f}".replace(".", ",")
        form = Form({"cents": euros, "received_on": spaces.today().isoformat(), "method": "transfer"})
    is_staff = actor.has(Role.ACCOUNTANT)
    notes, online = queries.credit_notes_of(row), online_queries.of_invoices([row.id])
    back = online_queries.going_back(online)
    to_refund = max(-standing.open_cents, 0) + sum(one.surplus for one in back.values())
    sending = queries.sending_of(row) if is_staff else None
    reminders = reminder_queries.reminders_of(row) if is_staff and row.kind == "invoice" else []
    return form_page(
        "billing/invoice.html",
        form,
        row=standing,
        invoice=row,
        doc=pdf.readable(queries.content(row)),
        life=life_pages.life_of(row, payments, notes, online, reminders, sending, for_team=is_staff),
        steps=life_pages.steps_of(payments, online, for_team=is_staff),
        notes=notes,
        may_credit=row.kind == "invoice" and standing.credited_cents < row.payable_cents,
        is_unsettled=any(attempt.state in UNSETTLED for attempt in online),
        planned=means_queries.planned_for([row.id]).get(row.id) if standing.open_cents > 0 else None,
        saved=means_queries.means_of(row) if row.kind == "invoice" else None,
        to_refund=to_refund,
        refund_choices=refund_choices(through=any(one.refundable for one in back.values())) if to_refund else [],
        pay_url=pay_url([row.public_id]) if row.kind == "invoice" and standing.open_cents > 0 else None,
        may_write=actor.has(Role.MANAGER),
        is_staff=is_staff,
        payer_id=account_queries.payer_public_id(row),
        usable=_usable(standing) if is_staff else 0,
        sending=sending,
        receiver=payer_queries.receiver_of(row) if is_staff else None,
    )


def _usable(standing: queries.Standing) -> int:
    """How much of what is owed the payer's credit could pay."""
    row = standing.invoice
    left = credit_left((row.payer_person_id, row.payer_organisation_id))
    return proposed_use(left, [standing.open_cents])


@blueprint.post("/<public_id>/refund")
@requires(Role.MANAGER)
def refund(public_id: str) -> ResponseReturnValue:
    """Give back what was paid beyond what is owed, through the gateway that brought it or by hand."""
    form = Form(request.form)
    with form.trying():
        online_refunds.refund_invoice(current_actor(), public_id, cents_of(form["refund_cents"]), form["given_by"])
        flash(_("It is being refunded.") if form["given_by"] == "gateway" else _("The refund is written down."))
        return redirect(url_for("billing.invoice", public_id=public_id), 303)
    return _page(public_id, form)


@blueprint.post("/<public_id>/ask")
@requires(Role.MANAGER)
def ask_gateways(public_id: str) -> ResponseReturnValue:
    """Ask the gateways now about every payment that they have not settled, whether or not they told."""
    settled = online_looking.reconcile()
    flash(
        ngettext("%(num)s payment changed.", "%(num)s payments changed.", settled)
        if settled
        else _("Nothing has changed at the payment provider.")
    )
    return redirect(url_for("billing.invoice", public_id=public_id), 303)


@blueprint.get("/<public_id>.pdf")
@signed_in
def download(public_id: str) -> ResponseReturnValue:
    row = queries.standing_for(current_actor(), public_id).invoice
    name = pdf.file_name(row)
    answer = Response(pdf.pdf_of(row), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


@blueprint.post("/<public_id>/payments")
@requires(Role.MANAGER)
def pay(public_id: str) -> ResponseReturnValue:
    form = forms.payment_form(request.form)
    if form.is_good:
        with form.trying():
            paying.record_payment(
                current_actor(),
                public_id,
                cents_of(form["cents"]),
                day_of(form["received_on"]),
                form["method"],
                words_of(form["reference"], most=80) or None,
                before_issue=form.checked("before_issue"),
            )
            flash(_("The payment is recorded."))
            return redirect(url_for("billing.invoice", public_id=public_id), 303)
    return _page(public_id, form)


@blueprint.post("/<public_id>/payments/<payment_id>/correct")
@requires(Role.MANAGER)
def correct(public_id: str, payment_id: str) -> ResponseReturnValue:
    try:
        paying.correct_payment(current_actor(), public_id, payment_id)
    except DomainError as error:
        return refusal(error, lambda: invoice(public_id))
    flash(_("The payment is cancelled."))
    return redirect(url_for("billing.invoice", public_id=public_id), 303)


@blueprint.get("/<public_id>/credit")
@requires(Role.MANAGER)
def ask_credit(public_id: str) -> ResponseReturnValue:
    return _credit_page(public_id, Form())


def _credit_page(public_id: str, form: Form) -> ResponseReturnValue:
    row = queries.standing_for(current_actor(), public_id)
    doc, notes = pdf.readable(queries.content(row.invoice)), queries.credit_notes_of(row.invoice)
    return form_page(
        "billing/credit.html",
        form,
        row=row,
        invoice=row.invoice,
        doc=doc,
        left=credit_rules.left_of(doc, credit_rules.taken_by(map(queries.content, notes))),
        is_first=not notes,
        input_of=credit_rules.input_of,
    )


@blueprint.post("/<public_id>/credit")
@requires(Role.MANAGER)
def credit(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    lines = queries.content(queries.standing_for(current_actor(), public_id).invoice)["lines"]
    typed = [form.maybe(credit_rules.input_of(place), cents_of) or 0 for place in range(len(lines))]
    taken = {
        place: cents if line["amount_cents"] > 0 else -cents
        for place, (cents, line) in enumerate(zip(typed, lines, strict=True))
    }
    if form.is_good:
        with form.trying():
            part, again = taken if any(typed) else None, form.checked("again")
            note = services.credit(current_actor(), public_id, form["reason"], taken=part, again=again)
            flash(_("The credit note %(number)s is issued.", number=note.number))
            return redirect(url_for("billing.invoice", public_id=public_id), 303)
    return _credit_page(public_id, form)
