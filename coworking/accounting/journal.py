"""The journal entries of a document or a payment, as balanced lines of double-entry accounting.

Pure: billing's facts in, lines out; debits equal credits for each fact. An amount below zero changes sides, never sign, so
that a credit note is the mirror of its invoice. Accounts follow the French *plan comptable général*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CUSTOMERS = "411"
ADVANCES = "4191"
SERVICES = "706"
ADHESIONS = "756"
VAT_COLLECTED = "44571"
ROUNDING_LOSS = "658"
ROUNDING_GAIN = "758"
CASH_SHORT, CASH_OVER = "658", "758"
TRANSFERS = "580"
"""Between two accounts of the lieu: change fetched from the bank, takings brought there."""
GATEWAY = "517"
FEES = "627"
SUSPENSE = "471"
"""What came or went at a provider and is explained by nothing of the lieu's: the accountant says what it was."""
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
    wanted = [_debit(CUSTOMERS, payload["payable_cents"], label, buyer), *_income(payload, label)]
    return [line for line in wanted if line is not None]


def of_receipt(payload: Mapping[str, Any]) -> list[JournalLine]:
    """The lines of a receipt, from its snapshot: money in, income by account, deposits on their own."""
    label = str(payload["number"])
    wanted = [_debit(MEANS[payload["method"]], payload["payable_cents"], label), *_income(payload, label)]
    wanted += [_debit(row["account"], -row["amount_cents"], label) for row in payload["deposits"]]
    return [line for line in wanted if line is not None]


def of_deposit_return(cents: int, method: str, account: str, label: str) -> list[JournalLine]:
    """The lines of a deposit given back: off its account, out of the means."""
    wanted = [_debit(account, cents, label), _debit(MEANS[method], -cents, label)]
    return [line for line in wanted if line is not None]


def of_cash_movement(kind: str, cents: int, label: str) -> list[JournalLine]:
    """The lines of cash that moved by itself: a difference that was counted, change put in, cash taken to the bank.

    What a receipt, a payment or a deposit given back moves stands in their own entries.
    """
    other = {"float": TRANSFERS, "bank": TRANSFERS, "difference": CASH_OVER if cents > 0 else CASH_SHORT}.get(kind)
    if other is None:
        return []
    wanted = [_debit(MEANS["cash"], cents, label), _debit(other, -cents, label)]
    return [line for line in wanted if line is not None]


def _income(payload: Mapping[str, Any], label: str) -> Iterator[JournalLine | None]:
    """Income by account, the VAT, and the cent of rounding. What no line's account takes is on the services' one."""
    by_account: dict[str, int] = {}
    for line in payload["lines"]:
        account = line.get("account") or (ADHESIONS if line["family"] == "adhesion" else SERVICES)
        by_account[account] = by_account.get(account, 0) + line.get("net_cents", line["amount_cents"])
    rest = payload["net_cents"] - sum(by_account.values())
    by_account[SERVICES] = by_account.get(SERVICES, 0) + rest
    for account in sorted(by_account):
        yield _debit(account, -by_account[account], label)
    rounding = payload["rounding_cents"]
    yield _debit(VAT_COLLECTED, -payload["vat_cents"], label)
    yield _debit(ROUNDING_GAIN if rounding > 0 else ROUNDING_LOSS, -rounding, label)


def of_payment(cents: int, method: str, number: str, buyer: str, *, online: bool = False) -> list[JournalLine]:
    """The lines of money received for the document ``number``, or given back of it (negative).

    ``online``: out of what came through a gateway, which is the payer's until it stands on a document (`of_online`).
    """
    account = ADVANCES if online else MEANS[method]
    wanted = [
        _debit(account, cents, number, buyer if account == ADVANCES else None),
        _debit(CUSTOMERS, -cents, number, buyer),
    ]
    return [line for line in wanted if line is not None]


def of_online(cents: int, method: str, label: str, payer: str) -> list[JournalLine]:
    """The lines of money that came through a gateway (positive), or of it went back: refunded, or taken back by a bank.

    ``method`` ``gateway``: on the gateway's account, where it waits until it is paid out, a direct debit too; any other:
    given back by hand. It is the payer's meanwhile, so that what came too much stands there until it is given back.
    """
    account = GATEWAY if method == "gateway" else MEANS[method]
    wanted = [_debit(account, cents, label), _debit(ADVANCES, -cents, label, payer)]
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


def of_payout_parts(fee_cents: int, unexplained_cents: int, label: str) -> list[JournalLine]:
    """The lines of what a gateway took before it paid out, and of what it moved beyond the lieu's payments, once each.

    A payout that failed has them too: the money is the gateway's again, and comes with a later payout.
    """
    wanted = [_debit(FEES, fee_cents, label), _debit(SUSPENSE, -unexplained_cents, label)]
    wanted += [_debit(GATEWAY, unexplained_cents - fee_cents, label)]
    return [line for line in wanted if line is not None]


def of_payout(cents: int, label: str) -> list[JournalLine]:
    """The lines of a bank line that is a gateway's payout: from the gateway's account to the bank.

    It is booked when the bank has it, never when the gateway says that it left, so that it is booked once. With the lines
    of its parts the gateway's account goes to zero.
    """
    wanted = [_debit(MEANS["transfer"], cents, label), _debit(GATEWAY, -cents, label)]
    return [line for line in wanted if line is not None]


def balance(lines: Iterable[JournalLine]) -> int:
    """Debits less credits: 0 when the books are right."""
    return sum(line.debit - line.credit for line in lines)


def _debit(account: str, cents: int, label: str, auxiliary: str | None = None) -> JournalLine | None:
    """``cents`` on the debit side, on the credit side when negative, nowhere when 0."""
    if cents == 0:
        return None
    return JournalLine(account, max(cents, 0), max(-cents, 0), label, auxiliary)
