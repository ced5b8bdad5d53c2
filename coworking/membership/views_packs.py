"""Packs of prepaid units: what the lieu offers, and buying one for oneself or on somebody's behalf."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.membership import beginning, forms, paying_first, queries, services
from coworking.membership.pages import blueprint, done, is_taxable, tried
from coworking.membership.views_mine import agreed, asked, lead_to_payment, mine, person
from coworking.membership.views_plans import plans
from coworking.pricing.group_queries import group_name


@blueprint.get("/settings/packs/new")
@requires(Role.MANAGER)
def new_pack() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/settings/packs/new")
@requires(Role.MANAGER)
def add_pack() -> ResponseReturnValue:
    form = Form(request.form)
    values = forms.read_pack_offer(form, taxable=is_taxable())
    if done(
        form, lambda: services.add_pack_offer(current_actor(), **values), _("The pack can be bought."), field="name"
    ):
        return redirect(url_for("membership.plans") + "#packs", 303)
    return _page(form)


@blueprint.post("/settings/packs/<public_id>/<any(open,closed):state>")
@requires(Role.MANAGER)
def set_pack(public_id: str, state: str) -> ResponseReturnValue:
    """``open`` or ``closed``."""
    is_open = state == "open"
    return tried(
        lambda: services.set_pack_offer_open(current_actor(), public_id, is_open),
        _("The pack can be bought.") if is_open else _("The pack can no longer be bought. Those who have it keep it."),
        back=url_for("membership.plans") + "#packs",
        page=plans,
    )


@blueprint.get("/me/packs/<public_id>")
@signed_in
def ask_pack(public_id: str) -> ResponseReturnValue:
    """What a pack holds, until when, and what it costs, said before it is bought."""
    offer = queries.pack_offer_by_public_id(public_id)
    if not offer.is_open:
        raise NotFound()
    terms = beginning.pack_terms(offer, current_actor().person_id or 0)
    response = make_response(
        render_template(
            "membership/ask_pack.html",
            offer=offer,
            terms=terms,
            is_asked=paying_first.is_asked(terms.payable_cents),
            group=group_name(terms.price_group_id),
        )
    )
    response.vary.add("HX-Request")  # a sheet is a page or only its inside
    return response


@blueprint.post("/me/packs/<public_id>")
@signed_in
def buy_pack(public_id: str) -> ResponseReturnValue:
    offer = queries.pack_offer_by_public_id(public_id)
    to_pay = queries.pack_cents(offer, queries.groups_now(current_actor().person_id or 0))
    if offer.is_open and paying_first.is_asked(to_pay):
        return lead_to_payment(lambda: paying_first.sell_pack(current_actor(), public_id, agreed_cents=agreed()))
    return tried(
        lambda: services.buy_pack(current_actor(), public_id, agreed_cents=agreed()),
        _("You now have this pack. What you book takes from it first."),
        back=url_for("membership.mine"),
        page=mine,
    )


@blueprint.post("/people/<public_id>/membership/pack")
@requires(Role.MANAGER)
def sell_pack_to(public_id: str) -> ResponseReturnValue:
    offer = request.form.get("pack", "")
    if "ask" in request.form:
        return asked(
            lambda: paying_first.sell_pack(current_actor(), offer, person=public_id), lambda: person(public_id)
        )
    return tried(
        lambda: services.buy_pack(current_actor(), offer, person=public_id),
        _("The person now has this pack. It will be on their next invoice."),
        back=url_for("membership.person", public_id=public_id),
        page=lambda: person(public_id),
    )


def _page(form: Form) -> ResponseReturnValue:
    usual = {"vat_rate": "20", "basis": "ttc", "unit": "half_day", "units": "10", "valid_months": "6"}
    return form_page("membership/pack_offer.html", form.over(usual), taxable=is_taxable())
