"""Tells the product what happened: signed events, posted one after another by a thread of their own."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from coworking.core.clock import now
from coworking.core.outgoing import Unreachable, post
from coworking.demo.stripe_double.store import StripeStore

PATIENCE_S = 10.0
_Mode = Literal["sending", "holding", "losing"]


@dataclass(frozen=True, slots=True)
class SentNotification:
    """One attempt: ``status`` None where no answer came, for the reason in ``error``."""

    event_id: str
    kind: str
    status: int | None
    error: str | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Notifications:
    """Sends each event of ``store`` to ``url`` once, in order, and keeps how that went; None: there is nobody to tell.

    Tests may hold events back, lose them, send one again or all in reverse.
    """

    def __init__(self, store: StripeStore, url: str | None, secret: str) -> None:
        self.url, self._secret, self._store = url, secret, store
        self.deliveries: list[SentNotification] = []
        self._mode: _Mode = "sending"
        self._held: list[str] = []
        self._queue: deque[str] = deque()
        self._busy = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        store.on_event = self._on_event

    def hold(self) -> None:
        """Keep events back until `release`."""
        with self._changed:
            self._mode = "holding"

    def lose(self) -> None:
        """Send none of the events to come, until `release`."""
        with self._changed:
            self._mode = "losing"

    def release(self, *, reverse: bool = False) -> None:
        """Send what was held back, in order or in reverse, and every event from now on."""
        with self._changed:
            self._mode = "sending"
            held, self._held = self._held, []
            self._enqueue(reversed(held) if reverse else held)

    def send_again(self, event_id: str) -> None:
        """Send an event once more, whatever became of it."""
        with self._changed:
            self._enqueue([event_id])

    def wait(self, timeout_s: float = 10.0) -> None:
        """Wait until everything that is not held back was sent; raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._queue and not self._busy, timeout_s):
                raise TimeoutError("notifications are still being sent")

    def arrived_ids(self) -> set[str]:
        """The events that the product has acknowledged."""
        return {delivery.event_id for delivery in list(self.deliveries) if delivery.is_success}

    def signed(self, event_id: str) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of an event sent now."""
        body = json.dumps(self._store.expanded(self._store.get("event", event_id), []), indent=2).encode()
        return body, {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(self._secret, body, int(now().timestamp())),
            "User-Agent": "coworking-stripe-double",
        }

    def _on_event(self, event_id: str) -> None:
        if self.url is None:
            return
        with self._changed:
            if self._mode == "holding":
                self._held.append(event_id)
            elif self._mode == "sending":
                self._enqueue([event_id])

    def _enqueue(self, event_ids: Iterable[str]) -> None:
        self._queue.extend(event_ids)
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_all, name="notifications", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._queue))
                event_id, self._busy = self._queue.popleft(), True
            self.deliveries.append(self._deliver(event_id))

    def _deliver(self, event_id: str) -> SentNotification:
        body, headers = self.signed(event_id)
        event = self._store.get("event", event_id)
        try:
            status, _ = post(self.url or "", body, headers, allow_private=True, total_s=PATIENCE_S)
        except Unreachable as error:
            return SentNotification(event_id, event["type"], None, str(error))
        delivery = SentNotification(event_id, event["type"], status)
        if delivery.is_success:
            with self._store.lock:
                event["pending_webhooks"] = 0
        return delivery


def signature(secret: str, body: bytes, sent_at: int) -> str:
    """Stripe's header: the time, and an HMAC of time and body under the shared secret."""
    mac = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={sent_at},v1={mac}"
