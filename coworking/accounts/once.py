"""What works once: using it writes its digest, and the database refuses the same digest again."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from coworking.accounts.models import UsedOnce
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Gone
from coworking.core.sql import inserted
from coworking.core.units import require_unit


def use(text: str, *, lasts: timedelta) -> None:
    """Use ``text``, in the open unit; of two who do so at once one waits for the other. Raises `Gone` when it was used.

    ``lasts``: how long it would work from being made. By then its signature is too old, and its row may go.
    """
    require_unit()
    if not inserted(UsedOnce, digest=_digest(text), ends_at=now() + lasts):
        raise Gone()


def was_used(text: str) -> bool:
    """Whether ``text`` was used; by the time one uses it, it may have been (1 statement)."""
    return db.session.get(UsedOnce, _digest(text)) is not None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
