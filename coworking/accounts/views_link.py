"""Signing in by a link that is sent by e-mail."""

from __future__ import annotations

from flask import render_template, request, session
from flask.typing import ResponseReturnValue

from coworking.accounts import links, rules
from coworking.accounts.pages import blueprint, page, visitor_address, welcome
from coworking.accounts.session import browser
from coworking.core.errors import Gone
from coworking.core.forms import Form
from coworking.core.policy import public


@blueprint.get("/sign-in/link")
@public
def ask_link() -> ResponseReturnValue:
    return page("link", Form(request.args))


@blueprint.post("/sign-in/link")
@public
def send_link() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        links.ask(form["email"], visitor_address())
        session["after_link"] = rules.local_path(form["next"])  # where one was going, if one opens it in this browser
        return page("email_sent", Form(), kind="link", email=form["email"].strip())
    return page("link", form)


@blueprint.get("/sign-in/by-link/<token>")
@public
def by_link(token: str) -> ResponseReturnValue:
    """Only a button: programs that look through mail follow links, and must use none up."""
    try:
        return render_template("accounts/by_link.html", person=links.read(token), token=token)
    except Gone as error:
        return render_template("accounts/link.html", form=Form(), gone=True), error.status


@blueprint.post("/sign-in/by-link/<token>")
@public
def do_by_link(token: str) -> ResponseReturnValue:
    try:
        signed_in = links.sign_in(
            token,
            visitor_address(),
            browser=browser(remember="remember" in request.form),
            signed_up=session.get("signed_up"),
        )
    except Gone as error:
        return render_template("accounts/link.html", form=Form(), gone=True), error.status
    return welcome(signed_in, session.get("after_link"))
