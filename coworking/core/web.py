"""For every answer: security headers, a request id, and errors as a page or a problem document."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    current_app,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import IntegerConverter, ValidationError

from coworking.core.errors import N_, Busy, DomainError, InvalidInput, NotFound, PasswordNeeded, SignInRequired
from coworking.core.formats import day_full, hour, money, span_hours
from coworking.core.i18n import _
from coworking.core.login import visitor
from coworking.core.money import Cents
from coworking.core.policy import actor_or_none, policy_of
from coworking.core.settings import settings
from coworking.core.timespan import Span
from coworking.server.limits import BODY_BYTES

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

LargeView = TypeVar("LargeView", bound=Callable[..., Any])

API_PREFIX = "/api/"
MAX_BODY_BYTES = 2 * 1024 * 1024

# What to say for a plain HTTP error, by status: (stable code, text).
_HTTP_TEXTS = {
    400: ("bad_request", N_("This request cannot be read.")),
    404: ("not_found", N_("There is nothing at this address.")),
    405: ("method_not_allowed", N_("This address does not accept that method.")),
    406: ("not_acceptable", N_("This is not available in the format you asked for.")),
    413: ("too_large", N_("This is too large: 2 MB at most.")),
    414: ("address_too_long", N_("This address is too long.")),
    415: ("unsupported_media_type", N_("This kind of content is not read here: send JSON.")),
    429: ("too_many_requests", N_("Too many attempts. Wait a little and try again.")),
}


class TooLargeForAStranger(DomainError):
    code = "too_large"
    status = 413
    message = N_("This is too large: sign in to send more than 64 kB.")


def csp_nonce() -> str:
    """This response's nonce for a ``<style>`` element; scripts come from files only."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def first_wrong() -> bool:
    """True once per answer: for the first field that is wrong, which takes the focus."""
    if "wrong_field" in g:
        return False
    g.wrong_field = True
    return True


def request_id() -> str:
    """This request's id, taken from the proxy or made here; the answer and the log contain it."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    return g.request_id


def init_bodies(app: Flask) -> None:
    """Limit what is read. Call it before anything that reads a body, such as the protection of forms."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.before_request(_read_large_bodies_of_the_signed_in_only)


def _read_large_bodies_of_the_signed_in_only() -> None:
    """Reading a large body holds a thread as long as its sender likes (see `coworking.server`): know who that is first."""
    length, most = request.content_length or 0, _most_bytes(request.endpoint)
    if length > most:
        raise RequestEntityTooLarge()
    if length > MAX_BODY_BYTES and (policy := policy_of(current_app, request.endpoint or "")) is not None:
        policy.check(actor_or_none())  # before it is read: who may send nothing here sends nothing large either
        request.max_content_length = most
    if (length > BODY_BYTES or "Transfer-Encoding" in request.headers) and visitor() is None:
        raise TooLargeForAStranger()


def large_body(most: int) -> Callable[[LargeView], LargeView]:
    """Let an endpoint take bodies of up to ``most`` bytes, from those who may call it."""

    def declare(view: LargeView) -> LargeView:
        view.most_bytes = most  # type: ignore[attr-defined] - a function's own attribute is the declaration
        return view

    return declare


def _most_bytes(endpoint: str | None) -> int:
    return getattr(current_app.view_functions.get(endpoint or ""), "most_bytes", MAX_BODY_BYTES)


def init_web(app: Flask) -> None:
    """Attach headers and error handling."""
    app.url_map.converters["int"] = _Integer
    app.after_request(_add_headers)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _operational_error)
    app.register_error_handler(Exception, _unexpected)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, first_wrong=first_wrong, say=say)


class _Integer(IntegerConverter):
    """``<int:…>`` in a path: a number that the database can hold; there is nothing under any other address."""

    def to_python(self, value: str) -> int:
        if len(value) > len(str(_LARGEST)) or int(value) > _LARGEST:
            raise ValidationError()
        return super().to_python(value)


_LARGEST = 2**63 - 1


def wants_problem() -> bool:
    """Whether this request is a program's."""
    return request.path.startswith(API_PREFIX)


def is_partial() -> bool:
    """Whether htmx asked, for a piece of a page."""
    return request.headers.get("HX-Request") == "true"


def load_whole(url: str) -> ResponseReturnValue:
    """Lead to ``url`` as a page of its own: its forms may lead to a gateway, those of the page before it may not."""
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, 303)


def say(error: DomainError) -> str:
    """``error`` in the reader's language, its dates and hours too."""
    return say_words(error.message, error.params)


def say_words(message: str, params: Mapping[str, object]) -> str:
    """``message`` with its ``params``, both in the reader's language."""
    text = _(message)
    return text % {name: _worded(value) for name, value in params.items()} if params else text


