"""A problem on a desk, room or office: anyone reports it, the team marks it as resolved."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from coworking.booking import problems
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.types import to_micros
from coworking.frontdesk.pages import blueprint, to_today
from coworking.frontdesk.settled import read_instant
from coworking.spaces import pages as spaces_pages
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, Resource


@blueprint.get("/places/<public_id>/problem")
@signed_in
def problem(public_id: str) -> ResponseReturnValue:
    """Say what is wrong. Members see what they reported there themselves, the team what everyone did."""
    return _sheet(public_id, Form())


@blueprint.post("/places/<public_id>/problem")
@signed_in
def report_problem(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    words = form.lines("words", most=problems.MOST_CHARACTERS)
    if words is None and form.is_good:
        form.refuse("words", _("Say what is wrong."))
    if form.is_good:
        with form.trying(at="words"):
            problems.report(current_actor(), public_id, words or "")
            flash(_("Thank you. The host sees it now."))
            return redirect(_leave(spaces.resource_by_public_id(public_id).kind), 303)
    return _sheet(public_id, form)


@blueprint.post("/places/<public_id>/problem/resolve")
@requires(Role.HOST)
def resolve_problem(public_id: str) -> ResponseReturnValue:
    """The reports that are ticked, or the only one there is, are resolved."""
    form = Form(request.form)
    chosen, word = form.several("report"), form.optional("resolution", most=200)
    if not chosen:
        form.refuse("report", _("Choose what is resolved."))
    if not form.is_good:
        return _sheet(public_id, form)
    done = problems.resolve(current_actor(), public_id, chosen, word)
    undo = url_for("frontdesk.reopen_problem", public_id=public_id, at=to_micros(done)) if done else None
    flash(_("Marked as resolved.") if done else _("It was resolved already."), f"undo:{undo}" if undo else "message")
    return to_today()


@blueprint.post("/places/<public_id>/problem/resolved/<int:at>/undo")
@requires(Role.HOST)
def reopen_problem(public_id: str, at: int) -> ResponseReturnValue:
    """Undo a wrong tap: the problem is open again."""
    undone = problems.reopen(current_actor(), public_id, read_instant(at))
    flash(_("Marked as open again.") if undone else _("There was nothing to undo."))
    return to_today()


def _sheet(public_id: str, form: Form) -> Response:
    actor, place = current_actor(), spaces.resource_by_public_id(public_id)
    return form_page(
        "frontdesk/problem.html",
        form,
        resource=place,
        most=problems.MOST_CHARACTERS,
        is_staff=actor.is_staff,
        is_manager=actor.has(Role.MANAGER),
        reports=problems.open_reports(place, person_id=None if actor.is_staff else actor.person_id or 0),
        resolved=problems.resolved_reports(place) if actor.is_staff else [],
        close=_leave(place.kind),
    )


def _leave(kind: str) -> str:
    """Where one was: the team at Today, a member at the week or the rooms."""
    if current_actor().is_staff:
        return url_for("frontdesk.today")
    return url_for("week.show" if kind == DESK else "booking.rooms")


def _on_its_page(place: Resource) -> Markup:
    """The open reports of ``place``, on its page in the settings."""
    return Markup(  # noqa: S704 - a template of ours, escaped by Jinja
        render_template("frontdesk/_problems.html", resource=place, reports=problems.open_reports(place))
    )


spaces_pages.beside.append(_on_its_page)
