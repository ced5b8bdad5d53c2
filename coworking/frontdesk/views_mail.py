"""The manager's page about e-mails: who they come from, and a test that says what the mail server answers."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.queries import person_by_id
from coworking.core import mail, sender
from coworking.core.errors import DomainError
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, language
from coworking.core.policy import Role, current_actor, requires
from coworking.core.settings import settings
from coworking.core.web import refusal
from coworking.frontdesk import questions
from coworking.spaces import queries as spaces

blueprint = Blueprint("mail", __name__, url_prefix="/settings/mail")

NAMES = ("from_name", "from_address", "reply_to")


@blueprint.get("")
@requires(Role.MANAGER)
def edit() -> ResponseReturnValue:
    row = sender.mail_settings()
    return _page(Form({name: getattr(row, name) or "" for name in NAMES}))


@blueprint.post("")
@requires(Role.MANAGER)
def save() -> ResponseReturnValue:
    form = Form(request.form)
    values = questions.read_sender(form)
    if not form.is_good:
        return _page(form)
    sender.change(current_actor(), **values)
    flash(_("Saved. Send yourself a test e-mail to see that it arrives."))
    return redirect(url_for("mail.edit"), 303)


@blueprint.post("/try")
@requires(Role.MANAGER)
def try_out() -> ResponseReturnValue:
    """A test e-mail to the manager who asks."""
    address = person_by_id(current_actor().person_id).email or ""
    try:
        sender.begin_trial()
    except DomainError as error:
        return refusal(error, edit)
    well, answer = mail.try_out(to=address, locale=language(), place=spaces.lieu().name)
    sender.end_trial(well=well, answer=answer)
    return redirect(url_for("mail.edit"), 303)


def _page(form: Form) -> ResponseReturnValue:
    return form_page(
        "frontdesk/mail.html",
        form,
        row=sender.mail_settings(),
        default=sender.default_address(),
        has_server=settings().smtp_url is not None,
    )
