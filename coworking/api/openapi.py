"""The API's own description: OpenAPI 3.1, made from the views and completed with what all of them share."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, cast

from apiflask import APIBlueprint, APIFlask
from flask import current_app
from flask.blueprints import BlueprintSetupState

from coworking.api.problems import BODY_OPTIONAL
from coworking.core.policy import policy_of

NEW_BOOKING = {
    "starts_at": "2026-11-26T09:00:00+01:00",
    "ends_at": "2026-11-26T13:00:00+01:00",
    "kind": "desk",
}
MOVING = {"resource_id": "k7mq2v9xw4tdz3hb", "agreed_cents": 900}
NEW_PERSON = {"first_name": "Anne", "last_name": "Marchand", "email": "anne@demo.example"}

_ABOUT = (
    "Desks, rooms, bookings and presences of one lieu. Times are RFC 3339 with an offset, ids are opaque, lists are pages "
    "of `items` with a `next` cursor, and every refusal is an RFC 9457 problem with a stable `code`."
)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeating a request with the same key makes its thing once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
_SIGNED = "api.receive_return"
_JWS = "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl"
_COPY = "api.copy_my_data"
"""It makes a new copy each time it is asked for, so no key belongs to it; and only so many an hour."""
_CACHE = "api.openapi"


def configure(state: BlueprintSetupState) -> None:
    """Have the application describe only what the views say; `document` adds the rest."""
    state.app.config.update(
        AUTO_SERVERS=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_OPERATION_ID=True,
    )


def document() -> dict[str, Any]:
    """The whole document, made once per process."""
    if _CACHE not in current_app.extensions:
        for blueprint in current_app.blueprints.values():
            if not isinstance(blueprint, APIBlueprint):
                blueprint.enable_openapi = False  # type: ignore[attr-defined] - APIFlask asks every blueprint
        current_app.extensions[_CACHE] = _completed(cast(dict[str, Any], cast(APIFlask, current_app).spec))
    return current_app.extensions[_CACHE]


def _completed(spec: dict[str, Any]) -> dict[str, Any]:
    spec["info"] |= {"title": "Coworking", "description": _ABOUT}
    spec["servers"] = [{"url": "/"}]
    spec["tags"] = [{"name": "Api", "description": "Version 1"}]
    components = spec.setdefault("components", {})
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from one's own account page or `flask token`; it acts for its owner within its scopes.",
        }
    }
    components["schemas"]["Problem"] = _problem_schema()
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method in {"get", "post"}:
                _complete(path, method, operation)
    return spec


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    endpoint = operation["operationId"].removeprefix(f"{method}_").replace("api_", "api.", 1)
    policy = policy_of(current_app._get_current_object(), endpoint)  # type: ignore[attr-defined] - a proxy has one
    operation["operationId"] = endpoint.removeprefix("api.")
    if endpoint == _SIGNED:
        _complete_signed(operation)
        return
    assert policy is not None and policy.scope is not None, f"{endpoint} names no scope"
    operation["security"] = [{"token": []}]
    scope = f"Scope: `{policy.scope}`."
    operation["description"] = f"{operation['description']}\n\n{scope}" if operation.get("description") else scope
    statuses = {401, 403, 503}
    if method == "get":
        statuses |= {422} if operation.get("parameters") else set()
    else:
        statuses |= {409, 413, 422}
        if endpoint != _COPY:
            operation.setdefault("parameters", []).append(_KEY)
    if endpoint == _COPY:
        statuses |= {429}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = endpoint.removeprefix("api.") not in BODY_OPTIONAL
        statuses |= {400, 404, 415}
    if re.search(r"{\w+}", path) or any(
        p.get("name") in {"person_id", "month"} for p in operation.get("parameters", ())
    ):
        statuses |= {404}
    _document_problems(operation, statuses)


def _complete_signed(operation: dict[str, Any]) -> None:
    """The one operation without a token: the body's own signature says who sends it, and its revision is its key."""
    operation["security"] = []
    text = {"type": "string", "description": "A compact JWS, EdDSA (Ed25519).", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"}
    operation["requestBody"] = {
        "required": True,
        "content": {
            "application/jose": {"schema": text, "example": _JWS},
            "application/json": {
                "schema": {"type": "object", "required": ["jws"], "properties": {"jws": text}},
                "example": {"jws": _JWS},
            },
        },
    }
    answer = operation["responses"]["200"]
    operation["responses"]["201"] = {**answer, "description": "Received for the first time"}
    _document_problems(operation, {400, 401, 404, 409, 413, 415, 422, 429, 503})


def _document_problems(operation: dict[str, Any], statuses: set[int]) -> None:
    for status in sorted(statuses):
        operation["responses"][str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    pair = {"type": "object", "required": ["field", "message"], "properties": {"field": text, "message": text}}
    free = {"type": "object", "required": ["resource_id", "name"], "properties": {"resource_id": text, "name": text}}
    return {
        "type": "object",
        "description": "RFC 9457. `code` is stable, `detail` is in the reader's language.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "code": text,
            "detail": text,
            "field": {"type": "string", "description": "The input at fault."},
            "errors": {"type": "array", "items": pair, "description": "Every input that cannot be used."},
            "highest": {"type": "integer", "description": "The highest revision of that month at the head."},
            "digest": {"type": "string", "description": "The digest of its figures."},
            "free": {"type": "array", "items": free, "description": "What is free instead of what was taken."},
        },
        "example": {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "code": "claim_conflict",
            "detail": "Someone else has just taken it.",
            "free": [{"resource_id": "k7mq2v9xw4tdz3hb", "name": "Poste 2"}],
        },
    }
