"""Organisations: their details for invoices, their people, what they agreed to pay. For managers."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import organisations as service
from coworking.accounts import queries as accounts
from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.errors import N_
from coworking.core.formats import weekday_names
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import day_of
from coworking.membership import forms, queries, services
from coworking.membership.list_pages import ORGANISATIONS
from coworking.membership.pages import blueprint, done, is_taxable
from coworking.spaces import queries as spaces


@blueprint.get("/organisations")
@requires(Role.MANAGER)
def organisations() -> ResponseReturnValue:
    text = request.args.get("q", "")[:200].replace("\x00", "")
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Organisations"), ORGANISATIONS, accounts.every_organisation(text))
    number = request.args.get("page", 1, type=int)
    rows, page, pages = accounts.list_organisations(text, min(number, 1_000_000))
    return render_template("membership/organisations.html", organisations=rows, page=page, pages=pages, q=text)


@blueprint.get("/organisations/new")
@requires(Role.MANAGER)
def new_organisation() -> ResponseReturnValue:
    return form_page("membership/organisation_new.html", Form())


@blueprint.post("/organisations/new")
@requires(Role.MANAGER)
def create_organisation() -> ResponseReturnValue:
    form = Form(request.form)
    values = forms.read_organisation(form)
    made: list[str] = []
    if done(
        form,
        lambda: made.append(service.create_organisation(current_actor(), values).public_id),
        _("%(name)s is on the list.", name=values["name"]),
        field="name",
    ):
        return redirect(url_for("membership.organisation", public_id=made[0]), 303)
    return form_page("membership/organisation_new.html", form)


@blueprint.get("/organisations/<public_id>")
@requires(Role.MANAGER)
def organisation(public_id: str) -> ResponseReturnValue:
    return _page(public_id)


@blueprint.post("/organisations/<public_id>")
@requires(Role.MANAGER)
def save_organisation(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    values = forms.read_organisation(form)
    action = _("Saved.")
    if done(form, lambda: service.update_organisation(current_actor(), public_id, values), action, field="name"):
        return _back(public_id)
    return _page(public_id, invoiced=form)


@blueprint.post("/organisations/<public_id>/members")
@requires(Role.MANAGER)
def add_member(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    since, until = form.day("since"), form.maybe("until", day_of)
    text = form.text("person", most=254)
    who = accounts.person_by_email(text.lower()) or next(iter(accounts.search_people(text, 2)), None) if text else None
    if text and who is None:
        form.refuse("person", _("Nobody of that name or address is on the list."))
    elif who is not None and who.email != text.lower() and len(accounts.search_people(text, 2)) > 1:
        form.refuse("person", _("Several people match. Write the whole name or the e-mail address."))
    if who is not None and done(
        form,
        lambda: service.add_member(
            current_actor(), public_id, who.public_id, since=since, until=until, is_contact=form.checked("is_contact")
        ),
        _("%(name)s belongs to it.", name=who.name),
        field="person",
    ):
        return _back(public_id)
    return _page(public_id, member=form)


@blueprint.post("/organisations/<public_id>/members/<int:member_id>/end")
@requires(Role.MANAGER)
def end_member(public_id: str, member_id: int) -> ResponseReturnValue:
    today = spaces.today()
    service.end_member(current_actor(), public_id, member_id, today)
    flash(_("Belongs to it until today. What is booked already stays paid as it was quoted."))
    return _back(public_id)


@blueprint.post("/organisations/<public_id>/agreements")
@requires(Role.MANAGER)
def add_agreement(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    agreement = forms.read_agreement(form)
    if done(
        form,
        lambda: services.add_agreement(
            current_actor(),
            public_id,
            valid_from=agreement.valid_from,
            valid_until=agreement.valid_until,
            weekdays=agreement.weekdays,
            halfdays_per_month=agreement.halfdays_per_month,
            beyond=agreement.beyond,
            halfday_cents=agreement.halfday_cents,
            order_number=agreement.order_number,
            days_per_week=agreement.days_per_week,
            cap_cents=agreement.cap_cents,
            cap_of=agreement.cap_of,
            share_bp=agreement.share_bp,
            pays_rooms=agreement.pays_rooms,
        ),
        _("The agreement applies to what is booked from now on."),
        field="valid_from",
    ):
        return _back(public_id)
    return _page(public_id, agreed=form)


@blueprint.post("/organisations/<public_id>/agreements/<agreement>/end")
@requires(Role.MANAGER)
def end_agreement(public_id: str, agreement: str) -> ResponseReturnValue:
    form = Form(request.form)
    last_day, booked = form.day("last_day"), list[int]()
    if done(
        form,
        lambda: booked.append(services.end_agreement(current_actor(), agreement, last_day)),
        _("The agreement ends on the day you chose."),
        field="last_day",
    ):
        if booked[0]:
            flash(
                ngettext(
                    "%(num)s half-day already booked after it stays paid by the organisation.",
                    "%(num)s half-days already booked after it stay paid by the organisation.",
                    booked[0],
                )
            )
        return _back(public_id)
    return _page(public_id, ended=form)


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("membership.organisation", public_id=public_id), 303)


def _page(
    public_id: str,
    *,
    invoiced: Form | None = None,
    member: Form | None = None,
    agreed: Form | None = None,
    ended: Form | None = None,
) -> ResponseReturnValue:
    """The whole page around whichever form was just sent."""
    found, today = accounts.organisation_by_public_id(public_id), spaces.today()
    return form_page(
        "membership/organisation.html",
        invoiced or member or agreed or ended or Form(),
        organisation=found,
        members=accounts.members_of(found.id),
        agreements=queries.agreements_of(found.id),
        weekdays=weekday_names(),
        today=today,
        taxable=is_taxable(),
        invoiced=invoiced or Form(forms.organisation_fields(found)),
        member=(member or Form()).over({"since": today.isoformat()}),
        agreed=(agreed or Form()).over({"valid_from": today.isoformat(), "beyond": "person", "cap_of": "person"}),
        ended=ended or Form(),
    )
