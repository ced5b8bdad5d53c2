"""The nightly check: run the checks of ``flask audit`` and e-mail the managers what is wrong.

The same is told once a week, not every night; *Today* shows it to managers until a night finds nothing.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256

from coworking.accounting import queries
from coworking.accounting.emails import to_manager
from coworking.accounting.models import AuditRun
from coworking.accounts import manager_queries
from coworking.core import checks, outbox, place
from coworking.core.alone import alone
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.settings import settings
from coworking.core.units import end_read, write_unit

TOPIC = "accounting.audit"

FIRST_HOUR = 3
"""The check runs at this hour of the lieu's clock, an hour after the backup, or as soon afterwards as the worker runs."""

AGAIN = timedelta(minutes=9)
"""What was not there the night before is looked at once more before anybody is told: when a machine was off for days, the
other jobs catch up meanwhile, and nothing is wrong."""

REMIND = timedelta(days=6, hours=12)
"""After this the managers get another e-mail about what is still wrong: a week later, whatever the minute of that night."""

LINES = 10
"""How many lines an e-mail quotes. The first that is broken says the most."""

WIDTH = 200
"""A line quotes the database, where somebody may have written anything."""

Found = list[tuple[str, list[str]]]
"""What is claimed and does not hold, with the check's sentences."""


def run_due() -> int | None:
    """Run tonight's check when it is due; return how many checks found something, None when it did not run."""
    last = queries.last_audit_run()
    if not place.name() or not is_due(now().astimezone(place.clock()), last):
        return None
    seen = last.id if last else None
    end_read()
    with alone(settings().data_dir / "audit.lock") as mine:
        if not mine:
            return None
        found = [(one.claim, sentences) for one, sentences in checks.run() if sentences and not one.on_today]
        return _record(found, seen)


def is_due(local: datetime, last: AuditRun | None) -> bool:
    """Whether the check should run at ``local`` (the lieu's clock) after the run ``last``."""
    if last is not None and last.broken and last.told_at is None:
        return local - last.created_at >= AGAIN
    return local.hour >= FIRST_HOUR and (last is None or last.created_at.astimezone(local.tzinfo).date() < local.date())


def _record(found: Found, seen: int | None) -> int | None:
    """Keep the result and enqueue what the managers are to be told, unless another run was kept since ``seen``."""
    digest = sha256(json.dumps(found).encode()).hexdigest() if found else None
    instant = now()
    with write_unit():
        last = queries.last_audit_run()
        if (last.id if last else None) != seen:
            return None
        told_at = _told_at(digest, last, instant)
        db.session.add(AuditRun(created_at=instant, broken=len(found), digest=digest, told_at=told_at))
        if digest is not None and told_at == instant:
            _tell(found, digest, instant)
    return len(found)


def _told_at(digest: str | None, last: AuditRun | None, instant: datetime) -> datetime | None:
    """When the managers were told of what has this digest: ``instant`` when they are to be told now."""
    if digest is None or last is None or not last.broken:
        return None
    if last.told_at is not None and last.digest == digest and instant - last.told_at < REMIND:
        return last.told_at
    return instant


def _tell(found: Found, digest: str, instant: datetime) -> None:
    day = instant.astimezone(place.clock()).date().isoformat()
    lines = quoted(found)
    more = sum(len(sentences) for _, sentences in found) > len(lines)
    for person in manager_queries.managers():
        payload = {"person": person, "day": day, "lines": lines, "more": more}
        outbox.enqueue(TOPIC, f"{TOPIC}:{digest}:{day}:{person}", payload)


def quoted(found: Found) -> list[str]:
    """The first lines of what was found, as many of each check, for an e-mail."""
    each = max(1, LINES // len(found))
    said = [sentence for _, sentences in found for sentence in sentences[:each]]
    return [" ".join(sentence.split())[:WIDTH] for sentence in said[:LINES]]


@outbox.handler(TOPIC)
def send(job: outbox.Job) -> None:
    """Tell one manager what was found, if they still are one."""
    to_manager(job, "accounting/nightly", lines=job.payload["lines"], more=job.payload["more"])
