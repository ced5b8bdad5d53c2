"""What the pages of prices share."""

from __future__ import annotations

from flask import Blueprint

from coworking.core.errors import N_

blueprint = Blueprint("pricing", __name__, url_prefix="/settings/prices")

ARTICLE_WORDS = {"goods": N_("goods"), "service": N_("service"), "deposit": N_("deposit, given back")}
