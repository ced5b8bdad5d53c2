"""What the pages of prices share."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint

from coworking.core.errors import N_

blueprint = Blueprint("pricing", __name__, url_prefix="/settings/prices")

ARTICLE_WORDS = {"goods": N_("goods"), "service": N_("service"), "deposit": N_("deposit, given back")}


@dataclass(frozen=True, slots=True)
class PriceChange:
    """One price that changes: of every resource of ``kind``, or of the one called ``name``; ``is_day``: of a whole day.

    ``was`` and ``becomes`` in cents; None: it has none.
    """

    kind: str
    name: str | None
    is_day: bool
    was: int | None
    becomes: int | None
