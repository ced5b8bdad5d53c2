"""One person's plan and adhesion: as they see it themselves, and as the manager does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import queries as accounts
from coworking.accounts.models import Person
from coworking.accounts.pages import unmerged_person
from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import decimal, money, month_year
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.months import month_after, month_end, month_of
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.web import load_whole, refusal
from coworking.membership import (
    change_offers,
    entitlement_queries,
    forms,
    pack_request_queries,
    pausing,
    paying_first,
    queries,
    services,
    withdrawal_queries,
)
from coworking.membership.beginning import Taker, plan_terms
from coworking.membership.change_rules import months_back
from coworking.membership.pages import blueprint, done, is_taxable, reduced_inputs, reduced_now, tried
from coworking.membership.rules import expiry_state
from coworking.pricing.forms import cents
from coworking.pricing.group_queries import group_name, tariffs_of
from coworking.pricing.group_rules import price_for
from coworking.pricing.models import Sale
from coworking.spaces import queries as spaces


@blueprint.get("/me/plan")
@signed_in
def mine() -> ResponseReturnValue:
    """« Formule »: what one has, what is left of it, what else there is."""
    return render_template("membership/mine.html", **_context(accounts.person_by_id(current_actor().person_id)))


@blueprint.get("/me/plan/<public_id>")
@signed_in
def ask(public_id: str) -> ResponseReturnValue:
    """What taking that plan comes to, month by month, said before it is taken."""
    plan = queries.plan_by_public_id(public_id)
    if not plan.is_open:
        raise NotFound()
    this_month = month_of(spaces.today())
    first = forms.read_first_month(request.args, this_month, month_after(this_month))
    taker = Taker(current_actor().person_id or 0, by_team=False)
    terms = plan_terms(plan, first, taker)
    response = make_response(
        render_template(
            "membership/ask.html",
            plan=plan,
            terms=terms,
            group=group_name(terms.price_group_id),
            now=first == this_month,
            until=month_end(first),
            to_pay=terms.payable_cents if paying_first.is_asked(terms.payable_cents) else None,
        )
    )
    response.vary.add("HX-Request")  # a sheet is a page or only its inside
    return response


@blueprint.post("/me/plan/<public_id>")
@signed_in
def choose(public_id: str) -> ResponseReturnValue:
    first, cents = _month(), agreed()
    if cents is not None and paying_first.is_asked(cents):
        return lead_to_payment(
            lambda: paying_first.sell_plan(current_actor(), public_id, first_month=first, agreed_cents=cents)
        )
    return tried(
        lambda: services.subscribe(current_actor(), public_id, first_month=first, agreed_cents=cents),
        _("You now have this plan."),
        back=url_for("membership.mine"),
        page=mine,
    )


@blueprint.post("/me/adhesion")
@signed_in
def become_member() -> ResponseReturnValue:
    """A year's adhesion, which begins once it is paid."""
    return lead_to_payment(lambda: paying_first.sell_adhesion(current_actor(), agreed_cents=agreed()))


@blueprint.post("/me/to-pay/<sale_id>/give-up")
@signed_in
def let_go(sale_id: str) -> ResponseReturnValue:
    paying_first.let_go(current_actor(), sale_id)
    flash(_("Given up. You owe nothing."))
    return redirect(url_for("membership.mine"), 303)


@blueprint.post("/me/subscriptions/<public_id>/end")
@signed_in
def end(public_id: str) -> ResponseReturnValue:
    return tried(
        lambda: services.end_subscription(current_actor(), public_id),
        _("The end of the plan is written down."),
        back=url_for("membership.mine"),
        page=mine,
    )


@blueprint.get("/people/<public_id>/membership")
@requires(Role.MANAGER)
def person(public_id: str) -> ResponseReturnValue:
    """Their plan, packs and adhesion."""
    return _person_page(public_id, Form())


@blueprint.post("/people/<public_id>/membership/plan")
@requires(Role.MANAGER)
def choose_for(public_id: str) -> ResponseReturnValue:
    plan = request.form.get("plan", "")
    if "ask" in request.form:
        return asked(
            lambda: paying_first.sell_plan(current_actor(), plan, first_month=_month(), person=public_id),
            lambda: person(public_id),
        )
    return tried(
        lambda: services.subscribe(current_actor(), plan, first_month=_month(), person=public_id),
        _("The person now has this plan."),
        back=url_for("membership.person", public_id=public_id),
        page=lambda: person(public_id),
    )


@blueprint.post("/people/<public_id>/membership/<subscription>/end")
@requires(Role.MANAGER)
def end_for(public_id: str, subscription: str) -> ResponseReturnValue:
    return tried(
        lambda: services.end_subscription(current_actor(), subscription, let_off="let_off" in request.form),
        _("The end of the plan is written down."),
        back=url_for("membership.person", public_id=public_id),
        page=lambda: person(public_id),
    )


