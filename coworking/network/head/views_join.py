"""The endpoint to which a lieu's instance posts its key, with the token of its link."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from coworking.core.errors import DomainError
from coworking.core.i18n import _
from coworking.core.policy import public
from coworking.core.web import problem, say
from coworking.network.exchange import protocol
from coworking.network.head import enrolment
from coworking.spaces import queries as spaces

blueprint = Blueprint("network_join", __name__, url_prefix="/network/join")
blueprint.csrf_exempt = True  # type: ignore[attr-defined] - no cookie opens it: the link's token and a signature do


@blueprint.get("/<token>")
@public
def explain(token: str) -> ResponseReturnValue:
    """For whoever opens the link in a browser: what to do with it."""
    link, lieu = enrolment.opened(token, enrolment.JOIN)
    return render_template(
        "network/head/join.html",
        head=spaces.lieu(),
        name=lieu.name,
        used_at=link.used_at,
        url=enrolment.join_url(token),
    )


@blueprint.post("/<token>")
@public
def join(token: str) -> ResponseReturnValue:
    body = request.stream.read(protocol.MOST_JOIN_BYTES + 1)  # longer is refused unread
    return jsonify(enrolment.accept(token, body, address=request.remote_addr))


@blueprint.errorhandler(DomainError)
def refused(error: DomainError) -> ResponseReturnValue:
    """Programs send, people look: each is answered in their way."""
    if request.method == "POST":
        return problem(error.status, error.code, say(error), field=error.at_field, **error.extra)
    return render_template("errors/error.html", status=error.status, code=error.code, message=say(error)), error.status


@blueprint.errorhandler(HTTPException)
def unreadable(error: HTTPException) -> Response:
    status = error.code or 400
    return problem(status, "bad_request", _("This request cannot be read."))
