"""Who a request comes from: a browser by its cookie, a program under ``/api/`` by its bearer token, never crosswise.

A cookie that opened the API would let any page the browser visits act there; a token that opened pages would end up
in addresses and histories.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from flask import Request, Response, after_this_request, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import api_tokens, devices, factors, passkeys, rules, second_step, tokens
from coworking.accounts.devices import Browser, Halfway, Present, SignedIn
from coworking.accounts.models import Person
from coworking.core import security
from coworking.core.clock import now
from coworking.core.errors import Busy, PasswordNeeded
from coworking.core.login import login, set_visitor, visitor
from coworking.core.policy import Role, actor_or_none, current_actor, policy_of
from coworking.core.settings import settings
from coworking.core.units import write_unit
from coworking.core.web import is_partial, wants_problem

USE_NOTED_EVERY = timedelta(hours=1)
KNOWN_FOR = timedelta(days=365)
HALFWAY_FOR = timedelta(minutes=10)
_OPEN_WITHOUT = frozenset(
    f"accounts.{name}"
    for name in (
        "begin_second_step",
        "second_step_setup",
        "confirm_second_step",
        "proof",
        "do_proof",
        "proof_options",
        "new_passkey",
        "new_passkey_options",
        "add_passkey",
    )
)
"""What somebody of the team may open before they have a second step: what sets one up. Pages for everyone are open too."""
_LONGEST_COOKIE = 200


def device_cookie() -> str:
    """The name of the cookie that signs a browser in."""
    return _prefixed("lieu_device")


def known_cookie() -> str:
    """The name of the cookie by which an account knows a browser it was signed in on; it opens nothing."""
    return _prefixed("lieu_known")


@login.request_loader
def find(_request: Request) -> Person | None:
    """The person of this request's cookie or token."""
    if wants_problem():
        return _of_bearer()
    secret = request.cookies.get(device_cookie())
    found = devices.present(secret) if secret and len(secret) < _LONGEST_COOKIE else None
    if found is None:
        return None
    person, g.device = found
    return person


def device() -> Present | None:
    """The device this request came from; None for visitors and programs."""
    visitor()
    return g.get("device")


def is_proved() -> bool:
    """Whether whoever is signed in proved here a moment ago that it is them."""
    return devices.is_proved(device())


def require_proof() -> None:
    """Raise `PasswordNeeded` unless whoever is signed in proved here a moment ago that it is them."""
    if not is_proved():
        raise PasswordNeeded()


def prove(password: str) -> None:
    """Unless it was typed here a moment ago, check the password of whoever is signed in.

    Raises `PasswordWrong` or `TooManyAttempts`.
    """
    if not is_proved():
        devices.prove(current_actor(), device(), password)
        g.device = replace(g.device, proved_at=now())


def prove_code(*, code: str = "", recovery: str = "") -> None:
    """Check a code of the second step, or a recovery code, of whoever is signed in. Raises what `second_step.prove` does."""
    second_step.prove(current_actor(), device(), code=code, recovery=recovery)
    g.device = replace(g.device, proved_at=now(), strong=True)


def prove_passkey(answer: str) -> None:
    """Check a passkey of whoever is signed in. Raises what `passkeys.prove` does."""
    passkeys.prove(current_actor(), device(), answer)
    g.device = replace(g.device, proved_at=now(), strong=True)


def browser(*, remember: bool = False) -> Browser:
    """What this request's browser says of itself."""
    return Browser(request.headers.get("User-Agent", ""), remember, request.cookies.get(known_cookie(), ""))


def known_as(email: str) -> str | None:
    """The name under which the account of ``email`` knows this browser; None when it does not."""
    return tokens.read_known(request.cookies.get(known_cookie(), ""), email)


def begin(signed_in: SignedIn) -> None:
    """Give this browser the cookie of its new device, in a fresh session: nothing of the visitor's goes along."""
    session.clear()
    set_visitor(signed_in.person)
    g.pop("device", None)
    email = signed_in.person.email or ""

    @after_this_request
    def give(response: Response) -> Response:
        lasts = devices.REMEMBERED_FOR if signed_in.remembered else None
        _set(response, device_cookie(), signed_in.secret, lasts)
        _set(response, known_cookie(), tokens.make_known(email), KNOWN_FOR)
        return response


