"""Idempotency keys: the same call with the same key happens once, and is answered the same."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from coworking.demo.stripe_double.refusals import StripeRefusal

REMEMBERED = timedelta(hours=24)


@dataclass(slots=True)
class _Call:
    """``answer`` None: the call is still being worked on."""

    fingerprint: str
    began_at: datetime
    answer: tuple[int, str] | None = None


class ReplayedAnswers:
    """The answers by key, for a day."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, path: str, pairs: list[tuple[str, str]], current: datetime) -> tuple[int, str] | None:
        """The stored answer, or None: carry the call out, then `finish` or `abandon` it. Raises `StripeRefusal`."""
        if len(key) > 255:
            raise StripeRefusal(400, "Idempotency keys are at most 255 characters long.", kind="idempotency_error")
        fingerprint = hashlib.sha256(json.dumps([path, sorted(pairs)]).encode()).hexdigest()
        with self._lock:
            call = self._calls.get(key)
            if call is None or current - call.began_at >= REMEMBERED:
                self._calls[key] = _Call(fingerprint, current)
                return None
            if call.fingerprint != fingerprint:
                raise StripeRefusal(400, f"Key {key} was used with other parameters.", kind="idempotency_error")
            if call.answer is None:
                raise StripeRefusal(
                    409,
                    f"A request with the key {key} is being carried out.",
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            return call.answer

    def finish(self, key: str, answer: tuple[int, str]) -> None:
        """Answer the same from now on."""
        with self._lock:
            self._calls[key].answer = answer

    def abandon(self, key: str) -> None:
        """Forget the call: it was refused before anything happened."""
        with self._lock:
            self._calls.pop(key, None)
