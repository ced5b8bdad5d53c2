"""Signing up, in and out, and the links of e-mails."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import email_changes, passkey_answers, password_rules, rules, services, terms_queries, tokens
from coworking.accounts.devices import Halfway
from coworking.accounts.forms import check_accepts, sign_up_form
from coworking.accounts.pages import blueprint, home_of, page, visitor_address, welcome
from coworking.accounts.session import browser, end, known_as
from coworking.core.errors import Gone
from coworking.core.forms import Form
from coworking.core.i18n import _, choose_again
from coworking.core.policy import actor_or_none, public
from coworking.core.reading import normal_email, one_of


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    actor = actor_or_none()
    if actor is not None:
        return redirect(rules.local_path(request.args.get("next")) or home_of(actor))
    return page("sign_in", Form(request.args), passkeys_possible=passkey_answers.site() is not None)


@blueprint.post("/sign-in")
@public
def do_sign_in() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        signed_in = services.authenticate(
            form["email"],
            form["password"],
            visitor_address(),
            browser=browser(remember="remember" in form),
            known=known_as(normal_email(form["email"])),
        )
        return welcome(signed_in, form["next"])
    return page("sign_in", form, passkeys_possible=passkey_answers.site() is not None)


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    end()
    return redirect("/", 303)


@blueprint.get("/sign-up")
@public
def sign_up() -> ResponseReturnValue:
    return _sign_up(Form(request.args))


@blueprint.post("/sign-up")
@public
def do_sign_up() -> ResponseReturnValue:
    form = sign_up_form(request.form)
    check_accepts(form, terms_queries.heads_in_force())
    if form.is_good:
        with form.trying():
            mark = services.sign_up(
                first_name=form["first_name"],
                last_name=form["last_name"],
                email=form["email"],
                password=form["password"],
                address=visitor_address(),
                shown=form.several("text"),
            )
            session["signed_up"] = mark
            return page("email_sent", Form(), kind="sign_up", email=form["email"].strip())
    return _sign_up(form)


def _sign_up(form: Form) -> ResponseReturnValue:
    return page("sign_up", form, least=password_rules.MIN_PASSWORD, texts=terms_queries.heads_in_force())


@blueprint.post("/sign-up/go-on")
@public
def go_on() -> ResponseReturnValue:
    """The address was confirmed, on a phone perhaps: this browser, where the account was made, is signed in."""
    form = Form(request.form)
    with form.trying():
        return welcome(services.go_on(form["email"], signed_up=session.get("signed_up"), browser=browser()))
    return page("email_sent", form, kind="sign_up", email=form["email"].strip())


@blueprint.get("/confirm/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Only a button: programs that look through mail follow links, and must confirm nothing."""
    return render_template("accounts/confirm.html", token=token)


@blueprint.post("/confirm/<token>")
@public
def do_confirm(token: str) -> ResponseReturnValue:
    actor = actor_or_none()
    signed_in = services.confirm_email(token, signed_up=session.get("signed_up"), browser=browser())
    answer = redirect(home_of(actor) if actor else url_for("accounts.sign_in"), 303)
    if signed_in is not None and actor is None:
        answer = welcome(signed_in)
    flash(_("Thank you. Your address is confirmed."))
    return answer


@blueprint.get("/confirm-address/<token>")
@public
def confirm_address(token: str) -> ResponseReturnValue:
    """Only a button, as for `confirm`."""
    return render_template("accounts/address.html", change=email_changes.read(token, tokens.ADDRESS), keep=False)


@blueprint.post("/confirm-address/<token>")
@public
def do_confirm_address(token: str) -> ResponseReturnValue:
    email_changes.confirm(token)
    flash(_("Thank you. Your account now uses this address."))
    actor = actor_or_none()
    return redirect(url_for("accounts.security" if actor else "accounts.sign_in"), 303)


@blueprint.get("/keep-address/<token>")
@public
def keep_address(token: str) -> ResponseReturnValue:
    """Where the old address objects to a change."""
    return render_template("accounts/address.html", change=email_changes.read(token, tokens.OBJECT), keep=True)


@blueprint.post("/keep-address/<token>")
@public
def do_keep_address(token: str) -> ResponseReturnValue:
    if email_changes.stop(token):
        flash(
            _("Your address is back, and everyone is signed out. A link to choose a new password is on its way to it.")
        )
    else:
        flash(_("Your address stays as it was."))
    return redirect(url_for("accounts.sign_in"), 303)


@blueprint.get("/forgotten")
@public
def forgotten() -> ResponseReturnValue:
    return page("forgotten", Form(request.args))


@blueprint.post("/forgotten")
@public
def do_forgotten() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        services.request_reset(form["email"], visitor_address())
        return page("email_sent", Form(), kind="reset", email=form["email"].strip())
    return page("forgotten", form)


@blueprint.get("/reset/<token>")
@public
def reset(token: str) -> ResponseReturnValue:
    """The new password's form; behind a link that has run out, the way to another one."""
    try:
        person = services.read_reset(token)
    except Gone as error:
        return render_template("accounts/forgotten.html", form=Form(), gone=True), error.status
    return page("reset", Form(), person=person, least=password_rules.MIN_PASSWORD)


@blueprint.post("/reset/<token>")
@public
def do_reset(token: str) -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        signed_in = services.reset(token, form["password"], visitor_address(), browser=browser())
        answer = welcome(signed_in)
        choose_again()  # from here on in the person's language
        flash(
            _("Your password is set.")
            if isinstance(signed_in, Halfway)
            else _("Your password is set, and you are signed in.")
        )
        return answer
    return page("reset", form, person=services.read_reset(token), least=password_rules.MIN_PASSWORD)


@blueprint.post("/language")
@public
def set_language() -> ResponseReturnValue:
    """Kept with the person who is signed in, in this browser for a visitor."""
    locale = one_of(rules.LOCALES, request.form.get("locale", ""))
    actor = actor_or_none()
    if actor is not None:
        services.set_language(actor, locale)
    session["language"] = locale
    return redirect(rules.local_path(request.form.get("next")) or "/", 303)
