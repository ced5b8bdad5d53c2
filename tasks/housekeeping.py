"""Delete expired records."""

from __future__ import annotations

from coworking.accounts import devices, invitations, once, throttle
from coworking.booking import problems, refusals
from coworking.core import idempotency, security
from coworking.imports import services as imports
from tasks.app import celery


@celery.task(name="housekeeping.purge")
def purge() -> int:
    """Forget what is old: keys, attempts, devices, used links, security events, who was refused, problems; count rows."""
    purges = (
        idempotency.purge,
        throttle.purge,
        devices.purge,
        once.purge,
        invitations.purge,
        security.purge,
        refusals.forget_who,
        problems.purge,
        imports.purge,
    )
    return sum(one() for one in purges)
