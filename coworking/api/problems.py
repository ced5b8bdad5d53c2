"""Refusing what cannot be read, as RFC 9457 problems that name every field at fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apiflask.exceptions import HTTPError
from flask import Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from coworking.core.errors import N_, DomainError, InvalidInput
from coworking.core.i18n import _
from coworking.core.web import MAX_BODY_BYTES, problem

_SIGNED = frozenset({"receive_return"})
"""Views that read the body themselves, because a signature is over its very bytes."""
_BODYLESS = frozenset(
    {
        "cancel",
        "close_article",
        "close_pack_offer",
        "close_plan",
        "close_price_group",
        "check_in",
        "copy_my_data",
        "end_reduced_price",
        "end_subscription",
        "open_article",
        "open_pack_offer",
        "keep_assignment",
        "open_plan",
        "open_price_group",
        "remove_group_prices",
        "remove_tariff",
        "say_two_people",
        "take_back_assignment",
        "take_pack_request_back",
        "take_paper_back",
        "undo_move",
        "withdraw_invitation",
    }
)
BODY_OPTIONAL = frozenset({"arrive"})
"""Views that take an empty body for an empty object."""
_LOCATIONS = {"json", "query"}
_DEEPEST = 20


@contextmanager
def input_names(**names: str) -> Iterator[None]:
    """Name the input that is refused as it is called here: ``place="resource_id"``, where a page calls it ``place``."""
    try:
        yield
    except DomainError as error:
        error.at_field = names.get(error.at_field or "", error.at_field)
        raise


class MalformedJson(DomainError):
    code = "malformed_json"
    status = 400
    message = N_("This is not JSON that can be read.")


class MediaTypeUnsupported(DomainError):
    code = "unsupported_media_type"
    status = 415
    message = N_("This kind of content is not read here: send JSON.")


def check_body() -> None:
    """Before any view: the whole body is here, within the limit, and JSON where a view reads it."""
    if request.method != "POST":
        return
    body = request.get_data()  # raises 413 before anything else looks at it
    if request.content_length is None and len(body) >= MAX_BODY_BYTES:
        raise RequestEntityTooLarge()  # one sent in chunks is read up to the limit and silently cut there
    view = (request.endpoint or "").rpartition(".")[2]
    if view in _SIGNED or view in _BODYLESS or (view in BODY_OPTIONAL and not body):
        return
    if not request.is_json:
        raise MediaTypeUnsupported()
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:  # broken text or encoding, digits without end, nesting without end
        raise MalformedJson() from error
    if _is_deep(body):
        raise MalformedJson()


def _is_deep(value: Any) -> bool:
    """Whether ``value`` nests deeper than anything here: what was read just so may exhaust the stack further in."""
    level = [value]
    for _level in range(_DEEPEST):
        holders = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for holder in holders for inner in holder]
    return bool(level)


def invalid(error: HTTPError) -> Response:
    """The problem for input that a schema refuses: every field, with what would be right."""
    errors = [{"field": field, "message": _(message)} for field, message in _flat(error.detail)]
    return problem(
        422,
        "invalid_input",
        _("Some of what was sent cannot be used: see errors."),
        field=errors[0]["field"],
        errors=errors,
    )


def _flat(messages: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """``{"json": {"items": {0: {"kind": ["…"]}}}}`` as ``("items.0.kind", "…")``, in the order of names."""
    if isinstance(messages, dict):
        for name, inner in sorted(messages.items(), key=lambda pair: str(pair[0])):
            outermost = not path and name in _LOCATIONS
            yield from _flat(inner, ("",) if outermost else path if name == "_schema" else (*path, str(name)))
    else:
        for message in messages:
            yield ".".join(filter(None, path)) or "body", message


def signed_body() -> bytes:
    """The compact JWS of this request: the body itself (``application/jose``), or the ``jws`` of a JSON object."""
    if request.mimetype == "application/jose":
        return request.get_data()
    if not request.is_json:
        raise MediaTypeUnsupported()
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise MalformedJson() from error
    jws = body.get("jws") if isinstance(body, dict) and body.keys() == {"jws"} else None
    if not isinstance(jws, str):
        raise InvalidInput(reason=_("Send the signed message as jws."), field="jws")
    return jws.encode("utf-8", "replace")
