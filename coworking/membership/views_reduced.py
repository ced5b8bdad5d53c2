"""Reduced prices: the manager's groups and what they get, and who of the people gets one."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.pages import unmerged_person
from coworking.core.errors import DomainError, NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal
from coworking.membership import reduced_forms
from coworking.membership.entitlement_queries import full_prices
from coworking.membership.pages import blueprint, done, reduced_inputs, tried
from coworking.membership.rules import last_day_of
from coworking.pricing import group_queries, group_services
from coworking.pricing.group_models import PriceGroup
from coworking.pricing.group_rules import MAX_NAME, STARTERS
from coworking.spaces import queries as spaces


@blueprint.get("/settings/reduced-prices")
@requires(Role.MANAGER)
def reduced_prices() -> ResponseReturnValue:
    return _groups_page(Form())


@blueprint.post("/settings/reduced-prices")
@requires(Role.MANAGER)
def add_group() -> ResponseReturnValue:
    """Add a group under the name that was typed, or chosen among those offered as a start."""
    form = Form(request.form)
    with form.trying(at="name"):
        group = group_services.add_group(current_actor(), form["start"] or form["name"])
        flash(_("Now say what this group pays."))
        return redirect(url_for("membership.price_group", public_id=group.public_id), 303)
    return _groups_page(form)


@blueprint.get("/settings/reduced-prices/<public_id>")
@requires(Role.MANAGER)
def price_group(public_id: str) -> ResponseReturnValue:
    group = group_queries.group_by_public_id(public_id)
    tariffs, inputs, today = group_queries.group_tariffs(group.id), reduced_inputs(), spaces.today()
    now_given = next((tariff for tariff in tariffs if tariff.valid_from <= today), tariffs[-1] if tariffs else None)
    usual = {"valid_from": today.isoformat()} | reduced_forms.reduction_fields(now_given, inputs)
    return _group_page(group, Form(usual))


@blueprint.post("/settings/reduced-prices/<public_id>")
@requires(Role.MANAGER)
def set_group_prices(public_id: str) -> ResponseReturnValue:
    group, form = group_queries.group_by_public_id(public_id), Form(request.form)
    valid_from = form.day("valid_from")
    full = full_prices(max(valid_from, spaces.today()) if form.is_good else spaces.today())
    reductions = reduced_forms.read_reductions(form, reduced_inputs(), full)
    if done(
        form,
        lambda: group_services.set_group_prices(
            current_actor(), public_id, valid_from=valid_from, reductions=reductions
        ),
        _("These reduced prices apply from the day you chose. What is booked keeps its price."),
        field="valid_from",
    ):
        return redirect(url_for("membership.price_group", public_id=public_id), 303)
    return _group_page(group, form)


@blueprint.post("/settings/reduced-prices/<public_id>/<any(open,closed):state>")
@requires(Role.MANAGER)
def set_group(public_id: str, state: str) -> ResponseReturnValue:
    """``open`` or ``closed``."""
    is_open = state == "open"
    return tried(
        lambda: group_services.set_group_open(current_actor(), public_id, is_open),
        _("This reduced price can be given.") if is_open else _("Nobody new gets it. Those who have it keep it."),
        back=url_for("membership.reduced_prices"),
        page=reduced_prices,
    )


@blueprint.post("/settings/reduced-prices/<public_id>/<tariff>/cancel")
@requires(Role.MANAGER)
def remove_group_prices(public_id: str, tariff: str) -> ResponseReturnValue:
    return tried(
        lambda: group_services.remove_group_prices(current_actor(), tariff),
        _("These reduced prices will not apply."),
        back=url_for("membership.price_group", public_id=public_id),
        page=lambda: price_group(public_id),
    )


@blueprint.get("/people/<public_id>/reduced-price")
@requires(Role.HOST)
def reduced_price_of(public_id: str) -> ResponseReturnValue:
    """Which reduced prices somebody has, by which proof, and giving them one."""
    return _person_page(public_id, Form())


@blueprint.post("/people/<public_id>/reduced-price")
@requires(Role.HOST)
def give_reduced_price(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    given = reduced_forms.read_given(form, {group.public_id: group.name for group in group_queries.groups()})
    if done(
        form,
        lambda: group_services.give(
            current_actor(),
            public_id,
            given.group,
            valid_from=given.valid_from,
            valid_until=given.valid_until,
            proof=given.proof,
            seen_on=given.seen_on,
        ),
        _("The person pays less from the day you chose. What is booked keeps its price."),
        field="group",
    ):
        return redirect(url_for("membership.reduced_price_of", public_id=public_id), 303)
    return _person_page(public_id, form)


@blueprint.post("/people/<public_id>/reduced-price/<given>/end")
@requires(Role.HOST)
def end_reduced_price(public_id: str, given: str) -> ResponseReturnValue:
    try:
        group_services.end(current_actor(), given)
    except DomainError as error:
        return refusal(error, lambda: reduced_price_of(public_id))
    flash(_("The person pays the full price from today. What is booked keeps its price."))
    return redirect(url_for("membership.reduced_price_of", public_id=public_id), 303)


def _groups_page(form: Form) -> ResponseReturnValue:
    groups, today = group_queries.groups(), spaces.today()
    taken = {group.name for group in groups}
    return form_page(
        "membership/reduced_prices.html",
        form,
        groups=groups,
        former=group_queries.groups(archived=True),
        given={one.group_id: one for one in group_queries.group_prices_on(today, [group.id for group in groups])},
        count=group_queries.members_count(today),
        starts=[name for name in map(_, STARTERS) if name not in taken],
        inputs={(one.kind, one.of_id): one for one in reduced_inputs()},
        most=MAX_NAME,
    )


def _group_page(group: PriceGroup, form: Form) -> ResponseReturnValue:
    today, tariffs = spaces.today(), group_queries.group_tariffs(group.id)
    return form_page(
        "membership/price_group.html",
        form,
        group=group,
        tariffs=tariffs,
        current=next((tariff for tariff in tariffs if tariff.valid_from <= today), None),
        inputs=reduced_inputs(),
        count=group_queries.members_count(today).get(group.id, 0),
        today=today,
    )


def _person_page(public_id: str, form: Form) -> ResponseReturnValue:
    person, today = unmerged_person(public_id), spaces.today()
    if person.erased_at is not None:
        raise NotFound()
    given = [one for one in group_queries.belongings_of(person.id) if not one.never_counted]
    usual = {"valid_from": today.isoformat(), "seen_on": today.isoformat()}
    usual["valid_until"] = last_day_of(today, 12).isoformat()
    return form_page(
        "membership/reduced_price_of.html",
        form.over(usual),
        person=person,
        given=[one for one in given if one.last_day >= today],
        former=[one for one in given if one.last_day < today],
        groups=group_queries.groups(),
        is_manager=current_actor().has(Role.MANAGER),
        today=today,
    )
