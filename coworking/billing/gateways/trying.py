"""The manager's button that tries keys: what they open, or in plain words what is wrong."""

from __future__ import annotations

from coworking.billing.charges import check_manager
from coworking.billing.gateways.accounts import note_look
from coworking.billing.gateways.key_rules import check_gateway
from coworking.billing.gateways.port import GatewayAccount, GatewayRefused, GatewayUnavailable
from coworking.billing.gateways.registry import standings
from coworking.core.errors import N_, DomainError
from coworking.core.policy import Actor
from coworking.core.units import end_read

_REVOKED = frozenset({"401", "api_key_expired", "invalid_client", "unauthorized_client"})
_LACKING = frozenset({"403", "more_permissions_required", "secret_key_required"})


class NothingToTry(DomainError):
    code = "nothing_to_try"
    status = 409
    message = N_("There are no keys that could be tried. Type them first.")


class KeysRevoked(DomainError):
    code = "keys_revoked"
    status = 409
    message = N_("These keys open no account: one was revoked, or not copied whole. Copy them again.")


class RightLacking(DomainError):
    code = "right_lacking"
    status = 409
    message = N_(
        "This key lacks a right. The rights it needs are listed on this page. Give it those, or make a new one."
    )


class LookRefused(DomainError):
    code = "look_refused"
    status = 409
    message = N_("The keys were refused, with these words: %(words)s")


class ProviderAway(DomainError):
    code = "provider_away"
    status = 503
    message = N_("The provider does not answer just now. The keys may be right: try again in a few minutes.")


def try_keys(actor: Actor, gateway: str) -> GatewayAccount:
    """Ask the provider what the keys of ``gateway`` open, and keep its answer beside keys that were typed.

    Raises `NothingToTry`, `KeysRevoked`, `RightLacking`, `LookRefused` or `ProviderAway`. Not inside a unit.
    """
    check_manager(actor)
    check_gateway(gateway)
    found = next(one for one in standings() if one.name == gateway)
    if found.gateway is None:
        raise NothingToTry()
    tried = found.row.secrets if found.row is not None else None
    end_read()
    try:
        account = found.gateway.look()
    except GatewayUnavailable as error:
        raise ProviderAway() from error
    except GatewayRefused as refusal:
        if refusal.code in _REVOKED:
            raise KeysRevoked() from refusal
        if refusal.code in _LACKING:
            raise RightLacking() from refusal
        raise LookRefused(words=str(refusal)[:300]) from refusal
    if tried is not None:
        note_look(actor, gateway, tried, account)
    return account
