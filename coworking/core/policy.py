"""Who may call what. Each endpoint declares one policy; the application refuses to start when one forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, g, request

from coworking.core.actor import IMPLIED, SYSTEM, Actor, Role
from coworking.core.errors import Forbidden, ScopeMissing, SignInRequired
from coworking.core.login import visitor

__all__ = [
    "IMPLIED",
    "SYSTEM",
    "Actor",
    "Policy",
    "Role",
    "actor_or_none",
    "check_declared",
    "current_actor",
    "init_policies",
    "policy_of",
    "public",
    "requires",
    "signed_in",
]


@dataclass(frozen=True, slots=True)
class Policy:
    """``roles`` None: anyone; empty: anyone signed in; else one of them. ``scope`` narrows API tokens."""

    roles: frozenset[Role] | None
    scope: str | None = None

    def check(self, actor: Actor | None) -> None:
        """Raise `SignInRequired` or `Forbidden` unless ``actor`` may pass."""
        if self.roles is None:
            return
        if actor is None:
            raise SignInRequired()
        if self.roles and not any(actor.has(role) for role in self.roles):
            raise Forbidden()


View = TypeVar("View", bound=Callable[..., Any])


def _declare(policy: Policy) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        view.policy = policy  # type: ignore[attr-defined] - a function's own attribute is the declaration
        return view

    return decorate


def public(view: View) -> View:
    """Anyone may call this endpoint."""
    return _declare(Policy(None))(view)


def signed_in(view: View) -> View:
    """Anyone signed in may call this endpoint; whose data it shows is the service's business."""
    return _declare(Policy(frozenset()))(view)


def requires(*roles: Role, scope: str | None = None) -> Callable[[View], View]:
    """Only people with one of ``roles`` (none given: anyone signed in); tokens also need ``scope``."""
    return _declare(Policy(frozenset(roles), scope))


def current_actor() -> Actor:
    """The actor of this request; raises `SignInRequired` when nobody is signed in."""
    actor = actor_or_none()
    if actor is None:
        raise SignInRequired()
    return actor


def actor_or_none() -> Actor | None:
    """The actor of this request, read once; None for a visitor."""
    if "actor" not in g:
        person = visitor()
        actor = person.actor() if person is not None else None
        granted = g.get("token_roles")
        g.actor = actor.within(granted) if actor is not None and granted is not None else actor
    return g.actor


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    """The policy ``endpoint`` declares, or None."""
    return getattr(app.view_functions[endpoint], "policy", None)


def init_policies(app: Flask) -> None:
    """Enforce every declared policy before its view runs."""

    @app.before_request
    def enforce() -> None:
        if request.endpoint is None:
            return  # an unknown address: the 404 handler answers
        policy = policy_of(app, request.endpoint)
        if policy is None:
            raise RuntimeError(f"endpoint {request.endpoint} declares no policy")
        if policy.roles is not None:
            policy.check(actor_or_none())
            scopes = g.get("token_scopes")
            if scopes is not None and policy.scope not in scopes:
                raise ScopeMissing(scope=policy.scope)


def check_declared(app: Flask) -> None:
    """Raise unless every endpoint declares its policy; called at the end of the factory."""
    silent = sorted({r.endpoint for r in app.url_map.iter_rules() if policy_of(app, r.endpoint) is None})
    if silent:
        raise RuntimeError(f"endpoints without a policy: {', '.join(silent)}")
