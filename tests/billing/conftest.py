"""An invoice of the lieu in October."""

from __future__ import annotations

import pytest

from coworking.billing import services
from coworking.billing.models import Invoice
from tests.support.billing import OCTOBER


@pytest.fixture
def invoice(billing_lieu, inside) -> Invoice:
    return next(row for row in services.run(billing_lieu.manager, OCTOBER).issued if row.payable_cents == 6600)
