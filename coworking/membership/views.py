"""Every page about membership, on one blueprint."""

from __future__ import annotations

from coworking.membership import (
    views_change,
    views_ledger,
    views_mine,
    views_organisations,
    views_packs,
    views_plans,
    views_reduced,
    views_sold,
    views_subscriptions,
)
from coworking.membership.pages import blueprint

PAGES = (
    views_change,
    views_ledger,
    views_mine,
    views_organisations,
    views_packs,
    views_plans,
    views_reduced,
    views_sold,
    views_subscriptions,
)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
