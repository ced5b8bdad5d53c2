"""Invoices, for managers and accountants: the list, a month about to be issued, lines by hand, settings."""

from __future__ import annotations

import secrets
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.session import require_proof
from coworking.billing import (
    charges,
    discounts,
    drafts,
    forms,
    hold_queries,
    manual_charges,
    payer_queries,
    queries,
    rules,
    services,
    views_drafts,
    views_invoice,
    views_pack_refund,
    views_pack_request,
    views_payers,
    views_settings,
    views_withdrawal,
)
from coworking.billing.list_pages import CHARGES, INVOICES, PAYMENTS, charge_lines
from coworking.billing.pages import STATE_WORDS, blueprint
from coworking.core import exports
from coworking.core.errors import N_, DomainError
from coworking.core.formats import decimal, money
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.months import month_after, month_of, read_month, write_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal, say
from coworking.pricing.queries import tariff_on
from coworking.pricing.rules import cents_of, rate_of
from coworking.spaces import queries as spaces

__all__ = [
    "blueprint",
    "views_drafts",
    "views_invoice",
    "views_pack_refund",
    "views_pack_request",
    "views_payers",
    "views_settings",
    "views_withdrawal",
]


def _filters() -> queries.Filters:
    month = request.args.get("month", "")
    sort = request.args.get("sort", "-seq")
    state = request.args.get("state", "")
    return queries.Filters(
        text=request.args.get("q", "")[:200],
        state=state if state in STATE_WORDS else "",
        month=read_month(month) if month else None,
        sort=sort if sort in queries.SORTS else "-seq",
    )


def _query(filters: queries.Filters) -> dict[str, str]:
    """The filters as a query string, empty ones left out."""
    month = "" if filters.month is None else write_month(filters.month)
    given = {"q": filters.text, "state": filters.state, "month": month, "sort": filters.sort}
    return {name: text for name, text in given.items() if text and text != "-seq"}


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def index() -> ResponseReturnValue:
    actor, filters = current_actor(), _filters()
    if kind := exports.asked():
        require_proof()
        every, _following = queries.documents(actor, filters, limit=None)
        return exports.list_answer(kind, N_("Invoices"), INVOICES, every)
    rows, following = queries.documents(actor, filters, after=request.args.get("after") or None)
    last = month_after(month_of(spaces.today()), -1)
    issued, owing = queries.month_progress(last)
    return render_template(
        "billing/index.html",
        rows=rows,
        filters=filters,
        query=_query(filters),
        following=following,
        owed=queries.owed_cents(),
        months=queries.months_invoiced(),
        last_month=last,
        last_is_begun=issued > 0 and owing > 0,
        last_is_done=issued > 0 and not owing,
    )


@blueprint.get("/payments")
@requires(Role.ACCOUNTANT)
def payments() -> ResponseReturnValue:
    """What was received for the invoices of the list, as a file."""
    require_proof()
    rows = queries.payments_for(current_actor(), _filters())
    return exports.list_answer(exports.asked() or "csv", N_("Payments"), PAYMENTS, rows)


# A month to issue -----------------------------------------------------------------------------------------------------


@blueprint.get("/month/<month>")
@requires(Role.ACCOUNTANT)
def month(month: str) -> ResponseReturnValue:
    return _month_page(read_month(month))


def _month_page(first: date, done: services.Run | None = None) -> ResponseReturnValue:
    today = spaces.today()
    rules.check_month(first, today)
    prepared = drafts.prepare(first)
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Charges"), CHARGES, charge_lines(prepared))
    doubts = queries.doubts(first)
    held = hold_queries.held_back()
    free = [row for row in prepared if row.problem is None and row.key not in held]
    ready = [row for row in free if row.totals.payable_cents > 0]
    return render_template(
        "billing/month.html",
        month=first,
        previous=month_after(first, -1),
        following=month_after(first) if first < month_of(today) else None,
        is_running=first == month_of(today),
        ready=ready,
        stuck=[(row, say(row.problem)) for row in prepared if row.problem is not None],
        carried=[row for row in free if row.totals.payable_cents <= 0],
        held=[(row, held[row.key]) for row in prepared if row.key in held and row.problem is None],
        total=sum(row.totals.payable_cents for row in ready),
        by_hand=[row for row in ready if row.email is None],
        doubts=doubts,
        doubtful={row.key: count for row in prepared if (count := sum(c.id in doubts for c in row.charges))},
        remarks=drafts.remarks(ready),
        adhesions_waiting=charges.adhesions_without_vat(),
        may_write=current_actor().has(Role.MANAGER),
        done=done,
    )


