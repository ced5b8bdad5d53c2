"""Personal data in the settings: how long things are kept, the register of processing, and who answers for the site."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core import exports, retention
from coworking.core import legal as legal_settings
from coworking.core.errors import N_
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.frontdesk import keeping_pages, register_pages
from coworking.spaces import queries as spaces

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


@blueprint.get("/register")
@requires(Role.MANAGER)
def register() -> ResponseReturnValue:
    lines = register_pages.lines()
    if wanted := exports.asked():
        return exports.list_answer(wanted, N_("Register of processing"), register_pages.REGISTER, lines)
    return render_template(
        "frontdesk/data_register.html", lines=lines, place=spaces.lieu(), legal=legal_settings.legal_settings()
    )


@blueprint.get("/legal")
@requires(Role.MANAGER)
def legal() -> ResponseReturnValue:
    row = legal_settings.legal_settings()
    return _legal(Form({name: getattr(row, name) or "" for name in legal_settings.NAMES}))


@blueprint.post("/legal")
@requires(Role.MANAGER)
def save_legal() -> ResponseReturnValue:
    form = Form(request.form)
    values = {name: form.optional(name, most=500) for name in legal_settings.NAMES}
    if not form.is_good:
        return _legal(form)
    legal_settings.change(current_actor(), values)
    flash(_("Saved. The public pages say it now."))
    return redirect(url_for("privacy.legal"), 303)


def _legal(form: Form) -> ResponseReturnValue:
    missing = [_(words) for words in legal_settings.missing()]
    return form_page("frontdesk/legal_settings.html", form, form=form, missing=missing)


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
