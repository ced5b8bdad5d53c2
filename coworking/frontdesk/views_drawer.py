"""The drawer: opened, what came in and went out, counted, closed; and what was sold, day by day."""

from __future__ import annotations

from datetime import date, timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounting import closing_queries, drawer, drawer_queries
from coworking.billing import door_queries
from coworking.core.errors import N_, NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import day_of
from coworking.frontdesk.pages import blueprint
from coworking.pricing.rules import cents_of
from coworking.spaces import queries as spaces

MOVEMENT_WORDS = {
    "receipt": N_("sale, receipt"),
    "payment": N_("payment of an invoice"),
    "deposit_return": N_("deposit given back"),
    "payer_credit": N_("credit given back"),
    "online_refund": N_("online payment given back"),
    "float": N_("change put in"),
    "bank": N_("taken to the bank"),
    "difference": N_("difference found by counting"),
}


@blueprint.get("/drawer")
@requires(Role.HOST)
def show_drawer() -> ResponseReturnValue:
    return _page(spaces.today(), Form())


@blueprint.get("/drawer/<day>")
@requires(Role.HOST)
def drawer_of_day(day: str) -> ResponseReturnValue:
    shown = day_of(day)
    if shown > spaces.today():
        raise NotFound()
    return _page(shown, Form())


def _page(day: date, form: Form) -> ResponseReturnValue:
    today = spaces.today()
    sold = door_queries.sales_on(day)
    by_method: dict[str, int] = {}
    for one in sold:
        by_method[one.sale.method] = by_method.get(one.sale.method, 0) + one.sale.cents
    return form_page(
        "frontdesk/drawer.html",
        form,
        day=day,
        is_today=day == today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < today else None,
        opening=drawer_queries.open_drawer() if day == today else None,
        expected=drawer_queries.expected_cents(),
        counts=drawer_queries.counts_on(day),
        movements=drawer_queries.movements_on(day),
        movement_words=MOVEMENT_WORDS,
        sold=sold,
        by_method={method: cents for method, cents in by_method.items() if cents},
        is_first=drawer_queries.last_count() is None,
        closing=closing_queries.closing_of_day(day) if day < today else None,
    )


@blueprint.post("/drawer/open")
@requires(Role.HOST)
def open_drawer() -> ResponseReturnValue:
    form = Form(request.form)
    counted = form.check("counted", cents_of)
    if form.is_good and counted is not None:
        with form.trying(at="counted"):
            drawer.open_drawer(current_actor(), counted, form["note"])
            flash(_("The drawer is open."))
            return redirect(url_for("frontdesk.show_drawer"), 303)
    return _page(spaces.today(), form)


@blueprint.post("/drawer/<public_id>/close")
@requires(Role.HOST)
def close_drawer(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    counted = form.check("counted", cents_of)
    if form.is_good and counted is not None:
        with form.trying(at="counted"):
            drawer.close_drawer(current_actor(), public_id, counted, form["note"])
            flash(_("The drawer is closed."))
            return redirect(url_for("frontdesk.show_drawer"), 303)
    return _page(spaces.today(), form)


@blueprint.post("/drawer/<public_id>/<any(float, bank):what>")
@requires(Role.HOST)
def carry_cash(public_id: str, what: str) -> ResponseReturnValue:
    """Change put in, or takings brought to the bank."""
    form = Form(request.form)
    cents = form.check("cents", cents_of)
    if form.is_good and cents is not None:
        with form.trying(at="cents"):
            (drawer.put_in if what == "float" else drawer.take_to_bank)(
                current_actor(), public_id, cents, form["carried"]
            )
            flash(_("Written down."))
            return redirect(url_for("frontdesk.show_drawer"), 303)
    return _page(spaces.today(), form)
