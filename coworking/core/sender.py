"""Who the lieu's e-mails come from, where answers go, and whether that was ever tried."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import formataddr
from urllib.parse import urlsplit

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.errors import N_, DomainError
from coworking.core.policy import Actor
from coworking.core.privacy import MANAGER
from coworking.core.settings import settings
from coworking.core.types import UTCDateTime
from coworking.core.units import require_unit, write_unit

PAUSE = timedelta(seconds=20)
"""Between two test e-mails: each holds a thread for as long as the mail server takes."""


class TriedJustNow(DomainError):
    code = "tried_just_now"
    status = 429
    message = N_("A test e-mail was sent a moment ago. Wait a few seconds before the next one.")


class MailSettings(Model):
    """The sender (a single row, id 1). None: ``MAIL_FROM``, the lieu's name, no address for answers.

    ``tried_at``, ``tried_well`` and ``tried_answer`` tell of the last test e-mail with these settings.
    """

    __tablename__ = "mail_settings"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    from_name: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    from_address: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    reply_to: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tried_well: Mapped[bool | None]
    tried_answer: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})


def mail_settings() -> MailSettings:
    """The lieu's own settings; empty ones where nothing was set."""
    return db.session.get(MailSettings, 1) or MailSettings(id=1)


def default_address() -> str:
    """The address mails come from while the lieu sets none: ``MAIL_FROM``, else noreply at the site's own name."""
    return settings().mail_from or f"noreply@{urlsplit(settings().base_url).hostname or 'localhost'}"


def from_header(row: MailSettings, place: str) -> str:
    """The ``From`` of a mail of the lieu called ``place``."""
    return formataddr((row.from_name or place, row.from_address or default_address()))


def set_sender(*, from_name: str | None, from_address: str | None, reply_to: str | None) -> list[str]:
    """Set the sender in the open unit; return the names of what changed. A changed sender has to be tried again."""
    require_unit()
    row = _row()
    given = {"from_name": from_name, "from_address": from_address, "reply_to": reply_to}
    changed = sorted(name for name, value in given.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, given[name])
    if "from_address" in changed:
        row.tried_well, row.tried_answer = None, None
    return changed


def change(actor: Actor, **values: str | None) -> None:
    """Set the sender, with a trace of who changed what."""
    with write_unit():
        if changed := set_sender(**values):
            audit.record(actor, "mail.settings", ("lieu", 1), changed=changed)


def begin_trial() -> None:
    """Note that a test e-mail is about to leave; raises `TriedJustNow` when one left a moment ago."""
    with write_unit():
        row = _row()
        if row.tried_at is not None and now() - row.tried_at < PAUSE:
            raise TriedJustNow()
        row.tried_at, row.tried_well, row.tried_answer = now(), None, None


def end_trial(*, well: bool, answer: str) -> None:
    """Note what the mail server answered."""
    with write_unit():
        row = _row()
        row.tried_well, row.tried_answer = well, answer[:500]


def _row() -> MailSettings:
    row = db.session.get(MailSettings, 1)
    if row is None:
        db.session.add(row := MailSettings(id=1))
    return row
