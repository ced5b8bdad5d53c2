"""The manager's plans, and what an adhesion costs."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.formats import decimal
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.membership import forms, queries, services
from coworking.membership.pages import blueprint, done, is_taxable, tried
from coworking.pricing.forms import cents
from coworking.pricing.group_queries import groups
from coworking.spaces import queries as spaces


@blueprint.get("/settings/plans")
@requires(Role.MANAGER)
def plans() -> ResponseReturnValue:
    return _page(Form())


@blueprint.get("/settings/plans/new")
@requires(Role.MANAGER)
def new_plan() -> ResponseReturnValue:
    return _new_plan(Form())


@blueprint.post("/settings/plans/new")
@requires(Role.MANAGER)
def add_plan() -> ResponseReturnValue:
    form = Form(request.form)
    values = forms.read_plan(form, _groups(), taxable=is_taxable())
    if done(form, lambda: services.add_plan(current_actor(), **values), _("The plan can be chosen."), field="name"):
        return redirect(url_for("membership.plans"), 303)
    return _new_plan(form)


@blueprint.post("/settings/plans/<public_id>/<any(open,closed):state>")
@requires(Role.MANAGER)
def set_plan(public_id: str, state: str) -> ResponseReturnValue:
    """``open`` or ``closed``."""
    is_open = state == "open"
    return tried(
        lambda: services.set_plan_open(current_actor(), public_id, is_open),
        _("The plan can be chosen.") if is_open else _("The plan can no longer be chosen. Those who have it keep it."),
        back=url_for("membership.plans"),
        page=plans,
    )


@blueprint.post("/settings/adhesion")
@requires(Role.MANAGER)
def set_adhesion() -> ResponseReturnValue:
    form = Form(request.form)
    price = cents(form, "adhesion")
    vat, rate = forms.read_adhesion_vat(form, taxable=is_taxable() and bool(price))
    if done(
        form,
        lambda: services.set_adhesion_price(current_actor(), price, vat=vat, vat_rate_bp=rate),
        _("Saved."),
        field="adhesion",
    ):
        return redirect(url_for("membership.plans"), 303)
    return _page(form)


def _page(form: Form) -> ResponseReturnValue:
    row = queries.settings()
    usual = {
        "adhesion": "" if row.adhesion_cents is None else decimal(row.adhesion_cents),
        "adhesion_vat": row.adhesion_vat or "",
        "adhesion_vat_rate": "20" if row.adhesion_vat_rate_bp is None else decimal(row.adhesion_vat_rate_bp),
    }
    return form_page(
        "membership/plans.html",
        form.over(usual),
        plans=queries.plans(closed=True),
        holders=queries.plan_holders(),
        offers=queries.pack_offers(closed=True),
        pack_holders=queries.pack_holders(),
        adherents=queries.adherents_on(spaces.today()),
        taxable=is_taxable(),
    )


def _new_plan(form: Form) -> ResponseReturnValue:
    usual = {"vat_rate": "20", "basis": "ttc", "first_month": "whole", "taken_by": "anyone"}
    return form_page("membership/plan_new.html", form.over(usual), groups=_groups(), taxable=is_taxable())


def _groups() -> dict[str, str]:
    """The names of the groups of reduced prices, by public id."""
    return {group.public_id: group.name for group in groups()}
