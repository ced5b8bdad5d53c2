"""What pages that span packages change themselves."""

from __future__ import annotations

from coworking.core import outbox
from coworking.core.units import write_unit


def retry_failed(public_id: str) -> None:
    """Try an outbox row that failed for good once more."""
    with write_unit():
        outbox.retry(public_id)


def dismiss_failed(public_id: str) -> None:
    """Put an outbox row that failed for good away."""
    with write_unit():
        outbox.dismiss(public_id)
