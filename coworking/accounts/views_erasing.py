"""Erasing an account: what goes, what stays, what must be done first; then for good."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import erasing, queries
from coworking.accounts.models import Person
from coworking.accounts.pages import blueprint, page, unmerged_person
from coworking.accounts.session import end, require_proof
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires, signed_in


class NotUnderstood(DomainError):
    """The box that says so is not ticked."""

    code = "not_understood"
    message = N_("Tick the box: nobody can bring it back.")
    field = "understood"


@blueprint.get("/me/erase")
@signed_in
def ask_erase() -> ResponseReturnValue:
    require_proof()
    return _page(queries.person_by_id(current_actor().person_id))


@blueprint.post("/me/erase")
@signed_in
def erase() -> ResponseReturnValue:
    require_proof()
    return _erase(queries.person_by_id(current_actor().person_id))


@blueprint.get("/people/<public_id>/erase")
@requires(Role.MANAGER)
def ask_erase_of(public_id: str) -> ResponseReturnValue:
    require_proof()
    return _page(_known(public_id))


@blueprint.post("/people/<public_id>/erase")
@requires(Role.MANAGER)
def erase_of(public_id: str) -> ResponseReturnValue:
    require_proof()
    return _erase(_known(public_id))


def _known(public_id: str) -> Person:
    found = unmerged_person(public_id)
    if found.erased_at is not None:
        raise NotFound()
    return found


def _erase(person: Person) -> ResponseReturnValue:
    actor, form = current_actor(), Form(request.form)
    is_oneself = person.id == actor.person_id
    with form.trying():
        if "understood" not in form:
            raise NotUnderstood()
        erasing.erase(actor, person.public_id)
        if is_oneself:
            end()  # first: it forgets what was to be said
            flash(_("Your account is erased."))
            return redirect("/", 303)
        flash(_("The account is erased."))
        return redirect(url_for("accounts.people"), 303)
    return _page(queries.person_by_public_id(person.public_id), form)


def _page(person: Person, form: Form | None = None) -> ResponseReturnValue:
    return page(
        "erase",
        form or Form(),
        form=form or Form(),
        person=person,
        first=erasing.to_do_first(person.id),
        lost=erasing.to_be_lost(person.id),
        is_oneself=person.id == current_actor().person_id,
    )
