"""Changing, pausing and taking back a plan: one's own, and on somebody's behalf."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import queries as accounts
from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import month_year
from coworking.core.i18n import _
from coworking.core.months import month_after, month_end, month_of, read_month
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.web import load_whole, refusal
from coworking.membership import change_offers, changing, forms, paying_first, queries
from coworking.membership.change_rules import months_back
from coworking.membership.models import Subscription
from coworking.membership.pages import blueprint, tried
from coworking.membership.views_mine import agreed, asked, lead_to_payment, mine, person
from coworking.spaces import queries as spaces


@blueprint.get("/me/plan/<public_id>/change")
@signed_in
def ask_change(public_id: str) -> ResponseReturnValue:
    """What changing to that plan adds to this month, and what the next ones come to, said before it is done."""
    plan = queries.plan_by_public_id(public_id)
    held = _changeable()
    if held is None or held.plan_id == plan.id:
        return _as_it_stands()
    if not plan.is_open:
        raise NotFound()
    found = change_offers.others(held, [plan], by_team=False)
    if not found:
        raise NotFound()
    terms, added = found[0].terms, found[0].added if _at_once() else None
    response = make_response(
        render_template(
            "membership/change.html",
            plan=plan,
            held=held,
            terms=terms,
            added=added,
            until=month_end(month_after(terms.first_month, -1)),
            bound=terms.first_month > month_after(spaces.today()),
            to_pay=added.payable_cents if added is not None and paying_first.is_asked(added.payable_cents) else None,
        )
    )
    response.vary.add("HX-Request")  # a sheet is a page or only its inside
    return response


@blueprint.post("/me/plan/<public_id>/change")
@signed_in
def change(public_id: str) -> ResponseReturnValue:
    at_once = _at_once()
    if at_once and (cents := agreed()) is not None and paying_first.is_asked(cents):
        return lead_to_payment(lambda: paying_first.sell_change(current_actor(), public_id, agreed_cents=cents))
    return tried(
        lambda: changing.change_plan(current_actor(), public_id, at_once=at_once, agreed_cents=agreed()),
        _changed(public_id),
        back=url_for("membership.mine"),
        page=mine,
    )


@blueprint.get("/me/plan/pause")
@signed_in
def ask_pause() -> ResponseReturnValue:
    """From when to when one's plan can rest, and what that means."""
    held = _changeable()
    if held is None:
        return _as_it_stands()
    today = spaces.today()
    response = make_response(
        render_template("membership/pause.html", held=held, following=month_after(today), months=months_back(today))
    )
    response.vary.add("HX-Request")  # a sheet is a page or only its inside
    return response


@blueprint.post("/me/plan/pause")
@signed_in
def pause() -> ResponseReturnValue:
    back = read_month(request.form.get("back"))
    return tried(
        lambda: changing.pause(current_actor(), back=back),
        _rests(back),
        back=url_for("membership.mine"),
        page=mine,
    )


@blueprint.post("/me/subscriptions/<public_id>/take-back")
@signed_in
def take_back(public_id: str) -> ResponseReturnValue:
    return _take_back(public_id, None, back=url_for("membership.mine"), page=mine)


@blueprint.post("/me/subscriptions/<public_id>/keep")
@signed_in
def keep(public_id: str) -> ResponseReturnValue:
    return tried(
        lambda: changing.keep(current_actor(), public_id),
        _("The plan goes on."),
        back=url_for("membership.mine"),
        page=mine,
    )


@blueprint.post("/people/<public_id>/membership/change")
@requires(Role.MANAGER)
def change_for(public_id: str) -> ResponseReturnValue:
    plan, at_once = request.form.get("plan", ""), _at_once()
    if "ask" in request.form:  # what is asked for is the rest of this month, whichever month is ticked
        return asked(
            lambda: paying_first.sell_change(current_actor(), plan, person=public_id), lambda: person(public_id)
        )
    return tried(
        lambda: changing.change_plan(current_actor(), plan, at_once=at_once, person=public_id),
        _changed(plan),
        back=url_for("membership.person", public_id=public_id),
        page=lambda: person(public_id),
    )


@blueprint.post("/people/<public_id>/membership/pause")
@requires(Role.MANAGER)
def pause_for(public_id: str) -> ResponseReturnValue:
    back = read_month(request.form.get("back"))
    return tried(
        lambda: changing.pause(current_actor(), back=back, person=public_id),
        _rests(back),
        back=url_for("membership.person", public_id=public_id),
        page=lambda: person(public_id),
    )


@blueprint.post("/people/<public_id>/membership/<subscription>/take-back")
@requires(Role.MANAGER)
def take_back_for(public_id: str, subscription: str) -> ResponseReturnValue:
    back = url_for("membership.person", public_id=public_id)
    return _take_back(subscription, public_id, back=back, page=lambda: person(public_id))


@blueprint.post("/people/<public_id>/membership/<subscription>/keep")
@requires(Role.MANAGER)
def keep_for(public_id: str, subscription: str) -> ResponseReturnValue:
    return tried(
        lambda: changing.keep(current_actor(), subscription, public_id),
        _("The plan goes on."),
        back=url_for("membership.person", public_id=public_id),
        page=lambda: person(public_id),
    )


def _take_back(
    subscription: str, person: str | None, *, back: str, page: Callable[[], ResponseReturnValue]
) -> ResponseReturnValue:
    try:
        is_lifted = changing.take_back(current_actor(), subscription, person)
    except DomainError as error:
        return refusal(error, page)
    flash(_("The plan no longer rests: it goes on as before.") if is_lifted else _("The plan is taken back."))
    return redirect(back, 303)


def _as_it_stands() -> ResponseReturnValue:
    """Lead who comes back to a sheet after the deed to their plan; raises `NotFound` for who has none."""
    month = month_of(spaces.today())
    rows = queries.subscriptions_of(accounts.person_by_id(current_actor().person_id).id)
    now_or_later = [row for row in rows if row.last_month is None or row.last_month >= month]
    if not now_or_later:
        raise NotFound()
    flash(_("Your plan has changed since: this is how it stands now."))
    return load_whole(url_for("membership.mine"))


def _changeable() -> Subscription | None:
    return change_offers.changeable(accounts.person_by_id(current_actor().person_id).id)


def _at_once() -> bool:
    """``from``: now, or with the next month."""
    this_month = month_of(spaces.today())
    return forms.read_first_month(request.values, this_month, month_after(this_month)) == this_month


def _changed(plan: str) -> str:
    return _("The plan changes to “%(name)s”.", name=queries.plan_by_public_id(plan).name)


def _rests(back: date) -> str:
    return _("The plan rests. It goes on in %(month)s.", month=month_year(back))
