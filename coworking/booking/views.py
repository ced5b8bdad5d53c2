"""Every page about bookings, on one blueprint."""

from __future__ import annotations

from coworking.booking import views_bookings, views_rooms
from coworking.booking.pages import blueprint

PAGES = (views_bookings, views_rooms)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
