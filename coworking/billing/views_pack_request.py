"""Asking for the rest of one's own pack to be given back, on a sheet that says what it comes to now; a manager's no."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import pack_refunds, pack_requests, rules
from coworking.billing.pages import blueprint
from coworking.core.errors import DomainError
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.web import say
from coworking.membership import pack_request_queries


@blueprint.get("/packs/<public_id>/ask-back")
@signed_in
def ask_for_rest(public_id: str) -> ResponseReturnValue:
    return _sheet(public_id, Form())


@blueprint.post("/packs/<public_id>/ask-back")
@signed_in
def send_request(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        pack_requests.ask(current_actor(), public_id, form.raw("reason"))
    if not form.is_good:
        return _sheet(public_id, form)
    flash(_("The team has your request. You get an e-mail with their answer."))
    return redirect(_mine(), 303)


@blueprint.post("/packs/<public_id>/ask-back/take-back")
@signed_in
def take_request_back(public_id: str) -> ResponseReturnValue:
    try:
        pack_requests.take_back(current_actor(), public_id)
    except DomainError as error:
        if error.status != 409:
            raise
        flash(say(error))
    else:
        flash(_("Your request is taken back. You keep what is left of the pack."))
    return redirect(_mine(), 303)


@blueprint.get("/pack-requests/<public_id>/decline")
@requires(Role.MANAGER)
def ask_decline(public_id: str) -> ResponseReturnValue:
    return _declining(public_id, Form())


@blueprint.post("/pack-requests/<public_id>/decline")
@requires(Role.MANAGER)
def decline_request(public_id: str) -> ResponseReturnValue:
    form, person = Form(request.form), pack_request_queries.request_by_public_id(public_id).pack.person
    back = url_for("membership.person", public_id=person.public_id) + "#packs"
    with form.trying(at="reason"):
        pack_requests.decline(current_actor(), public_id, form.raw("reason"))
        flash(_("The request is declined. %(name)s reads your reason in an e-mail.", name=person.name))
        return redirect(back, 303)
    return _declining(public_id, form)


def _sheet(public_id: str, form: Form) -> ResponseReturnValue:
    pack, found = pack_requests.own_pack(current_actor(), public_id), None
    try:
        pack_requests.check_open(pack)
        found = pack_refunds.look(public_id)
    except DomainError as refused:
        if form.is_good:
            return render_template("billing/pack_ask.html", pack=pack, found=None, form=form, refused=say(refused))
    return form_page("billing/pack_ask.html", form, pack=pack, found=found, refused=None, most=rules.MAX_REASON)


def _declining(public_id: str, form: Form) -> ResponseReturnValue:
    asked = pack_request_queries.request_by_public_id(public_id)
    return form_page("billing/pack_decline.html", form, asked=asked, pack=asked.pack, most=rules.MAX_REASON)


def _mine() -> str:
    return url_for("membership.mine") + "#packs"
