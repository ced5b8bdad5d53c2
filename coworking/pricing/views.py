"""The manager's prices: what rules now, what is to come, what was; a new tariff from a day on."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal, say
from coworking.pricing import forms, queries, services
from coworking.pricing.rules import KINDS
from coworking.spaces import queries as spaces
from coworking.spaces.inputs import Reader
from coworking.spaces.models import DESK

blueprint = Blueprint("pricing", __name__, url_prefix="/settings/prices")


@blueprint.get("")
@requires(Role.MANAGER)
def prices() -> ResponseReturnValue:
    today = spaces.today()
    typed = forms.tariff_fields(queries.tariff_on(today), spaces.resources())
    return _page({"valid_from": today.isoformat()} | typed, {})


@blueprint.post("")
@requires(Role.MANAGER)
def set_prices() -> ResponseReturnValue:
    reader = Reader(request.form)
    form = forms.read_tariff(reader, spaces.resources(), taxable=_is_taxable())
    if not reader.errors:
        try:
            services.set_tariff(
                current_actor(),
                valid_from=form.valid_from,
                basis=form.basis,
                vat_rate_bp=form.vat_rate_bp,
                by_kind=form.by_kind,
                by_resource=form.by_resource,
            )
        except DomainError as error:
            reader.refuse(error.at_field or "valid_from", say(error))
        else:
            flash(_("These prices apply from the day you chose. What is booked keeps its price."))
            return redirect(url_for("pricing.prices"), 303)
    return _page(request.form, reader.errors), 422


@blueprint.post("/<public_id>/remove")
@requires(Role.MANAGER)
def remove_prices(public_id: str) -> ResponseReturnValue:
    try:
        services.remove_tariff(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, prices)
    flash(_("These prices will not apply."))
    return redirect(url_for("pricing.prices"), 303)


def _is_taxable() -> bool:
    return spaces.lieu().vat_status == "taxable"


def _page(typed: Mapping[str, str], errors: dict[str, str]) -> str:
    today, dated = spaces.today(), queries.tariffs()
    current = next((tariff for tariff in dated if tariff.valid_from <= today), None)
    rows = [row for row in spaces.resources() if row.in_service_until is None or row.in_service_until >= today]
    return render_template(
        "pricing/prices.html",
        tariffs=dated,
        current=current,
        kinds=[kind for kind in KINDS if any(row.kind == kind for row in rows)],
        resources={row.id: row for row in spaces.resources()},
        own=[row for row in rows if row.kind != DESK],
        desks=[row for row in rows if row.kind == DESK],
        taxable=_is_taxable(),
        today=today,
        typed=typed,
        errors=errors,
    )
