"""Release holds that ran out, also where nobody asks for their time."""

from __future__ import annotations

from coworking.claims import services
from tasks.app import celery


@celery.task(name="claims.release_expired")
def release_expired() -> int:
    """Release expired holds; return how many."""
    return services.release_expired()
