"""Cash that moves: what billing takes or gives back in cash is entered by the keeper of the drawer, in the same unit.

The packages that take cash stand below the one that keeps the drawer, so the keeper hangs itself in here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from coworking.core.policy import Actor
from coworking.core.units import require_unit

CashSource = Literal["receipt", "payment", "deposit_return", "payer_credit", "online_refund"]


@dataclass(frozen=True, slots=True)
class CashMoved:
    """``cents`` came into the drawer, or left it when negative, for the row ``source_id`` of ``source``."""

    actor: Actor
    source: CashSource
    source_id: int
    cents: int


keepers: list[Callable[[CashMoved], None]] = []
"""Who enters it; each runs inside the unit that took the cash."""


def cash_moved(actor: Actor, source: CashSource, source_id: int, cents: int) -> None:
    """Tell the keepers of the drawer. The row is stored already. They lock their counter: nothing is locked afterwards but
    the chain."""
    require_unit()
    for enter in keepers:
        enter(CashMoved(actor, source, source_id, cents))
