"""The ``flask`` commands, thin over the services."""

from __future__ import annotations

from flask import Flask

from coworking.demo import commands as demo


def init_cli(app: Flask) -> None:
    """Register every command."""
    demo.init(app)
