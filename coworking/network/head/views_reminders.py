"""Writing to every lieu whose return is late: who is written to, and who has to be called."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.i18n import _, ngettext
from coworking.core.months import read_month, write_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal
from coworking.network.head import reminding
from coworking.network.head.overview import last_month, overview
from coworking.network.head.pages import blueprint


@blueprint.get("/reminders")
@requires(Role.LEAD)
def reminders() -> ResponseReturnValue:
    """Whom one press writes to; the others with how to reach them."""
    text = request.args.get("month")
    found = overview(read_month(text) if text else last_month())
    late = found.late
    return render_template(
        "network/head/reminders.html",
        month=found.month,
        late=late,
        to_write=[row for row in late if row.email and not row.reminded_today],
        written=[row for row in late if row.email and row.reminded_today],
        to_call=[row for row in late if not row.email],
    )


@blueprint.post("/reminders")
@requires(Role.LEAD)
def write_reminders() -> ResponseReturnValue:
    month = read_month(request.form.get("month", ""))
    try:
        names = reminding.write_to_late(current_actor(), month, request.form.getlist("lieu"))
    except reminding.NotLateYet as error:
        return refusal(error, reminders)
    if names:
        said = ngettext("An e-mail goes to %(num)s place.", "An e-mail goes to %(num)s places.", len(names))
    else:
        said = _("No e-mail was sent: no place is chosen, or all of them got one today.")
    flash(said)
    return redirect(url_for("network_head.month", month=write_month(month)), 303)
