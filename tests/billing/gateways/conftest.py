"""Stripe's adapter and our double of Stripe, speaking HTTP to each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coworking.billing.gateways.stripe_gateway import StripeGateway
from coworking.demo.stripe_double.double import StripeDouble
from tests.conftest import Clock
from tests.support.stripe import SECRET_KEY, WEBHOOK_SECRET, RunningDouble, running_double


@pytest.fixture
def running(clock: Clock) -> Iterator[RunningDouble]:
    """The double, listening; it tells nobody."""
    with running_double() as running:
        yield running


@pytest.fixture
def double(running: RunningDouble) -> StripeDouble:
    """What the double knows, and what can go wrong with it."""
    return running.double


@pytest.fixture
def gateway(running: RunningDouble) -> StripeGateway:
    """The adapter of the product, with the double's keys."""
    return StripeGateway(SECRET_KEY, WEBHOOK_SECRET, running.url)