@blueprint.post("/people/<public_id>/membership/adhesion")
@requires(Role.MANAGER)
def adhere(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    if "ask" in form:
        return _ask_adhesion(public_id, form)
    valid_from, price = form.day("valid_from"), cents(form, "cents", required=True) or 0
    month = max(month_of(valid_from), month_of(spaces.today()))
    charged = _("It will be on the invoice of %(month)s: %(amount)s.", month=month_year(month), amount=money(price))
    if done(
        form,
        lambda: services.record_adhesion(current_actor(), public_id, valid_from=valid_from, cents=price),
        " ".join((_("The annual membership is recorded."), charged if price else _("Nothing is to be paid for it."))),
        field="valid_from",
    ):
        return redirect(url_for("membership.person", public_id=public_id), 303)
    return _person_page(public_id, form)


def _month() -> date:
    this_month = month_of(spaces.today())
    return forms.read_first_month(request.form, this_month, month_after(this_month))


def _ask_adhesion(public_id: str, form: Form) -> ResponseReturnValue:
    day, price = form.day("valid_from"), cents(form, "cents", required=True)
    if not form.is_good:
        return _person_page(public_id, form)
    return asked(
        lambda: paying_first.sell_adhesion(current_actor(), person=public_id, valid_from=day, cents=price),
        lambda: person(public_id),
    )


def asked(ask: Callable[[], Sale], page: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """Lead to what somebody is asked to pay, with the code to scan."""
    try:
        sale = ask()
    except DomainError as error:
        return refusal(error, page)
    return redirect(url_for("pay_first.asked", sale_id=sale.public_id), 303)


def agreed() -> int | None:
    """What the page said that it costs."""
    said = request.form.get("agreed", "")
    return int(said) if said.isdecimal() else None


def lead_to_payment(ask_for: Callable[[], Sale]) -> ResponseReturnValue:
    """Lead to where what is asked for is paid."""
    try:
        sale = ask_for()
    except DomainError as error:
        return refusal(error, mine)
    return load_whole(url_for("pay_first.sale", sale_id=sale.public_id))


def _person_page(public_id: str, form: Form) -> ResponseReturnValue:
    found = unmerged_person(public_id)
    year = queries.adhesion_price_of(found.id)
    usual = {"valid_from": spaces.today().isoformat(), "cents": decimal(year.cents if year is not None else 0)}
    employers = queries.employers_of(found.id, spaces.today())
    return form_page("membership/person.html", form.over(usual), employers=employers, **_context(found, by_team=True))


def _context(person: Person, *, by_team: bool = False) -> dict[str, object]:
    today = spaces.today()
    adhesions, year = queries.adhesions_of(person.id), queries.adhesion_price_of(person.id)
    adhesion_cents, groups = year.cents if year is not None else None, queries.groups_now(person.id)
    pack_offers = queries.pack_offers()
    subscriptions, plans = queries.subscriptions_of(person.id), queries.plans()
    running = [row for row in subscriptions if row.last_month is None or row.last_month >= month_of(today)]
    changeable = change_offers.running_in(running)
    may_choose = all(row.last_month is not None for row in running)
    packs = [one for one in queries.packs_of(person.id, today) if not one.is_over(today)]
    bought = [*running, *(one.pack for one in packs)]
    shown, pauses = pausing.with_pauses(running, subscriptions)
    return {
        "person": person,
        "today": today,
        "this_month": month_of(today),
        "next_month": month_after(month_of(today)),
        "subscriptions": shown,
        "pauses": pauses,
        "past": [row for row in subscriptions if row not in running],
        "changeable": changeable,
        "ends_with": None if changeable is None else change_offers.ends_with(changeable),
        "others": change_offers.others(changeable, plans, by_team=by_team),
        "to_take_back": change_offers.to_take_back(running),
        "months_back": months_back(today),
        "to_keep": change_offers.to_keep(running),
        "may_choose": may_choose,
        "to_take": change_offers.to_take(person.id, plans, by_team=by_team) if may_choose else [],
        "packs": packs,
        "asked_back": pack_request_queries.latest_requests(one.pack for one in packs) if packs else {},
        "to_withdraw": withdrawal_queries.to_withdraw(bought, by_letter=by_team),
        "withdrawals": withdrawal_queries.withdrawals_of(person.id),
        "pack_offers": pack_offers,
        "pack_prices": {one.id: price_for(groups, "pack", one.cents, one.id).cents for one in pack_offers},
        "reduced": (reduced := reduced_now(person.id)),
        "reduced_prices": tariffs_of(reduced, today) if reduced else {},
        "reduced_inputs": reduced_inputs() if reduced else [],
        "remaining": entitlement_queries.remaining(person.id, today),
        "adhesion": adhesions[0] if adhesions else None,
        "adhesions": adhesions,
        "adhesion_state": expiry_state(adhesions[0].valid_until, today) if adhesions else None,
        "adhesion_cents": adhesion_cents,
        "taxable": is_taxable(),
        "may_adhere": queries.adhesion_vat_now() is not None,
        "may_ask_first": paying_first.is_offered(),
        "pays_adhesion_first": queries.adhesion_vat_now() is not None and paying_first.is_asked(adhesion_cents or 0),
    }
