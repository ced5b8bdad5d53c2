"""« À imprimer »: what e-mails would tell people who have no address, to be handed over."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import papers
from coworking.accounts.queries import person_by_public_id
from coworking.core.i18n import _, ngettext
from coworking.core.policy import Role, current_actor, requires
from coworking.frontdesk.pages import blueprint


@blueprint.get("/to-print")
@requires(Role.HOST)
def to_print() -> ResponseReturnValue:
    """What waits, by person, and what was handed over lately."""
    actor = current_actor()
    person = person_by_public_id(request.args["person"]) if request.args.get("person") else None
    return render_template(
        "frontdesk/to_print.html",
        waiting=papers.waiting(actor, person.id if person is not None else None),
        handed=papers.handed_lately(actor) if person is None else [],
        person=person,
    )


@blueprint.get("/to-print/all")
@requires(Role.HOST)
def print_all() -> ResponseReturnValue:
    """Everything that waits, each on a page of its own."""
    person = person_by_public_id(request.args["person"]) if request.args.get("person") else None
    rows = papers.waiting(current_actor(), person.id if person is not None else None)
    return render_template("frontdesk/paper.html", papers=rows)


@blueprint.get("/to-print/<public_id>")
@requires(Role.HOST)
def paper(public_id: str) -> ResponseReturnValue:
    """One message, as it is handed over."""
    return render_template("frontdesk/paper.html", papers=[papers.one(current_actor(), public_id)])


@blueprint.post("/to-print/handed")
@requires(Role.HOST)
def hand_over() -> ResponseReturnValue:
    """These messages were handed over: one, or all that a page showed."""
    rows = papers.hand_over(current_actor(), request.form.getlist("paper"))
    undo = url_for("frontdesk.take_back", public_id=rows[0].public_id)
    words = ngettext("%(num)s message is handed over.", "%(num)s messages are handed over.", len(rows))
    flash(words, "undo:" + undo if len(rows) == 1 else "message")
    return redirect(url_for("frontdesk.to_print"), 303)


@blueprint.post("/to-print/<public_id>/undo")
@requires(Role.HOST)
def take_back(public_id: str) -> ResponseReturnValue:
    papers.take_back(current_actor(), public_id)
    flash(_("It waits to be handed over again."))
    return redirect(url_for("frontdesk.to_print"), 303)
