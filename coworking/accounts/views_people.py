"""People, for staff: finding, adding, changing, inviting; roles for managers."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import email_changes, factors, queries, rules, staff
from coworking.accounts.forms import newcomer_form, person_form, postal_form, postal_form_of
from coworking.accounts.labels import status_choices
from coworking.accounts.list_pages import people_columns
from coworking.accounts.models import Person
from coworking.accounts.pages import blueprint, page, unmerged_person
from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.displaced import Toll, WouldDisplace, toll_of
from coworking.core.errors import N_, Forbidden
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import one_of


@blueprint.get("/people")
@requires(Role.HOST)
def people() -> ResponseReturnValue:
    text, closed = request.args.get("q", "")[:200].replace("\x00", ""), "closed" in request.args
    is_manager = current_actor().has(Role.MANAGER)
    if kind := exports.asked():
        require_proof()
        rows = queries.every_person(text, closed=closed)
        return exports.list_answer(kind, N_("People"), people_columns(is_manager=is_manager), rows)
    number = request.args.get("page", 1, type=int)
    found = queries.list_people(text, min(number, 1_000_000), closed=closed)

    def url(wanted: int) -> str:
        return url_for("accounts.people", q=text or None, closed=1 if closed else None, page=wanted)

    return render_template("accounts/people.html", found=found, q=text, closed=closed, url=url, is_manager=is_manager)


@blueprint.get("/people/new")
@requires(Role.HOST)
def new_person() -> ResponseReturnValue:
    return page("person_new", Form(request.args))


@blueprint.post("/people/new")
@requires(Role.HOST)
def create_person() -> ResponseReturnValue:
    form = newcomer_form(request.form)
    if form.is_good:
        with form.trying():
            person = staff.create_person(
                current_actor(),
                first_name=form["first_name"],
                last_name=form["last_name"],
                email=form["email"],
                phone=form["phone"],
                postal=(form["address"], form["postcode"], form["city"]),
                invite="invite" in form,
            )
            flash(_("%(name)s is on the list.", name=person.name))
            return redirect(url_for("accounts.person", public_id=person.public_id), 303)
    return page("person_new", form)


@blueprint.get("/people/<public_id>")
@requires(Role.HOST)
def person(public_id: str) -> ResponseReturnValue:
    found = unmerged_person(public_id)
    return _page(found, _form_of(found))


@blueprint.post("/people/<public_id>")
@requires(Role.HOST)
def save_person(public_id: str) -> ResponseReturnValue:
    form = person_form(request.form)
    if form.is_good:
        with form.trying():
            staff.update_person(
                current_actor(),
                public_id,
                first_name=form["first_name"],
                last_name=form["last_name"],
                email=form["email"],
                phone=form["phone"],
                note=form["note"],
                status=form["status"],
                commune=form["commune"],
            )
            return _back(public_id, _("Saved."))
    return _page(queries.person_by_public_id(public_id), form)


@blueprint.post("/people/<public_id>/address")
@requires(Role.MANAGER)
def save_address_of(public_id: str) -> ResponseReturnValue:
    form = postal_form(request.form)
    if form.is_good:
        with form.trying():
            staff.set_postal_address(
                current_actor(), public_id, address=form["address"], postcode=form["postcode"], city=form["city"]
            )
            return _back(public_id, _("Saved."))
    found = queries.person_by_public_id(public_id)
    return _page(found, _form_of(found), postal=form)


@blueprint.post("/people/<public_id>/invite")
@requires(Role.HOST)
def invite(public_id: str) -> ResponseReturnValue:
    found = queries.person_by_public_id(public_id)
    form = _form_of(found)
    with form.trying():
        staff.invite(current_actor(), public_id)
        return _back(public_id, _("The invitation is on its way."))
    return _page(queries.person_by_public_id(public_id), form)


@blueprint.post("/people/<public_id>/roles")
@requires(Role.MANAGER)
def set_roles(public_id: str) -> ResponseReturnValue:
    found = queries.person_by_public_id(public_id)
    form = _form_of(found)
    with form.trying():
        roles = frozenset(Role(one_of(rules.EXTRA_ROLES, name)) for name in request.form.getlist("roles"))
        staff.set_roles(current_actor(), public_id, roles)
        return _back(public_id, _("Saved."))
    return _page(queries.person_by_public_id(public_id), form)


@blueprint.post("/people/<public_id>/deactivate")
@requires(Role.HOST)
def deactivate(public_id: str) -> ResponseReturnValue:
    form = _form_of(queries.person_by_public_id(public_id))
    with form.trying():
        try:
            staff.deactivate(current_actor(), public_id, agreed=toll_of(request.form.get("agreed")))
        except WouldDisplace as error:
            form.status = error.status
            return _page(queries.person_by_public_id(public_id), form, displaces=error.toll)
        return _back(public_id, _("The account is closed."))
    return _page(queries.person_by_public_id(public_id), form)


@blueprint.post("/people/<public_id>/reactivate")
@requires(Role.HOST)
def reactivate(public_id: str) -> ResponseReturnValue:
    staff.reactivate(current_actor(), public_id)
    return _back(public_id, _("The account is open again."))


def _back(public_id: str, text: str) -> ResponseReturnValue:
    flash(text)
    return redirect(url_for("accounts.person", public_id=public_id), 303)


def _page(
    found: Person, form: Form, *, postal: Form | None = None, displaces: Toll | None = None
) -> ResponseReturnValue:
    """``displaces``: what closing the account would do to bookings, to be said before it is done."""
    actor = current_actor()
    return page(
        "person",
        postal or form,
        form=form,
        postal=postal or postal_form_of(found),
        person=found,
        change=email_changes.waiting(found.id),
        displaces=displaces,
        may_change=found.merged_into_person_id is None and _may_change(found),
        is_manager=actor.has(Role.MANAGER),
        factors=factors.of(found.id),
        is_oneself=found.id == actor.person_id,
        extra_roles=rules.EXTRA_ROLES,
        statuses=status_choices(),
    )


def _may_change(found: Person) -> bool:
    try:
        rules.check_may_change(current_actor(), found.roles)
    except Forbidden:
        return False
    return True


def _form_of(found: Person) -> Form:
    return Form(
        {
            "first_name": found.first_name,
            "last_name": found.last_name,
            "email": found.email or "",
            "phone": found.phone or "",
            "note": found.staff_note or "",
            "status": found.status or "",
            "commune": found.commune or "",
        }
    )
