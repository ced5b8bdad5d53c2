"""Requests that found nothing free: counted by day of use, once per person, day and kind; whose they were is not kept.

A refusal is noted when its own unit is over, so that whatever was to be written there is gone. A digest recognises the
same person's next try; it is emptied once nobody can try any more, and from then on a row is a number.
"""

from __future__ import annotations

import hmac
import logging
from datetime import date
from hashlib import sha256

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking.models import RefusedRequest
from coworking.claims import services as claims
from coworking.core.db import db
from coworking.core.errors import Busy
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.sql import inserted
from coworking.core.units import write_unit

log = logging.getLogger(__name__)


def note(actor: Actor, person: str | None, day: date, kind: str) -> None:
    """Count that ``person`` (public id; None: the actor) found no ``kind`` free on ``day``; a busy database may lose it."""
    try:
        with write_unit(beside=True):
            known = select(Person.id).where(Person.public_id == person)
            who = actor.person_id if person is None else db.session.scalar(known)
            if inserted(RefusedRequest, day=day, kind=kind, who=_digest(day, kind, who)):
                claims.touch(day)
    except Busy:
        log.warning("a refused request was not counted: the database was busy")


def _digest(day: date, kind: str, person_id: int | None) -> str:
    """What recognises a second try: it says nothing without the server's secret, and nothing of another day or kind."""
    said = f"refused request {day.isoformat()} {kind} {person_id}"
    return hmac.new(settings().secret_key.encode(), said.encode(), sha256).hexdigest()
