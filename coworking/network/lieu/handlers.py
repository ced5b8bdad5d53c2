"""Send a closed month to the head from the outbox, and say on the closing page where it goes."""

from __future__ import annotations

from datetime import date

from coworking.core import outbox
from coworking.core.months import read_month
from coworking.network.lieu import queries, sending, services
from coworking.network.lieu.labels import trouble
from coworking.statistics import recipients
from coworking.statistics.recipients import Recipient

PATIENCE = 120
"""Attempts before a return is given up: half a day of ever longer waits, then every six hours for four weeks."""


@outbox.handler("return.closed")
def closed(job: outbox.Job) -> None:
    services.plan(read_month(job.payload["month"]), job.payload["revision"])


@outbox.handler("network.send", attempts=PATIENCE)
def send(job: outbox.Job) -> None:
    try:
        sending.send(read_month(job.payload["month"]), job.payload["revision"], recipient=job.payload.get("recipient"))
    except sending.Refused as error:
        raise outbox.GiveUp(str(error)) from error


def recipient(month: date) -> Recipient | None:
    """Who receives ``month``, and what became of its last revision there."""
    head = queries.head_link()
    if head is None:
        return None
    last = queries.last_delivery(head, month)
    if last is None:
        return Recipient(head.name, since=head.enrolled_at)
    return Recipient(
        head.name,
        sent_at=last.sent_at,
        revision=last.revision,
        trouble=trouble(last.last_error) if last.state in {"waiting", "failed"} and last.last_error else None,
        by_email=head.way == "mail",
        since=head.enrolled_at,
    )


recipients.provided_by(recipient)
