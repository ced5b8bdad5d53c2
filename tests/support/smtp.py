"""An SMTP server that keeps what it gets, and misbehaves when told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.redis import free_port


class Sink:
    """Collected ``messages``; ``refuse_recipient`` and ``answer_data`` hold SMTP answers to give instead of accepting."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuse_recipient: str | None = None
        self.answer_data: str | None = None
        self.drop_after_data = False
        self.url = ""

    async def handle_RCPT(  # noqa: N802 - the server's own name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuse_recipient is not None:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        if self.answer_data is not None:
            return self.answer_data
        content: Any = envelope.original_content
        self.messages.append(message_from_bytes(content, policy=policy.default))
        if self.drop_after_data and server.transport is not None:
            server.transport.abort()  # accepted, but the answer never arrives
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.messages if address in str(message["To"])]


@contextmanager
def sink() -> Iterator[Sink]:
    """Run a sink on a free port."""
    handler = Sink()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.url = f"smtp://127.0.0.1:{controller.port}"
    try:
        yield handler
    finally:
        controller.stop()
