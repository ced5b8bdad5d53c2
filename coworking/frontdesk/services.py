"""Changes to failed background work, which pages of several packages show."""

from __future__ import annotations

from coworking.core import outbox
from coworking.core.errors import Forbidden
from coworking.core.policy import Actor, Role
from coworking.core.units import write_unit
from coworking.frontdesk.today import OF_MANAGERS


def retry_failed(public_id: str) -> None:
    """Try an outbox row that failed for good once more."""
    with write_unit():
        outbox.retry(public_id)


def dismiss_failed(actor: Actor, public_id: str) -> None:
    """Stop showing an outbox row that failed for good; only a manager may do so for returns to the network head."""
    if not actor.has(Role.MANAGER) and any(
        row.public_id == public_id and row.topic in OF_MANAGERS for row in outbox.failed()
    ):
        raise Forbidden()
    with write_unit():
        outbox.dismiss(public_id)
