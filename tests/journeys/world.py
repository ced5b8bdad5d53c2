"""What journeys share: a clock's instants, waiting, reading pages and e-mails, time that passes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from tests import factories
from tests.support.processes import Browser, Instance
from tests.support.smtp import Sink

PARIS = ZoneInfo("Europe/Paris")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


def soon(holds: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def restart_beat(one: Instance) -> None:
    """Beat looks at what has become due, as after a night."""
    for program in [program for program in one.programs if program.name == "beat"]:
        program.stop()
        one.programs.remove(program)
    one.beat()


def email_to(smtp: Sink, to: str, subject: str, seconds: float = 60) -> EmailMessage:
    """The e-mail to ``to`` whose subject matches; waits for it."""

    def found() -> EmailMessage | None:
        return next((m for m in smtp.to(to) if re.search(subject, str(m["Subject"]))), None)

    assert soon(lambda: found() is not None, seconds), [(m["To"], m["Subject"]) for m in smtp.messages]
    email = found()
    assert email is not None
    return email


def text_of(email: EmailMessage) -> str:
    body = email.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def plain(page: str) -> str:
    text = re.sub(r"<[^>]+>", " ", page)
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def signed_in(one: Instance, email: str, password: str = factories.PASSWORD) -> Browser:
    browser = one.browser()
    browser.post("/sign-in", email=email, password=password, remember="on")
    return browser
