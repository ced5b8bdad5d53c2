"""What the keys of each gateway look like, and what becomes of those that are kept when new ones are typed.

Test keys and live keys never mix: what belonged to the other mode is dropped with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from coworking.core.errors import N_, DomainError

STRIPE, HELLOASSO = "stripe", "helloasso"

FIELDS: Mapping[str, tuple[str, ...]] = {
    STRIPE: ("secret_key", "webhook_secret"),
    HELLOASSO: ("client_id", "client_secret", "organisation"),
}
"""What a manager types for each gateway, in the order of the form."""

_OPTIONAL = frozenset({"webhook_secret"})
_ENDING = 4


class UnknownGateway(DomainError):
    code = "unknown_gateway"
    status = 404
    message = N_("There is nothing at this address.")


class KeyMissing(DomainError):
    code = "key_missing"
    message = N_("Type or paste this key.")


class PublishableKey(DomainError):
    code = "publishable_key"
    field = "secret_key"
    message = N_("This is the publishable key. Copy the secret or restricted key, which begins with sk_ or rk_.")


class NotAStripeKey(DomainError):
    code = "not_a_stripe_key"
    field = "secret_key"
    message = N_("A key of Stripe begins with sk_test_, rk_test_, sk_live_ or rk_live_. Copy the whole of it.")


class NotASigningSecret(DomainError):
    code = "not_a_signing_secret"
    field = "webhook_secret"
    message = N_("A signing secret of Stripe begins with whsec_. Copy the whole of it.")


class NotAHelloAssoKey(DomainError):
    code = "not_a_helloasso_key"
    message = N_("This is no key of HelloAsso: letters and digits only. Copy the whole of it.")


class NotAnOrganisationName(DomainError):
    code = "not_an_organisation_name"
    field = "organisation"
    message = N_(
        "Copy the name as it stands in the address of your pages at HelloAsso: small letters, digits, hyphens."
    )


class LiveKeyElsewhere(DomainError):
    """A live key must not be sent to whatever address tests use."""

    code = "live_key_elsewhere"
    field = "secret_key"
    message = N_(
        "This key moves real money, and STRIPE_API_BASE on the server names another address than Stripe’s own. "
        "A live key is not sent there."
    )


def check_gateway(gateway: str) -> None:
    """Raise `UnknownGateway` for a name that the product does not know."""
    if gateway not in FIELDS:
        raise UnknownGateway()


def read_key(name: str, text: str) -> str:
    """What was typed for ``name``, without the spaces that copying brings; raises the error that says what is wrong."""
    key = "".join(text.split())
    if not key:
        raise KeyMissing(field=name)
    if name == "secret_key" and key.startswith("pk_"):
        raise PublishableKey()
    pattern, error = _SHAPES[name]
    if re.fullmatch(pattern, key, re.ASCII) is None:
        raise error(field=name)
    return key


_SHAPES: Mapping[str, tuple[str, type[DomainError]]] = {
    "secret_key": (r"[sr]k_(test|live)_\w{8,250}", NotAStripeKey),
    "webhook_secret": (r"whsec_[\w+/=-]{8,250}", NotASigningSecret),
    "client_id": (r"[\w-]{8,100}", NotAHelloAssoKey),
    "client_secret": (r"[\w+/=.-]{8,250}", NotAHelloAssoKey),
    "organisation": (r"[a-z0-9][a-z0-9-]{0,99}", NotAnOrganisationName),
}


def merged(gateway: str, kept: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """The keys to keep: each typed one in place of the old; raises `KeyMissing` for one that is then missing.

    What belongs to the account or mode of a replaced key goes with it.
    """
    keys = dict(kept)
    if gateway == STRIPE and is_live_key(typed.get("secret_key")) is not is_live_key(keys.get("secret_key")):
        keys = {} if "secret_key" in typed else keys
    if gateway == HELLOASSO and typed.get("client_id", keys.get("client_id")) != keys.get("client_id"):
        keys.pop("client_secret", None)
    keys.update(typed)
    for name in FIELDS[gateway]:
        if name not in keys and name not in _OPTIONAL:
            raise KeyMissing(field=name)
    return keys


def is_live_key(key: str | None) -> bool | None:
    """Whether a key of Stripe moves real money; None without one."""
    return None if key is None else "_live_" in key


def check_address(secret_key: str | None, api_base: str | None) -> None:
    """Raise `LiveKeyElsewhere` for a live key of Stripe that would go to another address than Stripe's own."""
    if api_base is not None and is_live_key(secret_key):
        raise LiveKeyElsewhere()


def ending(name: str, key: str) -> str:
    """What may be shown of a key: its last characters. The organisation's name is public."""
    return key if name == "organisation" else key[-_ENDING:]
