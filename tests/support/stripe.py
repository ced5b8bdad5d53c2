"""The double of Stripe answering on 127.0.0.1 in a thread of this process: it shares the test's clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coworking.billing.gateways.port import CheckoutWanted, CollectionWanted, MeansFact, SavingWanted
from coworking.billing.gateways.stripe_gateway import StripeGateway
from coworking.demo.stripe_double.app import create_double
from coworking.demo.stripe_double.cards import GOOD_CARD
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


def saving(key: str = "saving-1", **changes: object) -> SavingWanted:
    """A means that Camille saves, with ``changes``."""
    values: dict[str, object] = {
        "key": key,
        "name": "Camille Roux",
        "email": "camille@example.org",
        "label": "La Fabrique du Pont",
        "currency": "EUR",
        "locale": "fr",
        "return_url": "http://127.0.0.1:9/means/back",
        "cancel_url": "http://127.0.0.1:9/means",
    }
    return SavingWanted(**values | changes)  # type: ignore[arg-type] - the port's own fields


@dataclass(frozen=True)
class Saved:
    """What a payer has saved on the double's page."""

    customer_id: str
    checkout_id: str
    means: MeansFact


def saved(gateway: StripeGateway, double: StripeDouble, number: str = GOOD_CARD, account: str | None = None) -> Saved:
    """Camille has saved the card of ``number``, or an ``account``."""
    opened = gateway.saved_means.begin_saving(saving(f"saving-{len(double.session_ids())}"))
    if account is not None:
        double.pay_by_debit(opened.checkout_id, account)
    elif double.pay_by_card(opened.checkout_id, number) == "wants_authentication":
        double.answer_authentication(opened.checkout_id, True)
    means = gateway.saved_means.fetch_saving(opened.checkout_id).means
    assert means is not None
    return Saved(opened.customer_id, opened.checkout_id, means)


def collection(saved: Saved, key: str = "collection-1", **changes: object) -> CollectionWanted:
    """60 € of a saved means, with ``changes``."""
    values: dict[str, object] = {
        "key": key,
        "cents": 6000,
        "currency": "EUR",
        "label": "Facture 2026-0042",
        "customer_id": saved.customer_id,
        "means_id": saved.means.means_id,
        "mandate_id": saved.means.mandate_id,
    }
    return CollectionWanted(**values | changes)  # type: ignore[arg-type] - the port's own fields
