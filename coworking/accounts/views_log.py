"""The security log, for managers: sign-ins, refusals, and changes of roles, passwords and tokens."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from coworking.accounts import queries
from coworking.accounts.list_pages import event_columns
from coworking.accounts.pages import blueprint
from coworking.accounts.session import require_proof
from coworking.core import exports, security
from coworking.core.errors import N_
from coworking.core.i18n import _
from coworking.core.policy import Role, requires

KINDS = {
    security.SIGNED_IN: N_("Signed in"),
    security.SIGN_IN_FAILED: N_("Wrong password"),
    security.SIGNED_OUT: N_("Signed out"),
    security.WAIT: N_("Too many attempts: has to wait"),
    security.REFUSED: N_("Refused: the role does not allow it"),
    security.TOKEN_MADE: N_("API token made"),
    security.TOKEN_ENDED: N_("API token ended"),
    security.PASSWORD_SET: N_("New password set"),
    security.RESET_ASKED: N_("Asked for a new password"),
    security.LINK_ASKED: N_("Asked for a link to sign in"),
    security.SECOND_STEP_ON: N_("Second step turned on"),
    security.SECOND_STEP_OFF: N_("Second step turned off"),
    security.SECOND_STEP_RESET: N_("Second step taken away by the team"),
    security.SECOND_STEP_FAILED: N_("Wrong code of the second step"),
    security.CODES_RENEWED: N_("New recovery codes"),
    security.CODE_USED: N_("Recovery code used"),
    security.PASSKEY_ADDED: N_("Passkey added"),
    security.PASSKEY_REMOVED: N_("Passkey removed"),
    security.PASSKEY_REFUSED: N_("Passkey refused"),
    security.TEAM_SECOND_STEP: N_("Changed whether the team needs a second step"),
    security.ROLES_CHANGED: N_("Roles changed"),
    security.EMAIL_CHANGE_ASKED: N_("Change of address asked for"),
    security.EMAIL_CHANGED: N_("Address changed"),
    security.EMAIL_CHANGE_STOPPED: N_("Change of address stopped by the old address"),
    security.ACCOUNT_CLOSED: N_("Account closed"),
    security.ACCOUNT_ERASED: N_("Account erased"),
    security.DATA_COPIED: N_("Copy of personal data made"),
}


@blueprint.get("/security-log")
@requires(Role.MANAGER)
def security_log() -> ResponseReturnValue:
    given = request.args.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    kind = request.args.get("kind", "")
    if wanted := exports.asked():
        require_proof()
        events = security.every(kind if kind in KINDS else None)
        ids = {
            person_id for event in events for person_id in (event.person_id, event.actor_id) if person_id is not None
        }
        return exports.list_answer(wanted, N_("Security log"), event_columns(KINDS, queries.names_of(ids)), events)
    found = security.page(before, kind if kind in KINDS else None)
    ids = {event.person_id for event in found.events} | {event.actor_id for event in found.events}
    return render_template(
        "accounts/security_log.html",
        found=found,
        kind=kind if kind in KINDS else "",
        kinds=[("", _("All events")), *((name, _(words)) for name, words in KINDS.items())],
        words={name: _(words) for name, words in KINDS.items()},
        names=queries.names_of(person_id for person_id in ids if person_id is not None),
    )
