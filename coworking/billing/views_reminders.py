"""Reminders: what leaves next and to whom, what is to be printed, why something does not leave, what was sent."""

from __future__ import annotations

from collections.abc import Sequence

import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.models import Organisation, Person
from coworking.accounts.session import require_proof
from coworking.billing import drafts, reminder_queries, reminding_by_hand
from coworking.billing.account_queries import payer_named
from coworking.billing.list_pages import OVERDUE
from coworking.billing.models import Invoice
from coworking.billing.pay_links import pay_url
from coworking.billing.reminder_models import Reminder
from coworking.billing.reminder_pages import letters, outlook_of, say_when, why_words
from coworking.billing.reminder_queries import OverduePayer, overdue, payer_overdue
from coworking.billing.reminder_step_queries import reminding
from coworking.billing.reminder_words import STEP_NAMES, Words
from coworking.billing.reminding import LETTERS_IN, words_and_lines
from coworking.core import exports, pdf
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import day_of
from coworking.core.units import end_read
from coworking.core.web import refusal
from coworking.spaces import queries as spaces

blueprint = Blueprint("reminders", __name__, url_prefix="/reminders")


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"reminder_steps": STEP_NAMES, "why_no_reminder": why_words, "say_when": say_when}


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def index() -> ResponseReturnValue:
    today, chosen = spaces.today(), reminding()
    payers = overdue(today, None, chosen)
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Overdue invoices"), OVERDUE, payers)
    return render_template(
        "billing/reminders.html",
        chosen=chosen,
        payers=payers,
        outlook=outlook_of(payers, chosen, today),
        today=today,
        letters=letters(payers, today) if chosen.was_asked else [],
        pauses=reminder_queries.open_pauses(today),
        sent=reminder_queries.reminders_sent(),
        may_write=current_actor().has(Role.MANAGER),
    )


@blueprint.get("/payers/<public_id>")
@requires(Role.ACCOUNTANT)
def payer(public_id: str) -> ResponseReturnValue:
    return _page(public_id, Form())


def _page(public_id: str, form: Form) -> ResponseReturnValue:
    """What a payer would read, and what can be done about it; once nothing is overdue, where their account is."""
    today, chosen = spaces.today(), reminding()
    try:
        one = payer_overdue(public_id, today)
    except NotFound:
        payer_named(public_id)  # raises for nobody's id
        return redirect(url_for("billing.account", public_id=public_id), 303)
    due = (one.leaving(one.on) if one.on is not None else []) or one.sendable(today)
    locale = one.receiver.locale if one.receiver is not None else LETTERS_IN
    words = words_and_lines(one, due, locale, max(one.on or today, today), chosen)[0] if due else None
    letter = words_and_lines(one, ready, LETTERS_IN, today, chosen)[0] if (ready := one.sendable(today)) else None
    return form_page(
        "billing/reminder_payer.html",
        form,
        one=one,
        chosen=chosen,
        due=due,
        words=words,
        locale=locale,
        printed=reminding_by_hand.digest_of(letter) if letter is not None and one.receiver is None else None,
        may_send=bool(ready) and chosen.was_asked,
        parts=[("", _("All that they owe")), *((item.invoice.public_id, item.invoice.number) for item in one.invoices)],
        sent=reminder_queries.reminders_to(one.payer),
        may_write=current_actor().has(Role.MANAGER),
    )


@blueprint.post("/payers/<public_id>/send")
@requires(Role.MANAGER)
def send(public_id: str) -> ResponseReturnValue:
    """Send now what would leave next."""
    try:
        row = reminding_by_hand.send_now(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, lambda: _page(public_id, Form()))
    flash(_("The reminder leaves now, to %(email)s.", email=row.email))
    return redirect(url_for("reminders.payer", public_id=public_id), 303)


@blueprint.post("/payers/<public_id>/leave-out")
@requires(Role.MANAGER)
def leave_out(public_id: str) -> ResponseReturnValue:
    """Do not send the next reminder; later steps come on their days."""
    try:
        reminding_by_hand.leave_out(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, lambda: _page(public_id, Form()))
    flash(_("This reminder is not sent."))
    return redirect(url_for("reminders.payer", public_id=public_id), 303)


@blueprint.post("/payers/<public_id>/pause")
@requires(Role.MANAGER)
def pause(public_id: str) -> ResponseReturnValue:
    """No reminders of an invoice, or of all that the payer owes, until a day or until further notice."""
    form = Form(request.form)
    until, reason = form.maybe("until", day_of), form.optional("reason")
    if form.is_good:
        with form.trying():
            reminding_by_hand.pause(
                current_actor(), public_id, invoice=form["invoice"] or None, until=until, reason=reason or ""
            )
            flash(_("Reminders are paused."))
            return redirect(url_for("reminders.payer", public_id=public_id), 303)
    return _page(public_id, form)


