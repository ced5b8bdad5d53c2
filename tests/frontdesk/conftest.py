"""Fixtures of the front desk."""

from __future__ import annotations

import pytest
from flask import Flask

from coworking.accounts.models import Person
from tests.support.billing import BillingLieu
from tests.support.twins import two_records


@pytest.fixture
def records(app: Flask, billing_lieu: BillingLieu) -> tuple[Person, Person]:
    """Two records of Odette: see `two_records`."""
    with app.app_context():
        return two_records(billing_lieu)
