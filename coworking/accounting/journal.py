"""The journal entries of a document or a payment, as balanced lines of double-entry accounting.

Pure: billing's facts in, lines out; debits equal credits for each fact. An amount below zero changes sides, never sign, so
that a credit note is the mirror of its invoice. Accounts follow the French *plan comptable général*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CUSTOMERS = "411"
ADVANCES = "4191"
SERVICES = "706"
ADHESIONS = "756"
VAT_COLLECTED = "44571"
ROUNDING_LOSS = "658"
ROUNDING_GAIN = "758"
GATEWAY = "517"
MEANS = {"transfer": "512", "debit": "512", "card": GATEWAY, "cheque": "5112", "cash": "530", "credit": ADVANCES}


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of the journal: cents on exactly one side. ``auxiliary`` is the payer's id on customers' accounts."""

    account: str
    debit: int
    credit: int
    label: str
    auxiliary: str | None = None


def of_document(payload: Mapping[str, Any]) -> list[JournalLine]:
    """The lines of an issued invoice or credit note, from its snapshot."""
    label, buyer = str(payload["number"]), str(payload["buyer"]["id"])
    adhesions = sum(
        line.get("net_cents", line["amount_cents"]) for line in payload["lines"] if line["family"] == "adhesion"
    )
    rounding = payload["rounding_cents"]
    wanted = [
        _debit(CUSTOMERS, payload["payable_cents"], label, buyer),
        _debit(SERVICES, -(payload["net_cents"] - adhesions), label),
        _debit(ADHESIONS, -adhesions, label),
        _debit(VAT_COLLECTED, -payload["vat_cents"], label),
        _debit(ROUNDING_GAIN if rounding > 0 else ROUNDING_LOSS, -rounding, label),
    ]
    return [line for line in wanted if line is not None]


def of_payment(cents: int, method: str, number: str, buyer: str, *, online: bool = False) -> list[JournalLine]:
    """The lines of money received for the document ``number`` (negative: a payment reversed).

    ``online``: it waits on a gateway's account until the gateway pays it out, a direct debit too.
    """
    account = GATEWAY if online else MEANS[method]
    wanted = [
        _debit(account, cents, number, buyer if account == ADVANCES else None),
        _debit(CUSTOMERS, -cents, number, buyer),
    ]
    return [line for line in wanted if line is not None]


def of_credit(cents: int, kind: str, method: str | None, label: str, payer: str) -> list[JournalLine]:
    """The lines of a movement of a payer's credit: money in (positive), or given back by ``method``.

    What a credit paid is a payment (`of_payment` with the method ``credit``): it makes no lines of its own. A movement that
    undoes another has the other's kind and method, and its own sign.
    """
    if kind == "used":
        return []
    wanted = [_debit(MEANS[method or "transfer"], cents, label), _debit(ADVANCES, -cents, label, payer)]
    return [line for line in wanted if line is not None]


def balance(lines: Iterable[JournalLine]) -> int:
    """Debits less credits: 0 when the books are right."""
    return sum(line.debit - line.credit for line in lines)


def _debit(account: str, cents: int, label: str, auxiliary: str | None = None) -> JournalLine | None:
    """``cents`` on the debit side, on the credit side when negative, nowhere when 0."""
    if cents == 0:
        return None
    return JournalLine(account, max(cents, 0), max(-cents, 0), label, auxiliary)