@blueprint.post("/pauses/<public_id>/end")
@requires(Role.MANAGER)
def end_pause(public_id: str) -> ResponseReturnValue:
    """Reminders go on, tomorrow at the earliest."""
    reminding_by_hand.end_pause(current_actor(), public_id)
    flash(_("Reminders go on, from tomorrow at the earliest."))
    payer = request.form.get("payer")
    return redirect(url_for("reminders.payer", public_id=payer) if payer else url_for("reminders.index"), 303)


# Letters --------------------------------------------------------------------------------------------------------------


@blueprint.get("/payers/<public_id>.pdf")
@requires(Role.MANAGER)
def letter(public_id: str) -> ResponseReturnValue:
    """The letter that would be sent by post today: drawn anew each time, it says what is true now."""
    today = spaces.today()
    one = payer_overdue(public_id, today)
    return _drawn(
        reminding_by_hand.letter_of(one, today), _address(one), [item.invoice for item in one.sendable(today)]
    )


def _address(one: OverduePayer) -> dict[str, str | None]:
    """Who the letter is for, as their invoices name them; where the payer's page has a newer address, that one."""
    invoice = one.invoices[0].invoice
    payer = invoice.payer_organisation or invoice.payer_person
    return _addressee(one.name, payer)


def _addressee(name: str, payer: Person | Organisation | None) -> dict[str, str | None]:
    return {"name": name} | {part: getattr(payer, part, None) for part in ("address", "postcode", "city")}


def _drawn(words: Words, buyer: dict[str, str | None], invoices: Sequence[Invoice]) -> Response:
    """On paper the address to pay at is a code to scan: nobody types it."""
    link = pay_url([invoice.public_id for invoice in invoices])
    page = pdf.html(
        "billing/reminder_pdf.html",
        locale=LETTERS_IN,
        words=words,
        paragraphs=[part.split("\n") for part in words.text.split("\n\n")],
        buyer=buyer,
        place=drafts.seller(),
        today=spaces.today(),
        link=link,
        qr=segno.make(link, error="m").svg_data_uri(border=0),
    )
    end_read()
    with pdf.turn() as draw:
        drawn = draw(page)
    answer = Response(drawn, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = 'inline; filename="relance.pdf"'
    return answer


@blueprint.post("/payers/<public_id>/posted")
@requires(Role.MANAGER)
def posted(public_id: str) -> ResponseReturnValue:
    """The letter was sent by post; refused where what is owed has changed since it was printed."""
    try:
        reminding_by_hand.post_letter(current_actor(), public_id, request.form.get("printed", ""))
    except DomainError as error:
        return refusal(error, lambda: _page(public_id, Form()))
    flash(_("It is written down: sent by post."))
    return redirect(url_for("reminders.payer", public_id=public_id), 303)


# What was sent --------------------------------------------------------------------------------------------------------


@blueprint.get("/sent/<public_id>")
@requires(Role.ACCOUNTANT)
def sent(public_id: str) -> ResponseReturnValue:
    return _sent_page(reminder_queries.reminder(public_id))


def _sent_page(row: Reminder) -> ResponseReturnValue:
    return render_template(
        "billing/reminder.html",
        row=row,
        name=row.payer.name,
        payer_id=row.payer.public_id,
        sending=reminder_queries.sending_state(row),
        may_write=current_actor().has(Role.MANAGER),
    )


@blueprint.get("/sent/<public_id>.pdf")
@requires(Role.MANAGER)
def sent_letter(public_id: str) -> ResponseReturnValue:
    """The words of a reminder as they left, on paper."""
    row = reminder_queries.reminder(public_id)
    invoices = [line.invoice for line in row.lines]
    return _drawn(Words(row.subject, row.text), _addressee(row.payer.name, row.payer), invoices)


@blueprint.post("/sent/<public_id>/posted")
@requires(Role.MANAGER)
def posted_again(public_id: str) -> ResponseReturnValue:
    """A reminder whose e-mail did not get through was sent by post."""
    try:
        reminding_by_hand.post_again(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, lambda: _sent_page(reminder_queries.reminder(public_id)))
    flash(_("It is written down: sent by post."))
    return redirect(url_for("reminders.sent", public_id=public_id), 303)
