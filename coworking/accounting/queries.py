"""What the last nightly check found."""

from __future__ import annotations

from sqlalchemy import select

from coworking.accounting.models import AuditRun
from coworking.core.db import db


def last_audit_run() -> AuditRun | None:
    """The last run of the nightly check."""
    return db.session.scalars(select(AuditRun).order_by(AuditRun.id.desc()).limit(1)).one_or_none()
