"""The gateways that this lieu has keys for."""

from __future__ import annotations

from coworking.billing.gateways.port import Gateway
from coworking.core.settings import settings

NAMES = ("stripe",)
"""Every gateway the product knows, in the order in which payers are offered them."""


def gateways() -> list[Gateway]:
    """Those that can be paid with here, in the order of `NAMES`."""
    return [found for name in NAMES if (found := gateway_named(name)) is not None]


def gateway_named(name: str) -> Gateway | None:
    """The gateway ``name``; None where this lieu has no keys for it."""
    return _stripe() if name == "stripe" else None


def _stripe() -> Gateway | None:
    given = settings()
    if given.stripe_secret_key is None:
        return None
    from coworking.billing.gateways.stripe_gateway import StripeGateway  # the SDK: only where it is used

    return StripeGateway(given.stripe_secret_key, given.stripe_webhook_secret, given.stripe_api_base)
