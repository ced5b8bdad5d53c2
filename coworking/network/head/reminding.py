"""Asking lieux for a return that is late: one press of the lead, one e-mail a day to each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from coworking.core import audit, mail, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.months import read_month, write_month
from coworking.core.policy import Actor
from coworking.core.sql import inserted
from coworking.core.units import write_unit
from coworking.network.head import overview, queries
from coworking.network.head.models import LateReminder, NetworkLieu
from coworking.spaces import queries as spaces

TOPIC = "network.remind"


class NotLateYet(DomainError):
    code = "not_late_yet"
    status = 409
    message = N_("The returns of this month are not late yet: no e-mail was sent.")


def write_to_late(actor: Actor, month: date, chosen: Collection[str]) -> list[str]:
    """Ask those of the lieux ``chosen`` (public ids) for ``month`` whose return has not come; return their names.

    Who has no e-mail address, or was written to today, is left out. Raises `NotLateYet`.
    """
    if not overview.is_late(month):
        raise NotLateYet()
    day, written, wanted = spaces.today(), list[str](), set(chosen)
    with write_unit() as unit:
        for one in queries.network_month(month):
            lieu = one.lieu
            if one.said is not None or lieu.public_id not in wanted or lieu.contact_email is None:
                continue
            values = {"month": month, "day": day, "written_at": now(), "written_by_id": actor.person_id}
            if not inserted(LateReminder, network_lieu_id=lieu.id, **values):
                continue
            key = f"{TOPIC}:{lieu.public_id}:{write_month(month)}:{day.isoformat()}"
            outbox.enqueue(TOPIC, key, {"lieu": lieu.id, "month": write_month(month)})
            audit.record(actor, "network.reminded", ("network_lieu", lieu.id), month=write_month(month))
            written.append(lieu.name)
        unit.result = write_month(month)
    return written


def send(job: outbox.Job) -> None:
    """Send the e-mail, unless there is no reason for it any more. Not to be called within a unit."""
    month = read_month(job.payload["month"])
    lieu = db.session.get(NetworkLieu, job.payload["lieu"])
    if lieu is None or lieu.contact_email is None or not queries.is_still_missing(lieu.id, month):
        return
    head = spaces.lieu()
    mail.deliver(
        job.id,
        template="network/reminder",
        to=lieu.contact_email,
        locale="fr",
        context={
            "place": head.name,
            "lieu": lieu.name,
            "month": month,
            "way": lieu.way,
            "reach": ", ".join(filter(None, (head.email, head.phone))),
        },
    )
