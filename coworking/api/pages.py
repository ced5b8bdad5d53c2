"""Shared by all of ``/api/v1``: its blueprint, and reading the parameters of a URL."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from apiflask.exceptions import HTTPError
from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from coworking.api import openapi, problems, queries
from coworking.core.policy import public
from coworking.core.timespan import EndsBeforeStart, Span

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1")
blueprint.csrf_exempt = True  # type: ignore[attr-defined] - cookies do not open the API, so there is nothing to forge
blueprint.before_request(problems.check_body)
blueprint.register_error_handler(HTTPError, problems.invalid)
blueprint.record_once(openapi.configure)


@blueprint.after_request
def challenge(response: Response) -> Response:
    """Add the header that names the required credentials (RFC 6750)."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


@blueprint.get("/openapi.json")
@public
@blueprint.doc(hide=True)
def document() -> ResponseReturnValue:
    return jsonify(openapi.document())


def asked_span(query: dict[str, Any], most_days: int) -> Span:
    """``from`` and ``to`` as a span of at most ``most_days`` days."""
    try:
        span = Span(query["from_"], query["to"])
    except EndsBeforeStart as error:
        raise EndsBeforeStart(field="to") from error
    queries.check_range(span, most_days)
    return span
