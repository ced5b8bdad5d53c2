"""« Données personnelles » in the settings: how long things are kept, and what goes next."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core import retention
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.frontdesk import keeping_pages

blueprint = Blueprint("privacy", __name__, url_prefix="/settings/privacy")


@blueprint.get("/kept")
@requires(Role.MANAGER)
def kept() -> ResponseReturnValue:
    return _page(None)


@blueprint.post("/kept")
@requires(Role.MANAGER)
def keep() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        retention.choose(current_actor(), keeping_pages.read_choices(form))
        flash(_("Saved. What is older goes within a day."))
        return redirect(url_for("privacy.kept"), 303)
    return _page(form)


def _page(form: Form | None) -> ResponseReturnValue:
    lines = keeping_pages.lines()
    return form_page(
        "frontdesk/kept.html",
        form or Form(),
        form=form or Form({line.kind: str(line.days) for line in lines if line.choices}),
        chosen=[line for line in lines if line.choices],
        fixed=[line for line in lines if not line.choices],
        stays=keeping_pages.stays(),
    )
