"""E-mails to managers about the accounts."""

from __future__ import annotations

from datetime import date
from typing import Any

from coworking.accounts import manager_queries
from coworking.core import mail, outbox, place


def to_manager(job: outbox.Job, template: str, **context: Any) -> None:
    """Send ``template`` to the manager whom the job's payload names as ``person``, if they still are one.

    The e-mail's texts know the lieu's ``place`` and, beside ``context``, the payload's ``day``.
    """
    person = manager_queries.manager(job.payload["person"])
    if person is None:
        return
    assert person.email is not None, "only managers who have one are asked for"
    mail.deliver(
        job.id,
        template=template,
        to=person.email,
        locale=person.locale,
        context={"place": place.name(), "day": date.fromisoformat(job.payload["day"]), **context},
    )
