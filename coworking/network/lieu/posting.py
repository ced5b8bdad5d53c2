"""Posting to another instance: nothing is followed, nothing is waited for without end, no answer is read without limit."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import requests

from coworking.core.i18n import language
from coworking.core.version import VERSION

CONNECT_S, READ_S, WHOLE_S = 5, 20, 30
MOST_ANSWER_BYTES = 64 * 1024


class Unreachable(Exception):
    """No whole answer came; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its ``document`` is the JSON it held, None when it held none."""

    status: int
    document: Any

    @property
    def code(self) -> str:
        """The stable code of a problem document, or empty."""
        return self._text("code")

    @property
    def detail(self) -> str:
        """What the other side says in words, or empty."""
        return self._text("detail")

    def _text(self, name: str) -> str:
        value = self.document.get(name) if isinstance(self.document, dict) else None
        return "".join(char for char in value if char.isprintable())[:300] if isinstance(value, str) else ""


def post(url: str, message: str) -> Answer:
    """Send a JWS to ``url``; raises `Unreachable`. Not to be called within a unit."""
    headers = {
        "Content-Type": "application/jose",
        "Accept": "application/json, application/problem+json",
        "Accept-Language": language(),
        "User-Agent": f"coworking/{VERSION}",
    }
    deadline = time.monotonic() + WHOLE_S
    try:
        with requests.post(
            url,
            data=message.encode(),
            headers=headers,
            timeout=(CONNECT_S, READ_S),
            allow_redirects=False,
            stream=True,
            auth=lambda request: request,  # nor whatever a netrc file holds for that host
        ) as response:
            return Answer(response.status_code, _read(response, deadline))
    except (requests.RequestException, OSError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error


def _read(response: requests.Response, deadline: float) -> Any:
    body = b""
    for piece in response.iter_content(8192):
        body += piece
        if len(body) > MOST_ANSWER_BYTES:
            raise Unreachable("the answer is too long")
        if time.monotonic() > deadline:
            raise Unreachable("the answer takes too long")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
