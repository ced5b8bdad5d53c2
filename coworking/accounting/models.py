"""What the nightly check found, night by night."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.db import Model
from coworking.core.types import BigId, UTCDateTime


class AuditRun(Model):
    """One run of the nightly check.

    ``broken``: how many checks found something; ``digest``: of all that was found, so that the same is recognised;
    ``told_at``: when the managers were last told of just this, None while nothing is wrong or it was seen only once.
    """

    __tablename__ = "audit_run"

    id: Mapped[BigId]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    broken: Mapped[int]
    digest: Mapped[str | None]
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
