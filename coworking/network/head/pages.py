"""What the pages of a network head share."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("network_head", __name__, url_prefix="/network")
