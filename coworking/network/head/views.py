"""Every page of a network head's lead, on one blueprint."""

from __future__ import annotations

from coworking.network.head import (
    views_directory,
    views_duplicates,
    views_entry,
    views_imports,
    views_lieu,
    views_month,
    views_reminders,
)
from coworking.network.head.pages import blueprint

PAGES = (views_month, views_directory, views_lieu, views_entry, views_imports, views_reminders, views_duplicates)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
