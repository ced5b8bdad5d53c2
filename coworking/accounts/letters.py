"""Writing to a person: by e-mail, or, for who has no address, on paper that the team hands over.

Everything that tells somebody something goes through `write_to`, so that an e-mail and its paper copy are one text.
"""

from __future__ import annotations

from typing import Literal

from coworking.accounts.models import Person
from coworking.accounts.paper_models import PaperMessage
from coworking.core import mail, outbox
from coworking.core.clock import now
from coworking.core.sql import inserted
from coworking.core.types import public_id
from coworking.core.units import end_read, write_unit

About = Literal["booking", "membership", "billing", "account"]


def write_to(
    job: outbox.Job,
    person: Person,
    *,
    about: About,
    template: str,
    context: dict[str, object],
    attachments: tuple[mail.Attachment, ...] = (),
    invoice: str | None = None,
    reader: Person | None = None,
    on_paper: bool = True,
) -> None:
    """Send ``person`` the e-mail of ``template``, or write it down on paper; nothing for a closed account.

    ``reader``: who gets the e-mail for them (`booking_proxies.reader_of`). ``invoice``: the public id of the invoice that
    goes with the paper, where the e-mail has it attached. ``on_paper`` False: it would come too late on paper. Not inside a
    unit. Raises as `mail.deliver`.
    """
    if not person.is_active:
        return
    if person.email is not None:
        mail.deliver(
            job.id,
            template=template,
            to=person.email,
            locale=person.locale,
            context=context,
            attachments=attachments,
        )
        return
    if reader is not None and reader.email is not None:
        mail.deliver(
            job.id,
            template=template,
            to=reader.email,
            locale=person.locale,
            context=context | {"first_name": reader.first_name, "on_behalf": person.name},
            attachments=attachments,
        )
        return
    if not on_paper:
        return
    subject, text = mail.on_paper(template=template, locale=person.locale, context=context)
    values = {"person_id": person.id, "about": about, "locale": person.locale, "subject": subject, "text": text}
    end_read()
    with write_unit():  # the work may run twice: the paper is written once
        inserted(
            PaperMessage,
            public_id=public_id(),
            job=job.id,
            invoice=invoice,
            made_at=now(),
            handed_at=None,
            handed_by_id=None,
            **values,
        )
