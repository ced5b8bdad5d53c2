"""An invoice of the lieu in October, and a lieu that reminds of it."""

from __future__ import annotations

import pytest

from coworking.billing import services
from coworking.billing.models import Invoice
from tests.support.billing import OCTOBER
from tests.support.reminders import remind_from_now_on


@pytest.fixture
def invoice(billing_lieu, inside) -> Invoice:
    return next(row for row in services.run(billing_lieu.manager, OCTOBER).issued if row.payable_cents == 6600)


@pytest.fixture
def lise(billing_lieu):
    """Who owes the invoice."""
    return billing_lieu.cast.stranger


@pytest.fixture
def on(billing_lieu, invoice):
    """Lise owes 66 € since today (Anne 9 €, the employer 27 € from 24 December on), and reminders leave by themselves."""
    remind_from_now_on(billing_lieu)
    return billing_lieu