@blueprint.post("/month/<month>/gather")
@requires(Role.MANAGER)
def gather(month: str) -> ResponseReturnValue:
    first = read_month(month)
    added = charges.gather(first)
    new = ngettext("%(num)s more thing to invoice.", "%(num)s more things to invoice.", added)
    flash(new if added else _("Nothing was missing."))
    return redirect(url_for("billing.month", month=month), 303)


@blueprint.post("/month/<month>/run")
@requires(Role.MANAGER)
def run(month: str) -> ResponseReturnValue:
    done = services.run(current_actor(), read_month(month))
    flash(ngettext("%(num)s invoice is issued.", "%(num)s invoices are issued.", len(done.issued)))
    if done.held:
        flash(_("Held back, and not issued: %(names)s.", names=", ".join(done.held)))
    if done.problems:
        names = ", ".join(name for name, _why in done.problems)
        flash(_("Not issued: %(names)s. The page says why.", names=names), "error")
        return redirect(url_for("billing.month", month=month), 303)
    return redirect(url_for("billing.index", month=month), 303)


# Lines by hand --------------------------------------------------------------------------------------------------------


@blueprint.get("/month/<month>/line")
@requires(Role.MANAGER)
def new_line(month: str) -> ResponseReturnValue:
    first = read_month(month)
    rules.check_month(first, spaces.today())
    tariff = tariff_on(spaces.today())
    taxable = spaces.lieu().vat_status == "taxable"
    rate = tariff.vat_rate_bp if tariff is not None and taxable else 0
    typed = {"quantity": "1", "vat_rate": f"{rate / 100:g}", "nonce": str(secrets.randbelow(10**15))}
    return _line_page(first, Form(typed))


def _line_page(month: date, form: Form) -> ResponseReturnValue:
    return form_page(
        "billing/line.html",
        form,
        month=month,
        payers=payer_queries.payers(),
        taxable=spaces.lieu().vat_status == "taxable",
    )


@blueprint.post("/month/<month>/line")
@requires(Role.MANAGER)
def add_line(month: str) -> ResponseReturnValue:
    first, form = read_month(month), forms.line_form(request.form)
    if form.is_good:
        with form.trying():
            taxable = spaces.lieu().vat_status == "taxable"
            manual_charges.add_line(
                current_actor(),
                form["payer"],
                form["label"],
                quantity=rules.check_quantity(form["quantity"]),
                unit_cents=cents_of(form["unit_cents"]),
                vat_rate_bp=rate_of(form["vat_rate"] or "0") if taxable else 0,
                basis="ttc",
                month=first,
                nonce=int(form["nonce"]),
            )
            flash(_("The line is added."))
            return redirect(url_for("billing.month", month=month), 303)
    return _line_page(first, form)


@blueprint.post("/charges/<public_id>/remove")
@requires(Role.MANAGER)
def remove_line(public_id: str) -> ResponseReturnValue:
    due = queries.charge_by_public_id(public_id).due_month
    try:
        manual_charges.remove_line(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, lambda: _month_page(due))
    flash(_("The line is removed."))
    return redirect(url_for("billing.month", month=write_month(due)), 303)


@blueprint.get("/charges/<public_id>/waive")
@requires(Role.MANAGER)
def ask_waive(public_id: str) -> ResponseReturnValue:
    return _waive_page(public_id, Form())


def _waive_page(public_id: str, form: Form) -> ResponseReturnValue:
    charge = queries.charge_by_public_id(public_id)
    form.over({"cents": decimal(charge.amount_cents)})
    return form_page("billing/waive.html", form, charge=charge)


@blueprint.post("/charges/<public_id>/waive")
@requires(Role.MANAGER)
def waive(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        due = queries.charge_by_public_id(public_id).due_month
        cents = discounts.reduce(current_actor(), public_id, cents_of(form["cents"]), form["reason"])
        flash(_("%(amount)s will not be invoiced.", amount=money(cents)))
        return redirect(url_for("billing.month", month=write_month(due)), 303)
    return _waive_page(public_id, form)
