"""« Plus »: the pages that do not fit into a phone's bar."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from coworking.core.policy import current_actor, signed_in
from coworking.frontdesk.navigation import BESIDE_MORE, all_entries
from coworking.frontdesk.pages import blueprint


@blueprint.get("/more")
@signed_in
def more() -> ResponseReturnValue:
    """The menu entries that do not fit into a phone's bar."""
    return render_template("frontdesk/more.html", ways=all_entries(current_actor())[BESIDE_MORE:])
