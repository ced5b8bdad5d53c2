"""What a network head carries out from the outbox."""

from __future__ import annotations

from coworking.core import outbox
from coworking.network.head import reminding


@outbox.handler(reminding.TOPIC)
def remind(job: outbox.Job) -> None:
    reminding.send(job)
