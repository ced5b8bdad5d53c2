"""Coming in and going out: signing up, in and out, and links from letters."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import refresh

from coworking.accounts import rules, services
from coworking.accounts.forms import sign_up_form
from coworking.accounts.pages import blueprint, home_of, page, visitor_address
from coworking.accounts.session import begin, end
from coworking.core.errors import Gone
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import actor_or_none, public
from coworking.core.reading import one_of


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    actor = actor_or_none()
    if actor is not None:
        return redirect(rules.local_path(request.args.get("next")) or home_of(actor))
    return page("sign_in", Form(request.args))


@blueprint.post("/sign-in")
@public
def do_sign_in() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        person = services.authenticate(form["email"], form["password"], visitor_address())
        begin(person, remember="remember" in form)
        return redirect(rules.local_path(form["next"]) or home_of(person), 303)
    return page("sign_in", form)


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    end()
    return redirect("/", 303)


@blueprint.get("/sign-up")
@public
def sign_up() -> ResponseReturnValue:
    return page("sign_up", Form(request.args), least=rules.MIN_PASSWORD)


@blueprint.post("/sign-up")
@public
def do_sign_up() -> ResponseReturnValue:
    form = sign_up_form(request.form)
    if form.is_good:
        with form.trying():
            services.sign_up(
                first_name=form["first_name"],
                last_name=form["last_name"],
                email=form["email"],
                password=form["password"],
                address=visitor_address(),
            )
            return render_template("accounts/letter_sent.html", kind="sign_up", email=form["email"].strip())
    return page("sign_up", form, least=rules.MIN_PASSWORD)


@blueprint.get("/confirm/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Only a button: programs that look through mail follow links, and must confirm nothing."""
    return render_template("accounts/confirm.html", token=token)


@blueprint.post("/confirm/<token>")
@public
def do_confirm(token: str) -> ResponseReturnValue:
    services.confirm_email(token)
    flash(_("Thank you. Your address is confirmed."))
    actor = actor_or_none()
    return redirect(home_of(actor) if actor else url_for("accounts.sign_in"), 303)


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
        return render_template("accounts/letter_sent.html", kind="reset", email=form["email"].strip())
    return page("forgotten", form)


@blueprint.get("/reset/<token>")
@public
def reset(token: str) -> ResponseReturnValue:
    """The new password's form; behind a link that has run out, the way to another one."""
    try:
        person = services.read_reset(token)
    except Gone as error:
        return render_template("accounts/forgotten.html", form=Form(), gone=True), error.status
    return page("reset", Form(), person=person, least=rules.MIN_PASSWORD)


@blueprint.post("/reset/<token>")
@public
def do_reset(token: str) -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        person = services.reset(token, form["password"], visitor_address())
        begin(person)
        refresh()  # from here on in the person's language
        flash(_("Your password is set, and you are signed in."))
        return redirect(home_of(person), 303)
    return page("reset", form, person=services.read_reset(token), least=rules.MIN_PASSWORD)


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
