"""The copy of everything that the lieu holds about the token's person."""

from __future__ import annotations

from apiflask import FileSchema
from flask import Response, send_file

from coworking.accounts import my_data
from coworking.accounts import queries as accounts
from coworking.api.pages import blueprint
from coworking.core.policy import current_actor, requires


@blueprint.post("/me/data")
@requires(scope="data:read")
@blueprint.output(FileSchema(type="string", format="binary"), content_type="application/zip")
def copy_my_data() -> Response:
    """A copy of everything that the lieu holds about oneself, as a ZIP

    The same files as under *Me → My data*, in the person's language; they are told of it by e-mail. Each request makes a
    new one. 429 `several_copies` after a few within the hour.
    """
    actor = current_actor()
    file = my_data.copy_of(actor, accounts.person_by_id(actor.person_id).public_id)
    answer = send_file(file, mimetype="application/zip", as_attachment=True, download_name="my-data.zip")
    answer.headers["Cache-Control"] = "no-store"
    return answer
