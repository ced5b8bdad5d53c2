"""What can go wrong between a caller and Stripe, on demand: for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from coworking.demo.stripe_double.refusals import StripeRefusal


@dataclass(slots=True)
class _Fault:
    """Concerns the next ``left`` calls whose method and path begin as ``what``."""

    left: int
    what: str
    answer: tuple[int, str, str] | None = None
    delay_s: float = 0.0
    loses_answer: bool = False


class Faults:
    """The faults to come, in the order they were asked for; a call meets at most one of each kind.

    ``what`` narrows a fault to calls such as ``"POST /v1/checkout/sessions"``: it is compared with their beginning.
    """

    def __init__(self, keys: set[str]) -> None:
        self._keys = set(keys)
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.calls: list[str] = []
        """Every call so far, as method and path."""

    def answer_next(self, count: int, status: int, body: str, kind: str = "application/json", what: str = "") -> None:
        """Answer the next ``count`` calls with this, whatever they ask, and do nothing."""
        self._add(_Fault(count, what, answer=(status, body, kind)))

    def delay_next(self, count: int, seconds: float, what: str = "") -> None:
        """Do what the next ``count`` calls ask, and answer late."""
        self._add(_Fault(count, what, delay_s=seconds))

    def lose_next(self, count: int, what: str = "") -> None:
        """Do what the next ``count`` calls ask, and close the connection instead of answering."""
        self._add(_Fault(count, what, loses_answer=True))

    def admit_key(self, key: str) -> None:
        """Let ``key`` in, as a restricted key of the same account."""
        with self._lock:
            self._keys.add(key)

    def withdraw_keys(self) -> None:
        """Answer 401 to every key from now on."""
        with self._lock:
            self._keys.clear()

    def clear(self) -> None:
        """No more faults; what waits is answered at once."""
        with self._lock:
            self._faults.clear()
        self._over.set()

    def check_key(self, header: str) -> None:
        """Raise `StripeRefusal` 401 unless ``header`` carries a key of this account."""
        scheme, _, key = header.partition(" ")
        if not key or scheme.lower() != "bearer":
            raise StripeRefusal(401, "No API key was given: send it as Authorization: Bearer …")
        with self._lock:
            if key not in self._keys:
                raise StripeRefusal(401, f"Invalid API key: {key[:8]}***")

    def canned(self, call: str) -> tuple[int, str, str] | None:
        """The status, body and type to answer ``call`` with instead."""
        with self._lock:
            self.calls.append(call)
        fault = self._taken(call, lambda fault: fault.answer is not None)
        return fault.answer if fault is not None else None

    def wait(self, call: str) -> None:
        """Wait as long as the answer to ``call`` is to be late."""
        fault = self._taken(call, lambda fault: fault.delay_s > 0)
        if fault is not None:
            self._over.wait(fault.delay_s)

    def loses(self, call: str) -> bool:
        """Whether the answer to ``call`` is lost."""
        return self._taken(call, lambda fault: fault.loses_answer) is not None

    def _add(self, fault: _Fault) -> None:
        with self._lock:
            self._over.clear()
            self._faults.append(fault)

    def _taken(self, call: str, is_meant: Callable[[_Fault], bool]) -> _Fault | None:
        with self._lock:
            for fault in self._faults:
                if is_meant(fault) and fault.left > 0 and call.startswith(fault.what):
                    fault.left -= 1
                    return fault
        return None
