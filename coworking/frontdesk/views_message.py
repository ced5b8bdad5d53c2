"""Writing to those who come on a day: choose the day, write, look at who gets it, send once."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.booking import messages
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.policy import Role, current_actor, requires
from coworking.core.types import public_id as new_id
from coworking.frontdesk.pages import blueprint
from coworking.spaces import queries as spaces


@blueprint.get("/today/message")
@requires(Role.HOST)
def message() -> ResponseReturnValue:
    tomorrow = spaces.today() + timedelta(days=1)
    return _page(Form({"day": request.args.get("day") or tomorrow.isoformat()}))


@blueprint.post("/today/message")
@requires(Role.HOST)
def send_message() -> ResponseReturnValue:
    """Show what would be sent and to whom; with the ``key`` of that page, send it."""
    form = Form(request.form)
    day, subject, words = form.day("day"), form.text("subject", most=120), form.lines("words")
    if words is None and "words" not in form.errors:
        form.refuse("words", _("Write what they must know."))
    if form.is_good:
        with form.trying(at="day"):
            messages.check_day(day)
            if not form.raw("key") or form.checked("edit"):
                return _page(form, key=None if form.checked("edit") else new_id())
            sent = messages.send(current_actor(), form.raw("key"), day=day, subject=subject, words=words or "")
            flash(ngettext("Sent to %(num)s person.", "Sent to %(num)s people.", sent.people))
            return redirect(url_for("frontdesk.sent_message", public_id=sent.public_id), 303)
    return _page(form)


@blueprint.get("/today/messages/<public_id>")
@requires(Role.HOST)
def sent_message(public_id: str) -> ResponseReturnValue:
    """What was sent, by whom and when, and who of that day still has to be phoned."""
    sent = messages.sent_message(public_id)
    typed = {"day": sent.day.isoformat(), "subject": sent.subject, "words": sent.words}
    return form_page(
        "frontdesk/message.html", Form(typed), sent=sent, visitors=messages.visitors(sent.day), day=sent.day
    )


def _page(form: Form, *, key: str | None = None) -> ResponseReturnValue:
    """The form; with ``key`` what would be sent, to be looked at first."""
    asked = Form({"day": form["day"]})
    day = asked.day("day")
    found = messages.visitors(day) if asked.is_good else None
    return form_page("frontdesk/message.html", form, key=key, visitors=found, day=day if found else None)
