"""The manager's prices: the present tariff, those to come, former ones; a new tariff from a day on."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal
from coworking.pricing import forms, queries, services, views_articles
from coworking.pricing.concerned_queries import concerned_by
from coworking.pricing.pages import PriceChange, blueprint
from coworking.pricing.rules import KINDS
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK

__all__ = ["blueprint", "views_articles"]


@blueprint.get("")
@requires(Role.MANAGER)
def prices() -> ResponseReturnValue:
    today = spaces.today()
    typed = forms.tariff_fields(queries.tariff_on(today), spaces.resources())
    return _page(Form({"valid_from": today.isoformat()} | typed))


@blueprint.post("")
@requires(Role.MANAGER)
def set_prices() -> ResponseReturnValue:
    form = Form(request.form)
    tariff = forms.read_tariff(form, spaces.resources(), taxable=_is_taxable())
    if "again" in form:
        return _page(form)
    if form.is_good and "look" in form:
        with form.trying(at="valid_from"):
            services.check_begins(tariff.valid_from)
            return _look(form, tariff)
    if form.is_good:
        with form.trying(at="valid_from"):
            services.set_tariff(
                current_actor(),
                valid_from=tariff.valid_from,
                basis=tariff.basis,
                vat_rate_bp=tariff.vat_rate_bp,
                by_kind=tariff.by_kind,
                by_resource=tariff.by_resource,
                day_by_kind=tariff.day_by_kind,
                day_by_resource=tariff.day_by_resource,
            )
            flash(_("These prices apply from the day you chose. What is booked keeps its price."))
            return redirect(url_for("pricing.prices"), 303)
    return _page(form)


@blueprint.post("/<public_id>/remove")
@requires(Role.MANAGER)
def remove_prices(public_id: str) -> ResponseReturnValue:
    try:
        services.remove_tariff(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, prices)
    flash(_("These prices will not apply."))
    return redirect(url_for("pricing.prices"), 303)


def _look(form: Form, tariff: forms.TariffForm) -> ResponseReturnValue:
    """What the new prices change, and for whom, before they apply."""
    rules, today = queries.prices_on(tariff.valid_from), spaces.today()
    rows = {row.public_id: row for row in spaces.resources()}
    changes = [
        PriceChange(kind, None, is_day, was, becomes)
        for is_day, before, after in (
            (False, rules.by_kind, tariff.by_kind),
            (True, rules.day_by_kind, tariff.day_by_kind),
        )
        for kind in KINDS
        if (was := before.get(kind)) != (becomes := after.get(kind))
    ]
    changes += [
        PriceChange(row.kind, row.name, is_day, was, becomes)
        for is_day, own, typed in (
            (False, rules.by_resource, tariff.by_resource),
            (True, rules.day_by_resource, tariff.day_by_resource),
        )
        for key, row in rows.items()
        if (was := own.get(row.id)) != (becomes := typed.get(key))
    ]
    current = queries.tariff_on(tariff.valid_from)
    return render_template(
        "pricing/prices_look.html",
        form=form,
        tariff=tariff,
        changes=changes,
        vat_changes=_is_taxable()
        and current is not None
        and (current.basis, current.vat_rate_bp) != (tariff.basis, tariff.vat_rate_bp),
        concerned=concerned_by(tariff.valid_from, today),
    )


def _is_taxable() -> bool:
    return spaces.lieu().vat_status == "taxable"


def _page(form: Form) -> ResponseReturnValue:
    today, dated = spaces.today(), queries.tariffs()
    current = next((tariff for tariff in dated if tariff.valid_from <= today), None)
    rows = [row for row in spaces.resources() if row.in_service_until is None or row.in_service_until >= today]
    return form_page(
        "pricing/prices.html",
        form,
        tariffs=dated,
        current=current,
        kinds=[kind for kind in KINDS if any(row.kind == kind for row in rows)],
        resources={row.id: row for row in spaces.resources()},
        own=[row for row in rows if row.kind != DESK],
        desks=[row for row in rows if row.kind == DESK],
        taxable=_is_taxable(),
        today=today,
    )
