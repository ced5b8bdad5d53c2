"""Accepting an invitation to belong to an organisation: the link of an e-mail."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import invitations, queries, terms_queries
from coworking.accounts.forms import check_accepts, check_names
from coworking.accounts.models import OrganisationInvitation
from coworking.accounts.pages import welcome
from coworking.accounts.session import browser
from coworking.accounts.terms_queries import TextHead
from coworking.core.errors import Gone, SignInRequired
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Actor, actor_or_none, public

blueprint = Blueprint("invited", __name__)


@blueprint.get("/invitation/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """What is asked, and a button: programs that look through mail follow links, and must accept nothing."""
    return _page(token, Form())


@blueprint.post("/invitation/<token>")
@public
def accept(token: str) -> ResponseReturnValue:
    form, actor = Form(request.form), actor_or_none()
    try:
        row = invitations.read(token)
        if actor is None and queries.person_by_email(row.email) is None:
            check_names(form)
        check_accepts(form, _to_accept(row, actor))
        if not form.is_good:
            return _page(token, form)
        with form.trying():
            signed_in = invitations.accept(
                token,
                actor,
                first_name=form["first_name"],
                last_name=form["last_name"],
                shown=form.several("text"),
                browser=browser(remember="remember" in form),
            )
            flash(_("You belong to it now. What it pays is marked on your week."))
            return redirect(url_for("public.home"), 303) if signed_in is None else welcome(signed_in)
    except SignInRequired:
        return redirect(url_for("accounts.sign_in", next=url_for("invited.show", token=token)), 303)
    except Gone:
        return _gone()
    return _page(token, form)


def _page(token: str, form: Form) -> ResponseReturnValue:
    try:
        row = invitations.read(token)
    except Gone:
        return _gone()
    actor = actor_or_none()
    me = queries.person_by_id(actor.person_id) if actor is not None else None
    return form_page(
        "frontdesk/invited.html",
        form,
        invitation=row,
        me=me,
        is_mine=me is not None and me.email == row.email,
        has_account=me is None and queries.person_by_email(row.email) is not None,
        texts=_to_accept(row, actor),
        token=token,
    )


def _to_accept(invitation: OrganisationInvitation, actor: Actor | None) -> list[TextHead]:
    """What is accepted with ``invitation``: all that is in force by who gets an account, what still waits by who has one."""
    person = queries.person_by_email(invitation.email)
    if person is None:
        return terms_queries.heads_in_force() if actor is None else []
    return terms_queries.waiting_for(person.id) if actor is not None and actor.person_id == person.id else []


def _gone() -> ResponseReturnValue:
    return render_template("frontdesk/invited_gone.html"), Gone.status
