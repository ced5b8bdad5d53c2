"""Letters about accounts, carried out from the outbox. Each looks at what is true when it leaves."""

from __future__ import annotations

from sqlalchemy import select

from coworking.accounts import letters, tokens
from coworking.accounts.models import Person
from coworking.core import mail, outbox, place
from coworking.core.db import db
from coworking.core.settings import settings

_PURPOSES = {letters.CONFIRM: tokens.CONFIRM, letters.RESET: tokens.RESET, letters.INVITE: tokens.INVITE}


@outbox.handler(letters.TOPIC)
def send(job: outbox.Job) -> None:
    letter = job.payload["letter"]
    statement = select(Person).where(Person.public_id == job.payload["person"])
    person = db.session.scalars(statement).unique().one_or_none()
    if person is None or person.email is None or not person.is_active:
        return
    if letter == letters.CONFIRM and person.email_confirmed_at is not None:
        return
    base_url = settings().base_url
    context: dict[str, object] = {
        "place": place.name(),
        "first_name": person.first_name,
        "email": person.email,
        "base_url": base_url,
    }
    purpose = _PURPOSES.get(letter)
    if purpose is not None:
        path = "confirm" if purpose == tokens.CONFIRM else "reset"
        context["url"] = f"{base_url}/{path}/{tokens.make_link(purpose, person)}"
    mail.deliver(job.id, template=f"accounts/{letter}", to=person.email, locale=person.locale, context=context)
