"""A message from the host to everyone who comes on a day: the door is broken, the heating is off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from coworking.accounts.models import Person
from coworking.booking.message_models import DayMessage
from coworking.booking.queries import day_bookings
from coworking.booking.rules import BeyondHorizon, InPast
from coworking.core import audit, mail, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.sql import inserted
from coworking.core.units import write_unit
from coworking.spaces import queries as spaces

TOPIC = "booking.message"
_KEY = re.compile(r"[0-9a-z]{16}")


@dataclass(frozen=True, slots=True)
class Visitors:
    """Those who come on a day and have not gone: who can be written to, and who must be phoned."""

    by_email: tuple[Person, ...]
    by_phone: tuple[Person, ...]


def visitors(day: date) -> Visitors:
    """Who has a booking on ``day`` that is not over, each once, by the hour they come: three statements."""
    people = {row.person.id: row.person for row in day_bookings(day) if row.ends_at > now()}
    active = [person for person in people.values() if person.is_active]
    return Visitors(tuple(p for p in active if p.email), tuple(p for p in active if not p.email))


def check_day(day: date) -> None:
    """Raise unless people can still come on ``day``."""
    today = spaces.today()
    if day < today:
        raise InPast(field="day")
    last = spaces.last_known_day()
    if last is None or day > last:
        raise BeyondHorizon(last=last or today, field="day")


def send(actor: Actor, key: str, *, day: date, subject: str, words: str) -> DayMessage:
    """Write to everyone who comes on ``day``, once: ``key`` names the page that was shown before, and a second tap on it
    sends nothing more."""
    if not _KEY.fullmatch(key):
        raise NotFound()
    check_day(day)
    with write_unit() as unit:
        unit.result = key
        people = visitors(day).by_email
        values = {"day": day, "subject": subject, "words": words, "people": len(people), "sender_id": actor.person_id}
        if inserted(DayMessage, public_id=key, sent_at=now(), **values):
            for person in people:
                outbox.enqueue(
                    TOPIC, f"day-message:{key}:{person.public_id}", {"message": key, "person": person.public_id}
                )
            sent = sent_message(key)
            audit.record(actor, "message.sent", ("day_message", sent.id), day=day.isoformat(), people=len(people))
    return sent_message(key)


def sent_message(public_id: str) -> DayMessage:
    """A message that was sent, with its sender; `NotFound`."""
    statement = select(DayMessage).options(joinedload(DayMessage.sender)).where(DayMessage.public_id == public_id)
    found = db.session.scalars(statement).unique().one_or_none()
    if found is None:
        raise NotFound()
    return found


@outbox.handler(TOPIC)
def deliver(job: outbox.Job) -> None:
    """One person's e-mail, in their language around the host's own words."""
    message = sent_message(job.payload["message"])
    person = db.session.scalars(select(Person).where(Person.public_id == job.payload["person"])).unique().one_or_none()
    if person is None or person.email is None or not person.is_active:
        return
    mail.deliver(
        job.id,
        template="booking/message",
        to=person.email,
        locale=person.locale,
        context={
            "place": spaces.lieu().name,
            "first_name": person.first_name,
            "subject": message.subject,
            "words": message.words,
            "sender": message.sender.name,
            "day": message.day,
            "base_url": settings().base_url,
        },
    )
