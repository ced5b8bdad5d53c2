"""Every page about people, on one blueprint."""

from __future__ import annotations

from coworking.accounts import views_entry, views_me, views_people
from coworking.accounts.pages import blueprint

PAGES = (views_entry, views_me, views_people)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
