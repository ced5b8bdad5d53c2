"""Post to another instance: without redirects, with a deadline, and with a limit on the answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from coworking.core import outgoing
from coworking.core.i18n import language
from coworking.core.outgoing import AddressNotAllowed, Unreachable
from coworking.core.settings import settings
from coworking.core.version import VERSION

__all__ = ["AddressNotAllowed", "Answer", "Unreachable", "post"]

WHOLE_S = 30.0
_CODE = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its ``document`` is the JSON it held, None when it held none."""

    status: int
    document: Any

    @property
    def code(self) -> str:
        """The stable code of a problem document, or empty. Its words are not shown: anyone may have written them."""
        code = self.document.get("code") if isinstance(self.document, dict) else None
        return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def post(url: str, message: str) -> Answer:
    """Send a JWS to ``url``; raises `Unreachable`. Not to be called within a unit."""
    headers = {
        "Content-Type": "application/jose",
        "Accept": "application/json, application/problem+json",
        "Accept-Language": language(),
        "User-Agent": f"coworking/{VERSION}",
    }
    status, body = outgoing.post(
        url, message.encode(), headers, allow_private=settings().allow_private_heads, total_s=WHOLE_S
    )
    try:
        return Answer(status, json.loads(body))
    except (ValueError, RecursionError):
        return Answer(status, None)
