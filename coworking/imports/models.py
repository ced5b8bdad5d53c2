"""Files that are imported, and what became of each of their lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import MANAGER
from coworking.core.types import BigId, UTCDateTime, public_id


class ImportFile(Model):
    """A file that a manager uploaded: its lines (``content``, until it is imported), and how far its import is.

    ``sha256`` is that of the file: uploaded again, it is the same row. ``columns``: what each column holds, once that was
    said. ``decisions``: by line number what was decided about a doubt, ``doubts`` about all others. ``done`` counts the
    lines that were worked through, in units; ``run`` how often it was started. ``invited``: lines whose people were
    invited by e-mail since ``invited_at``.
    """

    __tablename__ = "import_file"
    __table_args__ = (
        UniqueConstraint("subject", "sha256"),
        CheckConstraint(
            "subject IN ('people', 'organisations', 'subscriptions', 'plan_months', 'balances', 'bookings')",
            name="subject",
        ),
        CheckConstraint("state IN ('uploaded', 'running', 'stopped', 'done')", name="state"),
        CheckConstraint("doubts IN ('skip', 'same', 'new')", name="doubts"),
        CheckConstraint("done BETWEEN 0 AND lines", name="done"),
        Index("ix_import_file_created_at", "created_at"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    subject: Mapped[str]
    file_name: Mapped[str] = mapped_column(info={"seen_by": (MANAGER,)})
    sha256: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"seen_by": (MANAGER,)})
    columns: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    replaces: Mapped[bool] = mapped_column(default=False)
    doubts: Mapped[str] = mapped_column(default="skip")
    decisions: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(default="uploaded")
    lines: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    run: Mapped[int] = mapped_column(default=0)
    invited: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    invited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ImportLine(Model):
    """What became of line ``line`` of a file. ``words`` and ``params``: what to know, as a `DomainError` says it; see
    `report_rules`."""

    __tablename__ = "import_line"
    __table_args__ = (
        UniqueConstraint("file_id", "line"),
        CheckConstraint("outcome IN ('added', 'changed', 'same', 'left_out')", name="outcome"),
        Index("ix_import_line_person_id", "person_id"),
    )

    id: Mapped[BigId]
    file_id: Mapped[int] = mapped_column(ForeignKey("import_file.id"))
    line: Mapped[int]
    outcome: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(info={"seen_by": (MANAGER,)})
    words: Mapped[str | None]
    params: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info={"seen_by": (MANAGER,)})
