"""The instance's settings, where code that runs inside the application finds them."""

from __future__ import annotations

from typing import cast

from flask import current_app

from config import Config


def settings() -> Config:
    """The `Config` this application was made with."""
    return cast(Config, current_app.extensions["settings"])