def begin_as(person: Person) -> None:
    """Sign this browser in as ``person``, whom the request has just made."""
    with write_unit():
        signed_in = devices.sign_in(person, browser())
    if isinstance(signed_in, SignedIn):
        begin(signed_in)


def hold(halfway: Halfway, target: str | None) -> None:
    """Remember in this browser, signed and for ten minutes, who is to show a second step and where they go on to."""
    chosen = session.get("language")
    session.clear()
    if chosen:
        session["language"] = chosen
    session["halfway"] = [
        halfway.person,
        halfway.epoch,
        halfway.by,
        halfway.remember,
        int(now().timestamp()),
        rules.local_path(target),
    ]


def halfway() -> Halfway | None:
    """Who is to show a second step in this browser; None when nobody is, or ten minutes are over."""
    held = session.get("halfway")
    if held is None or held[4] < now().timestamp() - HALFWAY_FOR.total_seconds():
        return None
    return Halfway(*held[:4])


def halfway_target() -> str | None:
    """Where whoever is halfway wanted to go."""
    held = session.get("halfway")
    return held[5] if held is not None else None


def must_show_second_step() -> bool:
    """Whether whoever is signed in here is of a team that must have a second step, and came in by one."""
    present = device()
    if present is None or present.strong or not factors.is_due(present.team_from):
        return False
    return bool(current_actor().roles - {Role.MEMBER})


def ask_team_for_second_step() -> ResponseReturnValue | None:
    """Before each request of somebody of the team, where the lieu wants a second step: nothing opens without.

    It costs no statement: what it looks at came with the device or the token.
    """
    policy = policy_of(current_app, request.endpoint) if request.endpoint is not None else None
    if policy is None or policy.roles is None or request.endpoint in _OPEN_WITHOUT:
        return None
    token = g.get("token")
    if token is not None:
        if token.second_step_missing and current_actor().roles - {Role.MEMBER}:
            raise rules.SecondStepNeeded()
        return None
    if not must_show_second_step():
        return None
    if is_partial():
        return Response(status=204, headers={"HX-Redirect": url_for("accounts.second_step_asked")})
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("accounts.second_step_asked", next=target), 303)


def end() -> None:
    """Sign this browser out and forget it; only the language stays."""
    present = device()
    if present is not None:
        devices.sign_out(current_actor(), present.id)
    chosen = session.get("language")
    session.clear()
    if chosen:
        session["language"] = chosen
    set_visitor(None)
    g.pop("device", None)

    @after_this_request
    def take(response: Response) -> Response:
        response.delete_cookie(device_cookie(), secure=settings().cookies_secure, httponly=True, samesite="Lax")
        return response


def note_use(response: Response) -> Response:
    """Write down, once an hour at most, that this request's device or token is in use."""
    present, token = g.get("device"), g.get("token")
    with suppress(Busy):
        if present is not None and now() - present.last_used_at >= USE_NOTED_EVERY:
            devices.used(present.id)
        if token is not None and (token.last_used_at is None or now() - token.last_used_at >= USE_NOTED_EVERY):
            api_tokens.used(token.id)
    return response


def note_refusal(response: Response) -> Response:
    """Write down that someone signed in asked for what their role or token does not allow."""
    actor = actor_or_none() if response.status_code == HTTPStatus.FORBIDDEN else None
    if actor is not None and not security.was_refused_lately(actor.person_id, request.endpoint):
        with suppress(Busy):
            token = g.get("token")
            security.note(
                security.REFUSED,
                person_id=actor.person_id,
                actor_id=actor.person_id,
                endpoint=request.endpoint,
                **({"token": token.id} if token is not None else {}),
            )
    return response


def _of_bearer() -> Person | None:
    """The owner of the token in ``Authorization: Bearer …``; what the token grants is left in ``g``."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    found = api_tokens.owner(text.strip())
    if found is None:
        return None
    person, g.token = found
    g.token_scopes, g.token_roles = g.token.scopes, g.token.roles
    return person


def _set(response: Response, name: str, value: str, lasts: timedelta | None) -> None:
    response.set_cookie(
        name, value, max_age=lasts, secure=settings().cookies_secure, httponly=True, samesite="Lax", path="/"
    )


def _prefixed(name: str) -> str:
    """Over TLS no other host can set a cookie of this name for us."""
    return f"__Host-{name}" if settings().cookies_secure else name
