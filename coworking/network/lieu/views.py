"""« Réglages → Réseau »: whom the lieu's figures go to, what became of them, and who sees what."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError, NotFound
from coworking.core.i18n import _
from coworking.core.months import MonthUnreadable, read_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal, say
from coworking.network.lieu import joining, queries, services
from coworking.network.lieu.labels import STATE_WORDS, trouble
from coworking.spaces import queries as spaces
from coworking.spaces.inputs import Reader
from coworking.statistics.labels import LABELS

blueprint = Blueprint("network_lieu", __name__, url_prefix="/settings/network")


@blueprint.get("")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    return _page({}, {})


@blueprint.post("/join")
@requires(Role.MANAGER)
def join() -> ResponseReturnValue:
    try:
        head = joining.join(current_actor(), request.form.get("url", ""))
    except DomainError as error:
        return _page(request.form, {"url": say(error)}), 422
    flash(_("This place now belongs to %(head)s: each closed month goes there by itself.", head=head.name))
    return redirect(url_for("network_lieu.index"), 303)


@blueprint.post("/letter")
@requires(Role.MANAGER)
def letter() -> ResponseReturnValue:
    reader = Reader(request.form)
    name, email = reader.text("name"), reader.email("email")
    if reader.errors or email is None:
        return _page(request.form, reader.errors or {"email": _("Fill this in.")}), 422
    services.send_by_letter(current_actor(), name=name, email=email)
    flash(_("Each closed month will be sent to %(email)s.", email=email))
    return redirect(url_for("network_lieu.index"), 303)


@blueprint.post("/leave")
@requires(Role.MANAGER)
def leave() -> ResponseReturnValue:
    services.leave(current_actor())
    flash(_("Nothing is sent any more. What was sent stays with the network head."))
    return redirect(url_for("network_lieu.index"), 303)


@blueprint.post("/send")
@requires(Role.MANAGER)
def send() -> ResponseReturnValue:
    try:
        month = read_month(request.form.get("month", ""))
    except MonthUnreadable as error:
        raise NotFound() from error
    try:
        services.send_again(current_actor(), month)
    except DomainError as error:
        return refusal(error, index)
    flash(_("The figures are on their way."))
    return redirect(url_for("network_lieu.index"), 303)


@blueprint.get("/who-sees-what")
@requires(Role.MANAGER)
def who_sees_what() -> ResponseReturnValue:
    return render_template(
        "network/lieu/who_sees_what.html", place=spaces.lieu(), head=queries.head_link(), figures=list(LABELS.values())
    )


def _page(typed: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "network/lieu/settings.html",
        place=spaces.lieu(),
        head=queries.head_link(),
        deliveries=queries.deliveries(),
        typed=typed,
        errors=errors,
        state_words=STATE_WORDS,
        trouble=trouble,
    )
