"""A payer's account: each document and each movement of money in time order, with the balance behind it.

Plain values in integer cents. What adds to the balance is owed by the payer, what takes from it came from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

EntryKind = Literal[
    "invoice", "credit_note", "payment", "reversal", "received", "used", "given", "undone", "online", "online_given"
]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account. ``cents`` changes what the payer owes: an invoice adds, money received takes away.

    ``moved_cents``: what it is about. ``used`` moves the payer's credit onto an invoice and changes nothing: its money was
    counted when it came. ``document``: the public id of the invoice or credit note; ``order``: the place within its day.
    """

    day: date
    kind: EntryKind
    cents: int
    moved_cents: int
    number: str | None
    order: tuple[int, int]
    document: str | None = None
    method: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An entry and what the payer owes after it; below zero: what the lieu owes them."""

    entry: Entry
    balance_cents: int


@dataclass(frozen=True, slots=True)
class Sums:
    """An account's totals: ``invoiced_cents - credited_cents - paid_cents`` is the last balance."""

    invoiced_cents: int
    credited_cents: int
    paid_cents: int

    @property
    def balance_cents(self) -> int:
        return self.invoiced_cents - self.credited_cents - self.paid_cents


def with_balance(entries: Iterable[Entry]) -> list[Line]:
    """``entries`` in time order, each with the balance behind it."""
    found: list[Line] = []
    balance = 0
    for entry in sorted(entries, key=lambda entry: (entry.day, entry.order)):
        balance += entry.cents
        found.append(Line(entry, balance))
    return found


def sums_of(entries: Sequence[Entry]) -> Sums:
    """What was invoiced, credited, and paid less what was given back."""

    def total(*kinds: EntryKind) -> int:
        return sum(entry.cents for entry in entries if entry.kind in kinds)

    invoiced, credited = total("invoice"), -total("credit_note")
    return Sums(invoiced, credited, invoiced - credited - sum(entry.cents for entry in entries))
