"""« Vendre »: who, what, how; then the receipt on screen, by mail or printed, and the way back on the same day."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from coworking.accounts.models import Person
from coworking.accounts.pages import unmerged_person
from coworking.accounts.queries import search_people
from coworking.accounts.session import require_proof
from coworking.billing import door_queries, receipts, selling
from coworking.billing.door_models import DoorSale
from coworking.billing.door_rules import MEANS, ON_INVOICE, NotOffered, SoldAlready
from coworking.billing.list_pages import DEPOSITS
from coworking.booking.models import Booking
from coworking.booking.pages import paid
from coworking.booking.queries import free_until_of
from coworking.core import exports
from coworking.core.clock import now
from coworking.core.errors import N_, DomainError, InvalidInput, NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, language
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import row_of
from coworking.core.web import say
from coworking.frontdesk import door
from coworking.frontdesk.pages import blueprint, to_today
from coworking.presence import services as presence
from coworking.spaces import queries as spaces

NOBODY = "nobody"


@paid.append
def _paid_at_the_door(booking: Booking) -> Markup:
    """That ``booking`` was paid at the door, and what becomes of the money when it is cancelled; on its sheet."""
    if booking.day > spaces.today() or booking.sale_id is not None:
        return Markup()
    sold = door_queries.sale_of_booking(booking.id)
    if sold is None:
        return Markup()
    return Markup(  # noqa: S704 - a template of ours, escaped by Jinja
        render_template(
            "frontdesk/_paid.html",
            booking=booking,
            sold=sold,
            may_undo=sold.sold_on == spaces.today() and current_actor().is_staff,
            mine=booking.person_id == current_actor().person_id,
            in_time=now() < free_until_of(booking, spaces.lieu()),
        )
    )


@blueprint.get("/sell")
@requires(Role.HOST)
def sell() -> ResponseReturnValue:
    """Who it is for; once that is known (``person``, or ``nobody``), what and how."""
    values = request.args
    if values.get("person"):
        return _till(values)
    text = values.get("q", "").strip()
    return render_template(
        "frontdesk/sell.html", here=door.people_here(), q=text, found=search_people(text) if text else []
    )


@blueprint.get("/sell/people")
@requires(Role.HOST)
def sell_people() -> ResponseReturnValue:
    """Search as one types."""
    text = request.args.get("q", "").strip()
    return render_template("frontdesk/_sell_people.html", found=search_people(text) if text else [], q=text)


def _till(values: Mapping[str, str], error: DomainError | None = None) -> ResponseReturnValue:
    person = _person(values)
    walk_in = None if person is None else door.walk_in_price(person)
    counts = {name[2:]: _count(text) for name, text in values.items() if name.startswith("n-")}
    for name, step in (("more", 1), ("less", -1)):
        if key := values.get(name):
            counts[key] = counts.get(key, 0) + step
    page = render_template(
        "frontdesk/till.html",
        person=person,
        who=values.get("person"),
        nonce=row_of(values.get("nonce", "")) or secrets.randbelow(10**15) + 1,
        till=door.till(person, counts if counts else None, walk_in),
        walk_in=walk_in,
        taxable=spaces.lieu().vat_status == "taxable",
        error=None if error is None else say(error),
        sold=error.extra.get("sale") if isinstance(error, SoldAlready) else None,
    )
    return page if error is None else (page, error.status)


def _person(values: Mapping[str, str]) -> Person | None:
    who = values.get("person", "")
    return None if who == NOBODY else unmerged_person(who)


def _count(text: str) -> int:
    return row_of(text) or 0


@blueprint.post("/sell")
@requires(Role.HOST)
def take_sale() -> ResponseReturnValue:
    actor, form = current_actor(), request.form
    who, nonce = form.get("person", ""), row_of(form.get("nonce", ""))
    if not who or nonce is None or not 0 < nonce <= 10**15:
        raise InvalidInput(field="person", reason=_("Choose who it is for."))
    person = None if who == NOBODY else who
    wanted = {name[2:]: _count(text) for name, text in form.items() if name.startswith("n-")}
    comes = bool(wanted.pop(door.WALK_IN, 0)) and person is not None

    def arrive() -> list[str]:
        booking = presence.arrive_in_unit(actor, person).booking
        if booking is None or not booking.units:
            raise NotOffered()  # the last desk was taken meanwhile
        return [f"q:{quote.public_id}" for unit in booking.units for quote in unit.quotes if quote.payer_person_id]

    try:
        sale = selling.sell(
            actor,
            selling.Order(person, wanted, form.get("method", "")),
            shown_cents=row_of(form.get("shown", "")) or 0,
            nonce=nonce,
            first=arrive if comes else None,
        )
    except NotFound:
        raise
    except DomainError as error:
        return _till(form, error)
    return redirect(url_for("frontdesk.sale", public_id=sale.public_id), 303)


# The sale -------------------------------------------------------------------------------------------------------------


@blueprint.get("/sales/<public_id>")
@requires(Role.HOST)
def sale(public_id: str) -> ResponseReturnValue:
    return _sale_page(door_queries.sale(public_id), Form())


def _sale_page(row: DoorSale, form: Form) -> ResponseReturnValue:
    undoing = door_queries.undoing_of(row)
    email = row.person.email if row.person is not None and row.person.email else ""
    return form_page(
        "frontdesk/sale.html",
        form.over({"email": email}),
        sale=row,
        undoing=undoing,
        may_undo=undoing is None and row.cancels_id is None and row.sold_on == spaces.today(),
        is_manager=current_actor().has(Role.MANAGER),
        later=ON_INVOICE,
        taxable=spaces.lieu().vat_status == "taxable",
        lieu=spaces.lieu(),
    )


@blueprint.get("/sales/<public_id>/cancel")
@requires(Role.HOST)
def ask_cancel_sale(public_id: str) -> ResponseReturnValue:
    return form_page("frontdesk/sale_cancel.html", Form(), sale=door_queries.sale(public_id))


@blueprint.post("/sales/<public_id>/cancel")
@requires(Role.HOST)
def cancel_sale(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        undoing = selling.cancel(current_actor(), public_id, form["reason"])
        flash(_("The sale is cancelled. Give the money back if it was paid."))
        return redirect(url_for("frontdesk.sale", public_id=undoing.public_id), 303)
    return form_page("frontdesk/sale_cancel.html", form, sale=door_queries.sale(public_id))


@blueprint.post("/sales/<public_id>/email")
@requires(Role.HOST)
def email_receipt(public_id: str) -> ResponseReturnValue:
    row, form = door_queries.sale(public_id), Form(request.form)
    email = form.email("email")
    if row.receipt is None:
        raise NotFound()
    if form.is_good:
        receipts.send(row.receipt, email, row.person.locale if row.person is not None else language())
        flash(_("The receipt is sent to %(email)s.", email=email))
        return redirect(url_for("frontdesk.sale", public_id=public_id), 303)
    return _sale_page(row, form)


@blueprint.get("/sales/<public_id>.pdf")
@requires(Role.HOST)
def receipt_pdf(public_id: str) -> ResponseReturnValue:
    row = door_queries.sale(public_id).receipt
    if row is None:
        raise NotFound()
    answer = Response(receipts.pdf_of(row), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{row.number}.pdf"'
    return answer


# Deposits -------------------------------------------------------------------------------------------------------------


@blueprint.get("/deposits")
@requires(Role.HOST)
def deposits() -> ResponseReturnValue:
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Deposits"), DEPOSITS, door_queries.deposits_held())
    return _deposits_page()


def _deposits_page(error: DomainError | None = None) -> ResponseReturnValue:
    page = render_template(
        "frontdesk/deposits.html",
        held=door_queries.deposits_held(),
        returned=door_queries.deposits_returned(20),
        means=MEANS,
        error=None if error is None else say(error),
    )
    return page if error is None else (page, error.status)


@blueprint.post("/deposits/<public_id>/return")
@requires(Role.HOST)
def return_deposit(public_id: str) -> ResponseReturnValue:
    try:
        selling.give_back(current_actor(), public_id, request.form.get("method", ""))
    except NotFound:
        raise
    except DomainError as error:
        return _deposits_page(error)
    flash(_("Written down: the deposit is given back."))
    return redirect(url_for("frontdesk.deposits"), 303)


def sell_after_arrival(arrival: presence.Arrival) -> ResponseReturnValue:
    """After a walk-in that its person owes for: the sale of it, ready to be taken; Today otherwise."""
    if arrival.walked_in and door_queries.quotes_owed_today(arrival.presence.person):
        return redirect(url_for("frontdesk.sell", person=arrival.presence.person.public_id), 303)
    return to_today()
