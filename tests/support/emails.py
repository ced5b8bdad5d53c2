"""E-mails as their receivers read them, and the golden texts: ``tests/golden/<package>/<email>[-case].<language>.txt``.

A golden text is the subject, an empty line and the plain body, to the character; what differs from run to run (ids, tokens,
digests) stands there as « … ». `tests/architecture/test_emails.py` wants one for each e-mail in each language.
"""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden"

_VARYING = (
    (re.compile(r"(/(?:confirm|reset|sign-in/by-link|confirm-address|keep-address|pay|invitation)/)\S+"), r"\1…"),
    (re.compile(r"(/(?:bookings|for|invoices|people)/)[0-9a-z]{16}"), r"\1…"),
    (re.compile(r"\b([FAR]\d{4}-)\d{4}\b"), r"\1…"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "…"),
)


def plain(email: EmailMessage) -> str:
    """The plain body, as sent."""
    return email.get_body(("plain",)).get_content().replace("\r\n", "\n")


def as_read(email: EmailMessage) -> str:
    """Subject and plain body without what differs from run to run."""
    text = f"{email['Subject']}\n\n{plain(email)}"
    for pattern, put in _VARYING:
        text = pattern.sub(put, text)
    return text


def check(email: EmailMessage, name: str) -> None:
    """``email`` reads as golden ``name`` (``booking/news``) in its own language, and its HTML is of that language."""
    language = email["Content-Language"]
    assert as_read(email) == (GOLDEN / f"{name}.{language}.txt").read_text()
    html = email.get_body(("html",)).get_content()
    assert f'lang="{language}"' in html
    assert "<script" not in html and "<img" not in html
