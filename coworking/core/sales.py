"""Who owns what is sold before it counts, so that whoever takes the money can tell them.

A booking is sold by `coworking.booking`, which may not know gateways; the money arrives in `coworking.billing`. The owner
registers here what payment and expiry mean for its rows; billing carries it out in the unit that writes the money down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

DUE = "sale.due"
"""The outbox topic of a sale whose time is over, or whose subject is gone. Payload: ``{"sale": public id}``."""
ASKED = "sale.asked"
"""The outbox topic of a sale whose payer is asked by somebody else to pay it. Payload: ``{"sale": public id}``."""
CHANGED = "sale.changed"
"""The outbox topic of a paid sale of which less may be owed now. Payload: ``{"sale": public id}``."""


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale as its owner made it: what it is of, who pays, and the ``terms`` that were written down with it.

    ``is_over``: its time to pay is, and nothing is kept for it any more; ``is_let_go``: somebody gave it up before.
    """

    sale_id: int
    subject_id: int
    payer_person_id: int
    created_by_id: int | None
    terms: Mapping[str, Any]
    is_over: bool
    is_let_go: bool


class Owner(Protocol):
    """What the package that sold something does when the money comes, or does not. All of it runs in the caller's unit."""

    def lock(self, sold: Sold) -> None:
        """Lock what the other two will change, in the order of ``docs/locking.md``, before the payment is locked."""
        ...

    def on_paid(self, sold: Sold) -> int | None:
        """Let it count; the id of the row that counts now. None where it cannot be had any more: the money goes back."""
        ...

    def on_expired(self, sold: Sold) -> None:
        """Let go of what was kept for it. What is gone already stays as it is."""
        ...


_owners: dict[str, Owner] = {}
_asked: list[Callable[[int], bool]] = []


def register(kind: str, owner: Owner) -> None:
    """Let ``owner`` hear of the sales of that kind of subject."""
    _owners[kind] = owner


def owner_of(kind: str) -> Owner:
    """Who hears of the sales of that kind of subject."""
    return _owners[kind]


def paid_through(can_be_paid: Callable[[int], bool]) -> Callable[[int], bool]:
    """Register what says whether so many cents can be paid at once here; the package that takes money calls this."""
    _asked[:] = [can_be_paid]
    return can_be_paid


def can_be_paid(cents: int) -> bool:
    """Whether people can pay so much at once here: without that nothing asks them to."""
    return any(ask(cents) for ask in _asked)
