"""« Mes données »: a copy of everything the lieu holds about somebody, for them."""

from __future__ import annotations

from flask import request, send_file
from flask.typing import ResponseReturnValue

from coworking.accounts import my_data, queries
from coworking.accounts.models import Person
from coworking.accounts.pages import blueprint, page
from coworking.accounts.session import require_proof
from coworking.core import holdings
from coworking.core.clock import now
from coworking.core.errors import NotFound
from coworking.core.folding import listed_by
from coworking.core.formats import instant_day
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires, signed_in


@blueprint.get("/me/data")
@signed_in
def my_data_page() -> ResponseReturnValue:
    require_proof()
    return _page(queries.person_by_id(current_actor().person_id))


@blueprint.post("/me/data")
@signed_in
def copy_my_data() -> ResponseReturnValue:
    require_proof()
    return _copy(queries.person_by_id(current_actor().person_id))


@blueprint.get("/people/<public_id>/data")
@requires(Role.MANAGER)
def data_of(public_id: str) -> ResponseReturnValue:
    require_proof()
    return _page(_known(public_id))


@blueprint.post("/people/<public_id>/data")
@requires(Role.MANAGER)
def copy_data_of(public_id: str) -> ResponseReturnValue:
    require_proof()
    return _copy(_known(public_id))


def _known(public_id: str) -> Person:
    found = queries.person_by_public_id(public_id)
    if found.erased_at is not None:
        raise NotFound()
    return found


def _copy(person: Person) -> ResponseReturnValue:
    actor, form, public_id = current_actor(), Form(request.form), person.public_id
    stem = listed_by(_("data of %(name)s", name=person.name)).replace(" ", "-")
    with form.trying():
        file = my_data.copy_of(actor, public_id)
        name = f"{stem}-{instant_day(now()).isoformat()}.zip"
        answer = send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    return _page(queries.person_by_public_id(public_id), form)


def _page(person: Person, form: Form | None = None) -> ResponseReturnValue:
    return page(
        "my_data",
        form or Form(),
        form=form or Form(),
        person=person,
        kinds=[_(one.title) for one in holdings.declared() if one.paper is None],
        is_oneself=person.id == current_actor().person_id,
        may_copy=person.id == current_actor().person_id or my_data.needs_the_team(person),
    )
