"""The gateways that this lieu has keys for: in the server's environment, else typed by a manager.

Only pages and jobs that pay ask here: it costs a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from flask import current_app

from coworking.billing.gateways import key_rules
from coworking.billing.gateways.accounts import KeptKeys, is_on_server, kept_keys
from coworking.billing.gateways.helloasso_gateway import HelloAssoGateway
from coworking.billing.gateways.key_rules import HELLOASSO, STRIPE
from coworking.billing.gateways.models import GatewayKeys
from coworking.billing.gateways.port import Gateway
from coworking.core.settings import settings

NAMES = (STRIPE, HELLOASSO)
"""Every gateway the product knows, in the order in which payers are offered them."""

Problem = Literal["unreadable", "elsewhere"]
"""``unreadable``: the keys cannot be decrypted here. ``elsewhere``: live keys, and the server names a test address."""

_MADE = "coworking-gateways"


@dataclass(frozen=True, slots=True)
class GatewayStanding:
    """What is set for one gateway. ``source`` None: nothing. ``endings``: what may be shown of each key.

    ``row``: what the manager typed and tried; None for keys of the server.
    """

    name: str
    source: Literal["server", "typed"] | None
    problem: Problem | None
    is_live: bool | None
    endings: Mapping[str, str]
    row: GatewayKeys | None
    gateway: Gateway | None


def gateways() -> list[Gateway]:
    """Those that can be paid with here, in the order of `NAMES`."""
    return [one.gateway for one in standings() if one.gateway is not None]


def gateway_named(name: str) -> Gateway | None:
    """The gateway ``name``; None where this lieu has no keys for it that can be used."""
    return next((one.gateway for one in standings() if one.name == name), None)


def standings() -> list[GatewayStanding]:
    """What is set for every gateway, and the gateway itself where its keys can be used (1 statement)."""
    kept = kept_keys()
    return [_standing(name, kept.get(name)) for name in NAMES]


def _standing(name: str, kept: KeptKeys | None) -> GatewayStanding:
    source, row, keys = _keys(name, kept)
    problem: Problem | None = None
    if source is not None and keys is None:
        problem = "unreadable"
    elif name == STRIPE and settings().stripe_api_base and key_rules.is_live_key((keys or {}).get("secret_key")):
        problem = "elsewhere"
    gateway = _made(name, keys) if keys and problem is None else None
    return GatewayStanding(
        name=name,
        source=source,
        problem=problem,
        is_live=gateway.is_live if gateway else None,
        endings={field: key_rules.ending(field, key) for field, key in (keys or {}).items()},
        row=row,
        gateway=gateway,
    )


def _keys(
    name: str, kept: KeptKeys | None
) -> tuple[Literal["server", "typed"] | None, GatewayKeys | None, Mapping[str, str] | None]:
    if is_on_server(name):
        given = settings()
        keys = {field: getattr(given, f"{name}_{field}") for field in key_rules.FIELDS[name]}
        return "server", None, {field: key for field, key in keys.items() if key is not None}
    return ("typed", kept.row, kept.keys) if kept is not None else (None, None, None)


def _made(name: str, keys: Mapping[str, str]) -> Gateway:
    """The adapter of these keys: the same one as long as they are the same, for its connections and access token."""
    made: dict[str, tuple[dict[str, str], Gateway]] = current_app.extensions.setdefault(_MADE, {})
    before = made.get(name)
    if before is not None and before[0] == keys:
        return before[1]
    gateway = _MAKERS[name](**keys)
    made[name] = (dict(keys), gateway)
    return gateway


def _stripe(secret_key: str, webhook_secret: str | None = None) -> Gateway:
    from coworking.billing.gateways.stripe_gateway import StripeGateway  # the SDK: only where it is used

    return StripeGateway(secret_key, webhook_secret, settings().stripe_api_base)


def _helloasso(client_id: str, client_secret: str, organisation: str) -> Gateway:
    return HelloAssoGateway(client_id, client_secret, organisation, settings().helloasso_api_base)


_MAKERS: Mapping[str, Callable[..., Gateway]] = {STRIPE: _stripe, HELLOASSO: _helloasso}
