"""The second step: asked when one signs in, set up and turned off by oneself, wanted of the team by managers."""

from __future__ import annotations

import segno
from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import factors, passkey_answers, rules, second_step, staff_access
from coworking.accounts.pages import blueprint, home_of, page, welcome
from coworking.accounts.session import (
    browser,
    device,
    halfway,
    halfway_target,
    must_show_second_step,
    prove_code,
    require_proof,
)
from coworking.core.clock import now
from coworking.core.errors import Gone
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import Role, actor_or_none, current_actor, public, requires, signed_in
from coworking.core.web import say


@blueprint.get("/second-step")
@public
def second_step_asked() -> ResponseReturnValue:
    """Between the password and the place: or, for somebody of the team who is in by a password alone, before going on."""
    return _asked(Form(request.args))


@blueprint.post("/second-step")
@public
def do_second_step() -> ResponseReturnValue:
    form, arriving, actor = Form(request.form), halfway(), actor_or_none()
    if arriving is None and actor is None:
        flash(_("That took too long. Please sign in again."), "error")
        return redirect(url_for("accounts.sign_in", next=rules.local_path(form["next"])), 303)
    with form.trying():
        if arriving is None:
            prove_code(code=form["code"], recovery=form["recovery"])
            return redirect(rules.local_path(form["next"]) or home_of(current_actor()), 303)
        target = halfway_target()
        try:
            come_in = second_step.finish(
                arriving,
                code=form["code"],
                recovery=form["recovery"],
                browser=browser(remember=arriving.remember),
            )
        except Gone:
            return redirect(url_for("accounts.sign_in", next=target), 303)
        return welcome(come_in, target)
    return _asked(form)


@blueprint.post("/me/second-step/begin")
@signed_in
def begin_second_step() -> ResponseReturnValue:
    require_proof()
    try:
        second_step.begin(current_actor())
    except rules.AddressUnconfirmed as error:
        flash(say(error), "error")
        return redirect(url_for("accounts.me"), 303)
    except rules.SecondStepOn:
        return redirect(url_for("accounts.security"), 303)
    return redirect(url_for("accounts.second_step_setup"), 303)


@blueprint.get("/me/second-step")
@signed_in
def second_step_setup() -> ResponseReturnValue:
    require_proof()
    return _setup(Form())


@blueprint.post("/me/second-step")
@signed_in
def confirm_second_step() -> ResponseReturnValue:
    require_proof()
    form = Form(request.form)
    with form.trying():
        try:
            codes = second_step.confirm(current_actor(), device(), form["code"])
        except Gone:
            return redirect(url_for("accounts.security"), 303)
        return _codes(codes, begun=True)
    return _setup(form)


@blueprint.post("/me/second-step/off")
@signed_in
def turn_second_step_off() -> ResponseReturnValue:
    require_proof()
    try:
        second_step.turn_off(current_actor(), device())
    except rules.SecondStepRequired:
        flash(_("The team signs in with a second step here: yours stays on."), "error")
        return redirect(url_for("accounts.security"), 303)
    flash(_("The second step is off."))
    return redirect(url_for("accounts.security"), 303)


@blueprint.post("/me/recovery-codes")
@signed_in
def renew_recovery_codes() -> ResponseReturnValue:
    require_proof()
    try:
        return _codes(second_step.renew_codes(current_actor(), device()), begun=False)
    except Gone:
        return redirect(url_for("accounts.security"), 303)


@blueprint.post("/people/<public_id>/second-step/reset")
@requires(Role.MANAGER)
def reset_second_step(public_id: str) -> ResponseReturnValue:
    require_proof()
    second_step.reset(current_actor(), public_id)
    flash(_("The second step is taken away. An e-mail says so, and they are signed out everywhere."))
    return redirect(url_for("accounts.person", public_id=public_id), 303)


@blueprint.get("/people/second-step")
@requires(Role.MANAGER)
def team_second_step() -> ResponseReturnValue:
    return _team(Form())


@blueprint.post("/people/second-step")
@requires(Role.MANAGER)
def save_team_second_step() -> ResponseReturnValue:
    require_proof()
    form = Form(request.form)
    with form.trying():
        if "off" in form:
            staff_access.ask_nobody(current_actor())
            flash(_("The team signs in as it likes."))
        else:
            starts = staff_access.ask_team(current_actor(), days=form.choice("days", tuple(staff_access.TERMS)))
            flash(
                _("From now on the team signs in with a second step.")
                if starts <= now()
                else _("The team is told by e-mail, and has until then.")
            )
        return redirect(url_for("accounts.team_second_step"), 303)
    return _team(form)


def _asked(form: Form) -> ResponseReturnValue:
    arriving, actor = halfway(), actor_or_none()
    if arriving is None and actor is None:
        return redirect(url_for("accounts.sign_in", next=rules.local_path(form["next"])))
    if arriving is None and not must_show_second_step():
        return redirect(rules.local_path(form["next"]) or home_of(current_actor()))
    possible = passkey_answers.site() is not None
    have = second_step.of_arriving(arriving) if arriving is not None else factors.of(current_actor().person_id)
    if arriving is None and not have.any:
        return page("second_step_first", form, passkeys_possible=possible)
    return page("second_step", form, factors=have, arriving=arriving is not None, passkeys_possible=possible)


def _setup(form: Form) -> ResponseReturnValue:
    setup = second_step.waiting(current_actor())
    if setup is None:
        return redirect(url_for("accounts.security"), 303)
    code = segno.make(setup.address, error="m", micro=False).svg_data_uri(border=4, light="#fff")
    return _unkept(page("second_step_setup", form, setup=setup, code=code))


def _codes(codes: list[str], *, begun: bool) -> ResponseReturnValue:
    """On this page only: a redirect would have to keep them."""
    home = home_of(current_actor())
    return _unkept(render_template("accounts/recovery_codes.html", codes=codes, begun=begun, home=home))


def _unkept(answer: ResponseReturnValue) -> ResponseReturnValue:
    response = make_response(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def _team(form: Form) -> ResponseReturnValue:
    return page(
        "team_second_step",
        form,
        team=staff_access.team(),
        starts=staff_access.starts(),
        is_due=factors.is_due(staff_access.starts()),
        mine=factors.of(current_actor().person_id).any,
        terms=[(days, _(words)) for days, words in staff_access.TERMS.items()],
    )
