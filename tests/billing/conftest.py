"""An invoice of the lieu in October, and a gateway that takes money for it."""

from __future__ import annotations

import pytest

from coworking.billing import services
from coworking.billing.models import Invoice
from coworking.core.units import write_unit
from coworking.spaces.calendar import lock_lieu
from tests.support.billing import OCTOBER
from tests.support.gateway import MemoryGateway


@pytest.fixture
def invoice(billing_lieu, inside) -> Invoice:
    return next(row for row in services.run(billing_lieu.manager, OCTOBER).issued if row.payable_cents == 6600)


@pytest.fixture
def gateway(monkeypatch, billing_lieu, app) -> MemoryGateway:
    """A gateway that the lieu, a simulation, has test keys for."""
    made = MemoryGateway()
    monkeypatch.setattr("coworking.billing.online_queries.gateways", lambda: [made])
    for module in ("online", "views_notified"):
        monkeypatch.setattr(f"coworking.billing.{module}.gateway_named", {made.name: made}.get)
    with app.app_context(), write_unit():
        lock_lieu().is_simulation = True
    return made
