"""Every page of a network head's lead, on one blueprint."""

from __future__ import annotations

from coworking.network import views_directory, views_head, views_member
from coworking.network.pages import blueprint

PAGES = (views_head, views_directory, views_member)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
