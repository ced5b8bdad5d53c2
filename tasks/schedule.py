"""The schedule of beat: which tasks, and how often.

Nothing here happens at an hour of the day: the hours in which UTC and local dates differ move with the seasons, and a
machine that slept through one would miss its night. Every few minutes each task looks at the lieu's own clock and at
what is still to do; looking again finds nothing.

A message nobody took before the next one is due expires: a worker that was away does not do the same look twice.
"""

from __future__ import annotations

from typing import Any

_MINUTE = 60
_TEN_MINUTES = 600


def _every(seconds: int, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": float(seconds), "options": {"expires": seconds - 10}}


SCHEDULE: dict[str, dict[str, Any]] = {
    entry["task"]: entry
    for entry in (
        _every(_MINUTE, "outbox.drain"),
        _every(_MINUTE, "claims.release_expired"),
        _every(_MINUTE, "accounting.seal_trail"),
        _every(_TEN_MINUTES, "spaces.keep_days"),
        _every(_TEN_MINUTES, "presence.expire_unconfirmed"),
        _every(_TEN_MINUTES, "booking.reminders"),
        _every(_TEN_MINUTES, "membership.consume_past"),
        _every(_TEN_MINUTES, "membership.warn_of_ending"),
        _every(_TEN_MINUTES, "residents.warn_of_ending"),
        _every(_TEN_MINUTES, "billing.gather"),
        _every(_TEN_MINUTES, "billing.credit_given_up"),
        _every(_TEN_MINUTES, "billing.collect"),
        _every(_TEN_MINUTES, "billing.remind"),
        _every(_TEN_MINUTES, "billing.reconcile"),
        _every(_TEN_MINUTES, "accounting.close"),
        _every(_TEN_MINUTES, "accounting.send_heads"),
        _every(_TEN_MINUTES, "housekeeping.purge"),
        _every(_TEN_MINUTES, "backup.nightly"),
        _every(_TEN_MINUTES, "accounting.audit"),
        _every(_TEN_MINUTES, "statistics.count_days"),
        _every(_TEN_MINUTES, "statistics.close_months"),
    )
}
