"""What works once: using it writes its digest, and the database refuses the same digest again."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from coworking.accounts.models import UsedOnce
from coworking.core.clock import now
from coworking.core.errors import Gone
from coworking.core.sql import inserted
from coworking.core.units import require_unit


def use(text: str, *, lasts: timedelta) -> None:
    """Use ``text``, in the open unit; of two who do so at once one waits for the other. Raises `Gone` when it was used.

    ``lasts``: how long it would work from being made. By then its signature is too old, and its row may go.
    """
    require_unit()
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not inserted(UsedOnce, digest=digest, ends_at=now() + lasts):
        raise Gone()
