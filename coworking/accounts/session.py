"""Who a request comes from: a browser by its cookies, a program under ``/api/`` by its bearer token, never crosswise.

A cookie that opened the API would let any page the browser visits act there; a token that opened pages would end up
in addresses and histories.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Request, g, request, session
from flask_login import login_user, logout_user

from coworking.accounts import api_tokens, queries
from coworking.accounts.models import Person
from coworking.core.login import login
from coworking.core.web import wants_problem

REMEMBERED_FOR = timedelta(days=90)


@login.user_loader
def from_cookie(user_id: str) -> Person | None:
    """The person of a session or remember cookie: ``public_id.epoch``. An older epoch was signed out everywhere."""
    if wants_problem():
        return from_bearer(request)  # Flask-Login asks the request loader only when there is no cookie
    public_id, _, epoch = user_id.partition(".")
    person = queries.find_person(public_id)
    return person if person is not None and person.is_active and str(person.session_epoch) == epoch else None


@login.request_loader
def from_bearer(incoming: Request) -> Person | None:
    """The owner of the token in ``Authorization: Bearer …``; its scopes are left in ``g.token_scopes``."""
    scheme, _, text = incoming.headers.get("Authorization", "").partition(" ")
    if not wants_problem() or scheme.lower() != "bearer":
        return None
    found = api_tokens.owner(text.strip())
    if found is None:
        return None
    person, g.token_scopes = found
    return person


def begin(person: Person, *, remember: bool = False) -> None:
    """Sign this browser in, in a fresh session: nothing of the visitor's goes along. ``remember``: for 90 days."""
    session.clear()
    login_user(person, remember=remember, duration=REMEMBERED_FOR)
    g.pop("actor", None)


def end() -> None:
    """Sign this browser out and forget it; only the language stays."""
    chosen = session.get("language")
    session.clear()
    logout_user()
    if chosen:
        session["language"] = chosen
    g.pop("actor", None)
