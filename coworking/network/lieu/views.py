"""« Réglages → Réseau »: whom the lieu's figures go to, what became of them, and who sees what."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import month_year
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.months import MonthUnreadable, read_month, write_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal
from coworking.network.lieu import joining, queries, services
from coworking.network.lieu.labels import STATE_WORDS, trouble
from coworking.spaces import queries as spaces
from coworking.statistics.labels import LABELS

NO_PAST_MONTHS = "none"

blueprint = Blueprint("network_lieu", __name__, url_prefix="/settings/network")


@blueprint.get("")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/join")
@requires(Role.MANAGER)
def join() -> ResponseReturnValue:
    form = Form(request.form)
    try:
        head = joining.join(current_actor(), form["url"], since=_since(form))
    except DomainError as error:
        form.refuse("url", error)
        return _page(form)
    flash(_("This place now belongs to %(head)s: each closed month is sent there automatically.", head=head.name))
    return redirect(url_for("network_lieu.index"), 303)


@blueprint.post("/by-email")
@requires(Role.MANAGER)
def by_email() -> ResponseReturnValue:
    form = Form(request.form)
    name, email = form.text("name"), form.email("email")
    if not form.is_good:
        return _page(form)
    services.send_by_email(current_actor(), name=name, email=email, since=_since(form))
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


@blueprint.post("/past")
@requires(Role.MANAGER)
def send_past() -> ResponseReturnValue:
    """Send months that were closed before the place joined, from the chosen one on."""
    since = _since(Form(request.form))
    try:
        count = services.send_past(current_actor(), since) if since is not None else 0
    except DomainError as error:
        return refusal(error, index)
    flash(ngettext("%(num)s month is on its way.", "%(num)s months are on their way.", count))
    return redirect(url_for("network_lieu.index"), 303)


@blueprint.get("/who-sees-what")
@requires(Role.MANAGER)
def who_sees_what() -> ResponseReturnValue:
    return render_template(
        "network/lieu/who_sees_what.html", place=spaces.lieu(), head=queries.head_link(), figures=list(LABELS.values())
    )


def _since(form: Form) -> date | None:
    """From which closed month on the head gets them: the first one unless another or none was chosen."""
    months = [row.month for row in queries.never_sent(None)]
    chosen = form["since"]
    if not months or chosen == NO_PAST_MONTHS:
        return None
    try:
        return read_month(chosen) if chosen else months[0]
    except MonthUnreadable as error:
        raise NotFound() from error


def _since_choices(months: list[date]) -> list[tuple[str, str]]:
    """From which of the closed ``months`` on the head may get them, or none, with their words."""
    return [
        *(
            (
                write_month(month),
                ngettext(
                    "%(num)s month, from %(month)s on",
                    "%(num)s months, from %(month)s on",
                    len(months) - at,
                    month=month_year(month),
                ),
            )
            for at, month in enumerate(months)
        ),
        (NO_PAST_MONTHS, _("None: only what is closed from now on")),
    ]


def _page(form: Form) -> ResponseReturnValue:
    head = queries.head_link()
    return form_page(
        "network/lieu/settings.html",
        form,
        place=spaces.lieu(),
        head=head,
        deliveries=queries.deliveries(head) if head is not None else [],
        never_sent=[row.month for row in queries.never_sent(head)],
        closed=[row.month for row in queries.never_sent(None)],
        since_choices=_since_choices,
        state_words=STATE_WORDS,
        trouble=trouble,
    )
