"""The nightly backup."""

from __future__ import annotations

from coworking.core import backup
from tasks.app import celery


@celery.task(name="backup.nightly")
def nightly() -> str | None:
    """Make the night's backup when it is due and ``BACKUP_DIR`` is set; return its folder."""
    made = backup.nightly()
    return made and made.name
