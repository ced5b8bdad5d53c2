"""Every page about bookings, on one blueprint."""

from __future__ import annotations

from coworking.booking import views_attestation, views_bookings, views_rooms, views_week
from coworking.booking.pages import blueprint

PAGES = (views_attestation, views_bookings, views_rooms, views_week)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
