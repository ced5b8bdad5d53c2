"""``/api/v1``, on one blueprint: HTTP in, services, JSON out. Bearer tokens only; each endpoint names the scope it wants."""

from __future__ import annotations

from coworking.api import (
    views_agreements,
    views_allowances,
    views_bookings,
    views_duplicates,
    views_invoices,
    views_lieu,
    views_my_data,
    views_organisations,
    views_pack_requests,
    views_payers,
    views_payments,
    views_people,
    views_places,
    views_plans,
    views_price_groups,
    views_reduced,
    views_returns,
    views_sold,
    views_tariffs,
    views_terms,
)
from coworking.api.pages import blueprint

ENDPOINTS = (
    views_lieu,
    views_bookings,
    views_allowances,
    views_pack_requests,
    views_plans,
    views_places,
    views_people,
    views_reduced,
    views_organisations,
    views_agreements,
    views_terms,
    views_tariffs,
    views_price_groups,
    views_sold,
    views_duplicates,
    views_my_data,
    views_invoices,
    views_payments,
    views_payers,
    views_returns,
)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["ENDPOINTS", "blueprint"]
