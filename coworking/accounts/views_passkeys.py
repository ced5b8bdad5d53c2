"""Passkeys: made and removed under « Me connecter », used on the sign-in page."""

from __future__ import annotations

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import labels, passkey_answers, passkeys, queries, rules
from coworking.accounts.forms import passkey_form
from coworking.accounts.pages import blueprint, page, visitor_address, welcome
from coworking.accounts.session import browser, device, halfway_target, require_proof
from coworking.core.errors import Gone
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import current_actor, public, signed_in
from coworking.core.web import say


@blueprint.get("/sign-in/passkey/options")
@public
def passkey_options() -> ResponseReturnValue:
    """What the script of the sign-in page asks the browser with; fetched when the button is pressed."""
    if passkey_answers.site() is None:
        return redirect(url_for("accounts.sign_in"))
    return _unkept(passkeys.options_to_sign_in())


@blueprint.post("/sign-in/passkey")
@public
def sign_in_by_passkey() -> ResponseReturnValue:
    form = Form(request.form)
    target = form["next"] or halfway_target()
    with form.trying():
        try:
            arrived = passkeys.sign_in(form["answer"], visitor_address(), browser=browser(remember="remember" in form))
        except Gone:
            raise rules.PasskeyLate() from None
        return welcome(arrived, target)
    form.typed = {"next": rules.local_path(target) or ""}
    return page("sign_in", form, passkeys_possible=passkey_answers.site() is not None)


@blueprint.get("/me/passkeys/new")
@signed_in
def new_passkey() -> ResponseReturnValue:
    require_proof()
    if queries.person_by_id(current_actor().person_id).email_confirmed_at is None:
        flash(say(rules.AddressUnconfirmed()), "error")
        return redirect(url_for("accounts.me"), 303)
    present = device()
    return _new(Form({"name": labels.device_words(present.name)} if present is not None else {}))


@blueprint.get("/me/passkeys/options")
@signed_in
def new_passkey_options() -> ResponseReturnValue:
    require_proof()
    return _unkept(passkeys.options_to_add(current_actor()))


@blueprint.post("/me/passkeys")
@signed_in
def add_passkey() -> ResponseReturnValue:
    require_proof()
    form = passkey_form(request.form)
    if form.is_good:
        with form.trying():
            try:
                passkeys.add(current_actor(), device(), answer=form["answer"], name=form["name"])
            except Gone:
                raise rules.PasskeyLate() from None
            flash(_("The passkey is kept. Next time, one touch signs you in."))
            return redirect(url_for("accounts.security"), 303)
    return _new(form)


@blueprint.post("/me/passkeys/<public_id>/remove")
@signed_in
def remove_passkey(public_id: str) -> ResponseReturnValue:
    require_proof()
    try:
        passkeys.remove(current_actor(), device(), public_id)
    except rules.SecondStepRequired:
        flash(_("The team signs in with a second step here: set up another before you remove this passkey."), "error")
        return redirect(url_for("accounts.security"), 303)
    flash(_("The passkey is removed. Delete it on your device too: it opens nothing here any more."))
    return redirect(url_for("accounts.security"), 303)


@blueprint.get("/me/proof/passkey-options")
@signed_in
def proof_options() -> ResponseReturnValue:
    return _unkept(passkeys.options_to_prove(current_actor()))


def _new(form: Form) -> ResponseReturnValue:
    return page("passkey_new", form, possible=passkey_answers.site() is not None)


def _unkept(options: dict[str, object]) -> ResponseReturnValue:
    response = jsonify(options)
    response.headers["Cache-Control"] = "no-store"
    return response
