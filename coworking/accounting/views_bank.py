"""The bank: a statement read, what came in matched with invoices by a person, and what became of each line."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounting import bank_matching, bank_queries, bank_reading
from coworking.accounting.bank_models import BankStatement, BankUpload
from coworking.accounting.bank_pages import COLUMN_WORDS, line_page, open_parts, waiting_page
from coworking.accounting.csv_rules import MOST_COLUMNS, Field, field_named, read_table
from coworking.accounting.list_pages import BANK_LINES, bank_rows
from coworking.accounting.statement_rules import AnotherAccount
from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.errors import N_, DomainError
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import large_body, refusal
from coworking.pricing.rules import cents_of

MOST_BYTES = 24 * 1024 * 1024
"""The largest statement that is taken; what is larger than the usual 2 MB is read from managers only."""

blueprint = Blueprint("bank", __name__, url_prefix="/bank")


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def index() -> ResponseReturnValue:
    return _index(Form())


def _index(form: Form) -> ResponseReturnValue:
    is_manager = current_actor().has(Role.MANAGER)
    return form_page("accounting/bank.html", form, may_write=is_manager, **waiting_page(request.args.get("after", "")))


@blueprint.post("")
@requires(Role.MANAGER)
@large_body(MOST_BYTES)
def read() -> ResponseReturnValue:
    form, file = Form(request.form), request.files.get("file")
    if file is None or not file.filename:
        form.refuse("file", _("Choose the file that you downloaded from your bank."))
        return _index(form)
    with form.trying(at="file"):
        try:
            found = bank_reading.read_file(current_actor(), file.stream, other_account=form.checked("other_account"))
        except AnotherAccount:
            form.typed["other_account_asked"] = "1"
            raise
        if isinstance(found, BankUpload):
            return redirect(url_for("bank.columns", public_id=found.public_id), 303)
        _say_read(found)
        return redirect(url_for("bank.index"), 303)
    return _index(form)


def _say_read(found: BankStatement) -> None:
    words = [ngettext("%(num)s new line.", "%(num)s new lines.", found.added)]
    if found.known:
        words.append(ngettext("%(num)s was known already.", "%(num)s were known already.", found.known))
    if found.pending:
        words.append(
            ngettext(
                "%(num)s is still pending at the bank: it comes with a later statement.",
                "%(num)s are still pending at the bank: they come with a later statement.",
                found.pending,
            )
        )
    flash(" ".join(words))


@blueprint.get("/columns/<public_id>")
@requires(Role.MANAGER)
def columns(public_id: str) -> ResponseReturnValue:
    return _columns(public_id, Form())


def _columns(public_id: str, form: Form) -> ResponseReturnValue:
    table = read_table(bank_queries.upload_named(public_id).content)
    proposed = bank_reading.proposed_columns(table)
    form.over({f"column-{at}": name for at, name in enumerate(proposed)})
    return form_page(
        "accounting/columns.html",
        form,
        table=table,
        upload_id=public_id,
        choices=[(name, _(words)) for name, words in COLUMN_WORDS.items()],
        is_remembered=bank_queries.columns_before(table.layout) is not None,
    )


@blueprint.post("/columns/<public_id>")
@requires(Role.MANAGER)
def read_columns(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    chosen: list[Field] = [field_named(form[f"column-{at}"]) for at in range(MOST_COLUMNS) if f"column-{at}" in form]
    with form.trying(at="form"):
        try:
            found = bank_reading.read_upload(
                current_actor(), public_id, chosen, other_account=form.checked("other_account")
            )
        except AnotherAccount:
            form.typed["other_account_asked"] = "1"
            raise
        _say_read(found)
        return redirect(url_for("bank.index"), 303)
    return _columns(public_id, form)


# Confirming -----------------------------------------------------------------------------------------------------------


@blueprint.post("/confirm")
@requires(Role.MANAGER)
def confirm_certain() -> ResponseReturnValue:
    """Confirm the certain ones together, each as it was shown: one whose invoice was paid meanwhile is left."""
    done, left = 0, 0
    for said in Form(request.form).several("certain"):
        line, _colon, parts = said.partition(":")
        try:
            bank_matching.confirm(current_actor(), line, open_parts(parts), whole=True)
            done += 1
        except DomainError:
            left += 1
    flash(ngettext("%(num)s transfer is confirmed.", "%(num)s transfers are confirmed.", done))
    if left:
        flash(
            ngettext(
                "%(num)s had changed meanwhile: look at it.", "%(num)s had changed meanwhile: look at them.", left
            ),
            "error",
        )
    return redirect(url_for("bank.index"), 303)


@blueprint.get("/lines/<public_id>")
@requires(Role.ACCOUNTANT)
def line(public_id: str) -> ResponseReturnValue:
    return _line(public_id, Form())


def _line(public_id: str, form: Form) -> ResponseReturnValue:
    is_manager = current_actor().has(Role.MANAGER)
    shown = line_page(public_id, request.args.get("q", "")[:100])
    return form_page("accounting/line.html", form, may_write=is_manager, **shown)


@blueprint.post("/lines/<public_id>/confirm")
@requires(Role.MANAGER)
def confirm(public_id: str) -> ResponseReturnValue:
    """What was proposed (``parts``), or what was chosen by hand (``invoice`` and the amount of each)."""
    form = Form(request.form)
    parts = open_parts(form["parts"])
    for invoice in form.several("invoice"):
        cents = form.check(f"cents-{invoice}", cents_of)
        if cents:
            parts.append((invoice, cents))
    if form.is_good:
        with form.trying(at="form"):
            bank_matching.confirm(current_actor(), public_id, parts, credit_to=form["credit_to"] or None)
            flash(_("Confirmed: it is paid."))
            return redirect(url_for("bank.index"), 303)
    return _line(public_id, form)


@blueprint.post("/lines/<public_id>/payout")
@requires(Role.MANAGER)
def confirm_payout(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying(at="form"):
        bank_matching.confirm_payout(current_actor(), public_id, form["payout"])
        flash(_("Confirmed: it is this payout."))
        return redirect(url_for("bank.index"), 303)
    return _line(public_id, form)


@blueprint.post("/lines/<public_id>/set-aside")
@requires(Role.MANAGER)
def set_aside(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    kind = "payout" if form["kind"] == "payout" else "other"
    with form.trying(at="reason"):
        bank_matching.set_aside(current_actor(), public_id, kind, form["reason"])
        flash(_("Noted: it pays no invoice."))
        return redirect(url_for("bank.index"), 303)
    return _line(public_id, form)


@blueprint.post("/lines/<public_id>/matches/<match>/undo")
@requires(Role.MANAGER)
def undo(public_id: str, match: str) -> ResponseReturnValue:
    try:
        bank_matching.undo(current_actor(), public_id, match)
    except DomainError as error:
        return refusal(error, lambda: _line(public_id, Form()))
    flash(_("Taken back: the line waits again."))
    return redirect(url_for("bank.line", public_id=public_id), 303)


@blueprint.get("/lines")
@requires(Role.ACCOUNTANT)
def lines() -> ResponseReturnValue:
    """Every line, the newest first, and what became of it."""
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Every bank line"), BANK_LINES, bank_rows())
    before = request.args.get("before", "")
    rows = bank_queries.recent(int(before) if before.isdecimal() and len(before) < 18 else None)
    return form_page(
        "accounting/lines.html",
        Form(),
        rows=rows,
        matches=bank_queries.matches_of([row.line.id for row in rows]),
        following=rows[-1].line.id if len(rows) == bank_queries.PAGE_SIZE else None,
    )