def refusal(error: DomainError, page: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """The page whose button was pressed, drawn as it stands by now, with the refusal said on it and ``error``'s status.

    What is not there for this reader stays a page of its own.
    """
    if error.status == HTTPStatus.NOT_FOUND:
        raise error
    flash(say(error), "error")
    answer = make_response(page())
    answer.status_code = error.status
    return answer


def _worded(value: object) -> object:
    match value:
        case str():
            return _(value) if value else value
        case Span():
            return span_hours(value)
        case Cents():
            return money(value)
        case datetime():
            return hour(value)
        case date():
            return day_full(value)
        case tuple() | list():
            return ", ".join(str(_worded(part)) for part in value)  # type: ignore[reportUnknownVariableType] - any parts
        case _:
            return value


def problem(status: int, code: str, detail: str, **members: Any) -> Response:
    """An RFC 9457 problem document."""
    response = jsonify(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
        }
        | {name: value for name, value in members.items() if value is not None}
    )
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def _answer(status: int, code: str, text: str, **members: Any) -> ResponseReturnValue:
    if wants_problem():
        return problem(status, code, text, **members)
    page = render_template("errors/error.html", status=status, code=code, message=text)
    return page, status


def _domain_error(error: DomainError) -> ResponseReturnValue:
    if isinstance(error, SignInRequired) and not wants_problem():
        if is_partial():
            # Redirect the whole page: a sign-in form must not be swapped into a fragment, nor redirect back to one.
            back = _page_of(request.headers.get("HX-Current-URL", ""))
            return Response(status=204, headers={"HX-Redirect": url_for("accounts.sign_in", next=back)})
        target = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=target))
    if isinstance(error, PasswordNeeded) and not wants_problem():
        if request.method == "GET":
            return redirect(url_for("accounts.proof", next=request.full_path.rstrip("?")))
        return redirect(url_for("accounts.proof", next=_page_before(), again=1))
    answer = _answer(error.status, error.code, say(error), field=error.at_field, **error.extra)
    if isinstance(seconds := error.extra.get("retry_after"), int):
        answer = make_response(answer)
        answer.headers["Retry-After"] = str(seconds)
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET":
            answer.headers["Refresh"] = str(seconds)  # the page that says so asks again by itself
    return answer


def _page_before() -> str | None:
    """Path and query of the page that a form was sent from; None where the browser does not say, or names another site."""
    before = request.referrer or ""
    return _page_of(before) if before.startswith(request.host_url) else None


def _page_of(address: str) -> str | None:
    """Path and query of ``address``, which any program may have written; None where it has none."""
    try:
        page = urlsplit(address)
    except ValueError:
        return None
    return f"{page.path}?{page.query}".rstrip("?") or None


def _csrf_error(_error: CSRFError) -> ResponseReturnValue:
    return _answer(400, "csrf", _("This page has been open too long. Go back, reload it and try again."))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    status = error.code or 500
    if status == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "GET" and not wants_problem():
        return redirect(_nearest_page(), HTTPStatus.SEE_OTHER)
    code, text = _HTTP_TEXTS.get(status, ("error", N_("This cannot be done.")))
    answer = make_response(_answer(status, code, _(text)))
    for name, value in error.get_headers():  # what the protocol wants beside the text: Allow, Retry-After
        if name != "Content-Type":
            answer.headers[name] = value
    return answer


def _nearest_page() -> str:
    """Where someone belongs who opens a button's address: by the address bar, say, after a form was refused there."""
    adapter = request_ctx.url_adapter
    path = request.path
    while adapter is not None and (path := path.rpartition("/")[0]):
        if adapter.test(path, "GET"):
            return request.script_root + path
    return request.script_root + "/"


def _operational_error(error: OperationalError) -> ResponseReturnValue:
    log.error("database trouble in request %s", request_id(), exc_info=error)
    return _domain_error(Busy())


def _unexpected(error: Exception) -> ResponseReturnValue:
    # PostgreSQL takes no NUL in text; the driver says so itself or through SQLAlchemy, whose own text quotes the SQL.
    said = error.orig if isinstance(error, DataError) else error
    if isinstance(error, UnicodeError | ValueError | DataError) and "NUL " in f"{said} ".upper():
        if "\x00" in request.path:
            return _domain_error(NotFound())  # as an engine that takes it answers
        return _domain_error(InvalidInput(reason=_("Text cannot hold the NUL character.")))
    log.exception("unexpected error in request %s", request_id())
    return _answer(500, "internal", _("Something broke on our side. Nothing was half done. Please try again."))


def let_forms_reach(origins: Iterable[str]) -> None:
    """Let the forms of this answer lead to ``origins`` too: a browser refuses to follow a redirect elsewhere."""
    g.form_origins = tuple(origins)


def security_headers(style: str = "'self'", *, forms: str = "'self'", secure: bool) -> dict[str, str]:
    """What every answer carries, pages and files; ``forms``: where forms may lead, ``secure``: it came over TLS."""
    headers = {
        "Content-Security-Policy": f"default-src 'none'; script-src 'self'; style-src {style}; img-src 'self' data:; "
        f"font-src 'self'; connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'; "
        "manifest-src 'self'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    return headers | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})


def _add_headers(response: Response) -> Response:
    headers = response.headers
    style = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
    forms = " ".join(("'self'", *g.get("form_origins", ())))
    secure = request.is_secure or settings().cookies_secure
    for name, value in security_headers(style, forms=forms, secure=secure).items():
        headers.setdefault(name, value)
    headers["X-Request-ID"] = request_id()
    if request.endpoint != "static" and "Cache-Control" not in headers:
        # A page shows one person's data: nobody else may keep it. What someone signed in reads the browser does not keep
        # either, but for the small pieces that it asks about again and again.
        personal = g.get("visitor") is not None and "ETag" not in headers
        headers["Cache-Control"] = "no-store" if personal else "private, no-cache"
    return response
