"""E-mail: rendered in the receiver's language and handed to SMTP, at least once, always with the same Message-ID.

Without ``SMTP_URL`` e-mails are written to ``DATA_DIR/mail`` as ``.eml`` files, so that a trial needs no mail server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app, render_template
from jinja2 import TemplateNotFound

from coworking.core import outbox, outgoing
from coworking.core.clock import now
from coworking.core.i18n import _, in_language
from coworking.core.sender import from_header, mail_settings
from coworking.core.settings import settings
from coworking.core.types import public_id
from coworking.core.units import end_read

_TRIAL_S = 8.0
"""How long a test e-mail may take, while a person waits."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to an e-mail; ``mime_type`` like ``text/calendar; method=PUBLISH``."""

    filename: str
    mime_type: str
    content: bytes


def enqueue(*, template: str, to: str, locale: str, context: dict[str, object], key: str) -> None:
    """Write an e-mail into the outbox of the open unit. ``context`` must be JSON."""
    outbox.enqueue("mail", key, {"template": template, "to": to, "locale": locale, "context": context})


@outbox.handler("mail")
def _send_enqueued(job: outbox.Job) -> None:
    payload = job.payload
    deliver(
        job.id,
        template=payload["template"],
        to=payload["to"],
        locale=payload["locale"],
        context=payload["context"],
    )


def deliver(
    message_id: str,
    *,
    template: str,
    to: str,
    locale: str,
    context: dict[str, object],
    attachments: tuple[Attachment, ...] = (),
) -> None:
    """Render ``email/<template>.txt`` (its first line is the subject) and ``.html`` if there is one, and send.

    Raises `outbox.GiveUp` when the server says that this address will never work, anything else to be retried.
    """
    message = render(message_id, template=template, to=to, locale=locale, context=context, attachments=attachments)
    end_read()
    url = settings().smtp_url
    if url is None:
        _write_to_file(message_id, message)
    else:
        try:
            outgoing.send_mail(url, message)
        except outgoing.MailRefused as error:
            raise outbox.GiveUp(str(error)) from error


def try_out(*, to: str, locale: str, place: str) -> tuple[bool, str]:
    """Send a test e-mail now: whether it was taken, and in the mail server's own words what it answered."""
    message_id = public_id()
    message = render(message_id, template="core/trial", to=to, locale=locale, context={"place": place})
    url = settings().smtp_url
    end_read()  # the server may take its time
    if url is None:
        return True, _write_to_file(message_id, message).name
    try:
        return True, outgoing.send_mail(url, message, total_s=_TRIAL_S)
    except (outgoing.MailRefused, OSError) as error:
        return False, outgoing.words_of(error)


def _write_to_file(message_id: str, message: EmailMessage) -> Path:
    folder = settings().data_dir / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{message_id}.eml"
    file.write_bytes(bytes(message))
    return file


def on_paper(*, template: str, locale: str, context: dict[str, object]) -> tuple[str, str]:
    """Subject and words of an e-mail for who reads it on paper: without the lines that lead to a page of the site."""
    base_url = settings().base_url
    with current_app.test_request_context(base_url=base_url), in_language(locale):
        subject, body = _words(template, context)
    lines = [line for line in body.splitlines() if base_url not in line]
    return subject, re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _words(template: str, context: dict[str, object]) -> tuple[str, str]:
    """Subject and text, in the language and the request around it."""
    subject, _newline, body = render_template(f"email/{template}.txt", **context).lstrip().partition("\n")
    return subject.strip(), body.strip()


def render(
    message_id: str,
    *,
    template: str,
    to: str,
    locale: str,
    context: dict[str, object],
    attachments: tuple[Attachment, ...] = (),
) -> EmailMessage:
    """The e-mail as its receiver gets it."""
    base_url = settings().base_url
    with current_app.test_request_context(base_url=base_url), in_language(locale):
        subject, body = _words(template, context)
        if name := context.get("on_behalf"):
            subject = f"{name} · {subject}"
            body = _("You get this e-mail because you book for %(name)s.", name=name) + "\n\n" + body
        try:
            html = render_template(f"email/{template}.html", **context)
        except TemplateNotFound:
            html = None
    host = urlsplit(base_url).hostname or "localhost"
    message = EmailMessage()
    message["Subject"] = subject
    sender = mail_settings()
    message["From"] = from_header(sender, str(context.get("place") or ""))
    if sender.reply_to:
        message["Reply-To"] = sender.reply_to
    message["To"] = to
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{message_id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body + "\n")
    if html is not None:
        message.add_alternative(html, subtype="html")
    for attachment in attachments:
        kind, _semicolon, parameters = attachment.mime_type.partition(";")
        main, _slash, sub = kind.strip().partition("/")
        extra = dict(p.strip().split("=", 1) for p in parameters.split(";") if p.strip())
        message.add_attachment(
            attachment.content, maintype=main, subtype=sub, filename=attachment.filename, params=extra
        )
    message["Content-Language"] = locale  # last: setting contents moves such headers away
    return message
