"""The host's pages on one blueprint: Today, the planning, booking for someone, « Plus »."""

from __future__ import annotations

from coworking.frontdesk import (
    views_card,
    views_drawer,
    views_for_someone,
    views_message,
    views_more,
    views_paper,
    views_planning,
    views_problems,
    views_sell,
    views_story,
    views_today,
)
from coworking.frontdesk.pages import blueprint

PAGES = (
    views_today,
    views_planning,
    views_for_someone,
    views_message,
    views_problems,
    views_more,
    views_sell,
    views_drawer,
    views_story,
    views_card,
    views_paper,
)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
