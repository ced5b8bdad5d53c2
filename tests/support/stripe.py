"""The double of Stripe answering on 127.0.0.1 in a thread of this process: it shares the test's clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coworking.billing.gateways.port import CheckoutWanted
from coworking.demo.stripe_double.app import create_double
from coworking.demo.stripe_double.double import StripeDouble
from tests.support.live import Live
from tests.support.redis import free_port

SECRET_KEY = "sk_test_of_the_tests"
WEBHOOK_SECRET = "whsec_of_the_tests"


@dataclass(frozen=True)
class RunningDouble:
    """``double`` on ``url``, which is the product's ``STRIPE_API_BASE``; `stop` it to be without Stripe."""

    double: StripeDouble
    live: Live

    @property
    def url(self) -> str:
        return self.live.url


@contextmanager
def running_double(notify_url: str | None = None) -> Iterator[RunningDouble]:
    """A double that tells ``notify_url`` what happens; every fault is over when the block ends."""
    double = create_double(SECRET_KEY, WEBHOOK_SECRET, notify_url)
    live = Live(double.app, free_port()).start()
    try:
        yield RunningDouble(double, live)
    finally:
        double.faults.clear()
        live.stop()


def wanted(key: str = "payment-1", cents: int = 6000, **changes: object) -> CheckoutWanted:
    """A payment of 60 € by Camille, with ``changes``."""
    values: dict[str, object] = {
        "key": key,
        "cents": cents,
        "currency": "EUR",
        "label": "Facture 2026-0042",
        "email": "camille@example.org",
        "locale": "fr",
        "return_url": "http://127.0.0.1:9/pay/back?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/invoices/42",
    }
    return CheckoutWanted(**values | changes)  # type: ignore[arg-type] - the port's own fields
