"""Who a request comes from: Flask-Login asks once per request the package that knows people (`login.request_loader`)."""

from __future__ import annotations

from typing import Any, Protocol

from flask import Flask, g, has_request_context
from flask_login import LoginManager, current_user, login_user, logout_user

from coworking.core.actor import Actor

login = LoginManager()


class Visitor(Protocol):
    """Somebody who is signed in, as far as the packages below people need to know."""

    locale: Any  # a column of its class, a text of itself
    is_active: Any
    is_authenticated: bool
    is_anonymous: bool

    def get_id(self) -> str: ...

    def actor(self) -> Actor: ...


def init_login(app: Flask) -> None:
    """Attach Flask-Login without its own cookies: sign-ins are rows that end (`coworking.accounts.devices`)."""
    app.config["REMEMBER_COOKIE_NAME"] = (
        "flask_login_has_none"  # a cookie of this name would be asked before the loader
    )
    login.init_app(app)
    login.session_protection = None  # pyright: ignore[reportAttributeAccessIssue] - a phone changes networks all day


def visitor() -> Visitor | None:
    """Who is signed in; None for anybody else and outside requests."""
    if not has_request_context():
        return None
    if "visitor" not in g:
        g.visitor = None  # reading the cookies may itself ask for the reader's language
        g.visitor = current_user._get_current_object() if current_user.is_authenticated else None
    return g.visitor


def set_visitor(person: Visitor | None) -> None:
    """From here on this request is ``person``'s: they have just signed in or out."""
    if person is None:
        logout_user()
    else:
        login_user(person)
    g.visitor = person
    g.pop("actor", None)
