"""Every page about people, on one blueprint."""

from __future__ import annotations

from coworking.accounts import (
    session,
    views_entry,
    views_erasing,
    views_link,
    views_log,
    views_me,
    views_my_data,
    views_passkeys,
    views_people,
    views_second_step,
    views_security,
    views_terms,
)
from coworking.accounts.pages import blueprint

blueprint.before_app_request(session.ask_team_for_second_step)
blueprint.after_app_request(session.note_use)
blueprint.after_app_request(session.note_refusal)

PAGES = (
    views_entry,
    views_erasing,
    views_link,
    views_log,
    views_me,
    views_my_data,
    views_passkeys,
    views_people,
    views_second_step,
    views_security,
    views_terms,
)
"""Importing them puts their routes on ``blueprint``."""

__all__ = ["PAGES", "blueprint"]
