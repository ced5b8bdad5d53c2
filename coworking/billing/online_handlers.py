"""After a gateway's notification, and when our own look at a payment is due. Nothing here runs inside a unit of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from coworking.billing import online
from coworking.billing.gateways.port import GatewayRefused
from coworking.billing.online_rules import FactDisagrees
from coworking.core import outbox


@contextmanager
def _needs_a_person() -> Iterator[None]:
    """What asking again would not change fails at once, and a manager sees it."""
    try:
        yield
    except (FactDisagrees, GatewayRefused) as error:
        raise outbox.GiveUp(str(error)) from error


@outbox.handler(online.NOTIFIED)
def notified(job: outbox.Job) -> None:
    """Fetch what a notification is about and write down how it stands; another program's checkout is none of ours."""
    with _needs_a_person():
        online.settle(job.payload["gateway"], job.payload["checkout"])


@outbox.handler(online.LOOK)
def look(job: outbox.Job) -> None:
    """See what became of a payment, whether or not anyone told."""
    with _needs_a_person():
        online.look(job.payload["payment"], job.payload["turn"])
