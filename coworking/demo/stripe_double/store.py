"""Everything the double knows, in memory, behind one lock."""

from __future__ import annotations

import copy
import secrets
import string
import threading
from collections.abc import Callable, Iterator
from typing import Any

from coworking.core.clock import now
from coworking.demo.stripe_double.cards import TestCard
from coworking.demo.stripe_double.objects import event_of
from coworking.demo.stripe_double.refusals import StripeRefusal, missing_object

StripeObject = dict[str, Any]
"""An object as the API answers it; references to others are ids."""

_LENGTHS = {"cs_test_": 58, "evt_": 24}
_LETTERS = string.ascii_letters + string.digits
EXPANDABLE = {
    "balance_transaction",
    "charge",
    "customer",
    "failure_balance_transaction",
    "latest_charge",
    "mandate",
    "payment_intent",
    "payment_method",
    "setup_intent",
    "source",
}
"""Fields that hold the id of another object of this store."""


class StripeStore:
    """The objects by id. What changes them holds `lock`; what leaves is a copy."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.on_event: Callable[[str], None] = lambda event_id: None
        self.labels: dict[str, str] = {}
        """What is paid for, by session."""
        self.intent_data: dict[str, StripeObject] = {}
        """What the caller said of the intent to come, by session."""
        self.cards_to_confirm: dict[str, TestCard] = {}
        """The card that waits for its owner's confirmation, by intent."""
        self.saved_cards: dict[str, TestCard] = {}
        self.saved_accounts: dict[str, str] = {}
        """What is behind each payment method: a card, an IBAN."""
        self.paid_out: dict[str, str] = {}
        """The payout that a balance transaction is in."""
        self._objects: dict[str, StripeObject] = {}
        self._ids: dict[str, list[str]] = {}

    def seconds(self) -> int:
        """The current time, as Stripe writes it."""
        return int(now().timestamp())

    def new_id(self, prefix: str) -> str:
        """An id that nobody has and nobody guesses."""
        return prefix + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTHS.get(prefix, 24)))

    def add(self, held: StripeObject) -> StripeObject:
        """Keep a new object."""
        with self.lock:
            self._objects[held["id"]] = held
            self._ids.setdefault(held["object"], []).append(held["id"])
            return held

    def get(self, kind: str, object_id: str, param: str = "id") -> StripeObject:
        """The object itself, to be changed under the lock; raises `StripeRefusal` 404."""
        held = self._objects.get(object_id)
        if held is None or held["object"] != kind:
            raise missing_object(kind, object_id[:100], param)
        return held

    def newest_first(self, kind: str) -> Iterator[StripeObject]:
        """The objects of a kind, in the order of Stripe's lists."""
        return (self._objects[object_id] for object_id in reversed(self._ids.get(kind, [])))

    def tell(self, kind: str, concerned: StripeObject) -> str:
        """Keep an event about ``concerned`` as it is now, and have it sent; give its id."""
        with self.lock:
            event = self.add(event_of(self.new_id("evt_"), self.seconds(), kind, copy.deepcopy(concerned)))
        self.on_event(event["id"])
        return event["id"]

    def expanded(self, held: StripeObject, paths: list[str]) -> StripeObject:
        """A copy of ``held`` with the objects that ``paths`` name in place of their ids; of a list, in each of its rows."""
        with self.lock:
            answer = copy.deepcopy(held)
            for path in paths:
                first, _, deeper = path.partition(".")
                if answer["object"] != "list":
                    self._expand(answer, path.split("."), path)
                elif first == "data" and deeper:
                    for row in answer["data"]:
                        self._expand(row, deeper.split("."), path)
                else:
                    raise StripeRefusal(400, f"This property cannot be expanded ({path}).", param="expand")
            return answer

    def _expand(self, held: StripeObject, parts: list[str], path: str) -> None:
        field, *deeper = parts
        if field not in EXPANDABLE or field not in held or len(parts) > 4:
            raise StripeRefusal(400, f"This property cannot be expanded ({path}).", param="expand")
        if isinstance(held[field], str):
            held[field] = copy.deepcopy(self._objects[held[field]])
        if deeper and held[field] is not None:
            self._expand(held[field], deeper, path)
