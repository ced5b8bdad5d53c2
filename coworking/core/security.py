"""The security log: sign-ins, refusals, and changes of passwords, tokens and roles.

Each event is a line of the logger ``coworking.security`` and a row that managers can read for three months. It holds ids
and a shortened internet address, no names and no e-mail addresses.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from flask import has_request_context, request
from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.privacy import MANAGER
from coworking.core.types import BigId, BigInt, UTCDateTime
from coworking.core.units import require_unit, write_unit

log = logging.getLogger("coworking.security")
log.setLevel(logging.INFO)

PAGE = 100

SIGNED_IN = "signed_in"
SIGN_IN_FAILED = "sign_in_failed"
SIGNED_OUT = "signed_out"
WAIT = "wait"
REFUSED = "refused"
TOKEN_MADE = "token_made"  # noqa: S105 - a kind of event
TOKEN_ENDED = "token_ended"  # noqa: S105 - a kind of event
PASSWORD_SET = "password_set"  # noqa: S105 - a kind of event
RESET_ASKED = "reset_asked"
LINK_ASKED = "link_asked"
SECOND_STEP_ON = "second_step_on"
SECOND_STEP_OFF = "second_step_off"
SECOND_STEP_RESET = "second_step_reset"
SECOND_STEP_FAILED = "second_step_failed"
CODES_RENEWED = "codes_renewed"
CODE_USED = "code_used"
PASSKEY_ADDED = "passkey_added"
PASSKEY_REMOVED = "passkey_removed"
PASSKEY_REFUSED = "passkey_refused"
TEAM_SECOND_STEP = "team_second_step"
ROLES_CHANGED = "roles_changed"
EMAIL_CHANGE_ASKED = "email_change_asked"
EMAIL_CHANGED = "email_changed"
EMAIL_CHANGE_STOPPED = "email_change_stopped"
ACCOUNT_CLOSED = "account_closed"
ACCOUNT_ERASED = "account_erased"
DATA_COPIED = "data_copied"


class SecurityEvent(Model):
    """One event about ``person_id``, caused by ``actor_id`` (None: nobody signed in, or the system)."""

    __tablename__ = "security_event"

    id: Mapped[BigId]
    occurred_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    kind: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(BigInt)
    actor_id: Mapped[int | None] = mapped_column(BigInt)
    address: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, info={"seen_by": ()})


@dataclass(frozen=True, slots=True)
class EventsPage:
    """``events``, newest first, and the id before which the next page begins (None: nothing older)."""

    events: list[SecurityEvent]
    before: int | None


def record(kind: str, *, person_id: int | None = None, actor_id: int | None = None, **details: Any) -> None:
    """Write an event in the open unit, and its line. ``details`` must be JSON values without personal data."""
    require_unit()
    address = shortened(request.remote_addr) if has_request_context() else None
    db.session.add(
        SecurityEvent(
            occurred_at=now(), kind=kind, person_id=person_id, actor_id=actor_id, address=address, details=details
        )
    )
    said = {"person": person_id, "actor": actor_id, "address": address} | details
    log.info("%s %s", kind, " ".join(f"{name}={'-' if value is None else value}" for name, value in said.items()))


def note(kind: str, *, person_id: int | None = None, actor_id: int | None = None, **details: Any) -> None:
    """The same in a unit of its own, for what was refused and changed nothing."""
    with write_unit(beside=True):
        record(kind, person_id=person_id, actor_id=actor_id, **details)


def was_refused_lately(person_id: int | None, endpoint: str | None) -> bool:
    """Whether the same refusal of the same person was logged less than a minute ago."""
    rows = db.session.scalars(
        select(SecurityEvent.details).where(
            SecurityEvent.occurred_at > now() - timedelta(minutes=1),
            SecurityEvent.kind == REFUSED,
            SecurityEvent.person_id == person_id,
        )
    )
    return any(details.get("endpoint") == endpoint for details in rows)


def page(before: int | None = None, kind: str | None = None) -> EventsPage:
    """The latest events, or those before the id ``before``; of one ``kind`` when given."""
    statement = select(SecurityEvent).order_by(SecurityEvent.id.desc()).limit(PAGE + 1)
    if before is not None:
        statement = statement.where(SecurityEvent.id < before)
    if kind is not None:
        statement = statement.where(SecurityEvent.kind == kind)
    rows = list(db.session.scalars(statement))
    return EventsPage(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)


def every(kind: str | None = None) -> list[SecurityEvent]:
    """All the events that are kept, the latest first; of one ``kind`` when given."""
    statement = select(SecurityEvent).order_by(SecurityEvent.id.desc())
    return list(db.session.scalars(statement if kind is None else statement.where(SecurityEvent.kind == kind)))


def shortened(address: str | None) -> str | None:
    """The network of an internet address: /24 of IPv4, /48 of IPv6, so that it names no household."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    if parsed.version == 6 and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))
