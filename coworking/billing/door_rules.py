"""Rules of selling at the door: what is refused, what a sale comes to, and the content of a receipt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from coworking.billing.documents import Seller, check_amounts
from coworking.billing.line_rules import ChargedItem, DocumentBody, document_body
from coworking.billing.rules import AmountsDisagree
from coworking.core.errors import N_, DomainError

DoorMethod = Literal["cash", "card", "cheque", "transfer", "invoice"]
MEANS: tuple[DoorMethod, ...] = ("cash", "card", "cheque", "transfer")
ON_INVOICE: DoorMethod = "invoice"

SCHEMA = "receipt/1"
CHAIN = "receipts"
"""The counter of all receipts together."""
CANCELLED = ("net_cents", "vat_cents", "gross_cents", "rounding_cents", "sales_cents", "deposit_cents", "payable_cents")

MOST_PIECES = 50
"""Of one thing in one sale: beyond, a finger slipped."""
MOST_LINES = 30
PLACES = 100
"""A charge's source id is the sale's nonce times this, plus the line's place: so no two sales share one."""


class NothingToSell(DomainError):
    code = "nothing_to_sell"
    message = N_("Choose first what is sold.")


class NotOffered(DomainError):
    code = "not_offered"
    status = 409
    message = N_("Something on this page is not offered any more. Look at what is left.")


class SalePriceChanged(DomainError):
    """What was read on the page is what is paid, or nothing."""

    code = "sale_price_changed"
    status = 409
    message = N_("The amount has changed since this page was opened. Look once more before selling.")


class MeansUnknown(DomainError):
    code = "means_unknown"
    message = N_("Choose how it is paid.")


class PayerMissing(DomainError):
    code = "payer_missing"
    message = N_("Choose who it is for: only what a person owes can go on an invoice.")


class DepositPaidLater(DomainError):
    code = "deposit_paid_later"
    message = N_("A deposit is paid at once. Sell it apart from what goes on the invoice.")


class SoldAlready(DomainError):
    """The same page was used for another sale: its Back button was pressed, and something changed."""

    code = "sold_already"
    status = 409
    message = N_("This page has sold something already. Begin a new sale.")


class PaidMeanwhile(DomainError):
    code = "paid_meanwhile"
    status = 409
    message = N_("This has been charged meanwhile. Look at what is left.")


class SaleCancelled(DomainError):
    code = "sale_cancelled"
    status = 409
    message = N_("This sale is cancelled already.")


class SaleOfAnotherDay(DomainError):
    code = "sale_of_another_day"
    status = 409
    message = N_("A sale is cancelled on its own day. For an invoice, a manager makes a credit note.")


class DepositReturned(DomainError):
    code = "deposit_returned"
    status = 409
    message = N_("This deposit was given back already.")


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line of a sale: a charge to be, or (``is_deposit``) what is given back later and is no income.

    ``key`` is the name it has on the page. ``quote_id`` and ``charge_id``: what it settles, which must not be charged again.
    """

    key: str
    item: ChargedItem
    is_deposit: bool = False
    quote_id: int | None = None
    charge_id: int | None = None


@dataclass(frozen=True, slots=True)
class SaleTotal:
    """What lines come to: the document's body without deposits, the deposits, and both together in cents."""

    body: DocumentBody
    deposit_cents: int

    @property
    def payable_cents(self) -> int:
        return self.body.totals.payable_cents + self.deposit_cents

    @property
    def vat_cents(self) -> int:
        return self.body.totals.vat_cents


def bill(lines: Iterable[SoldLine]) -> SaleTotal:
    """What ``lines`` come to for a consumer."""
    rows = list(lines)
    body = document_body([line.item for line in rows if not line.is_deposit], organisation=False)
    return SaleTotal(body, sum(line.item.amount_cents for line in rows if line.is_deposit))


def check_wanted(wanted: Mapping[str, int]) -> dict[str, int]:
    """``wanted`` without what is wanted 0 times; raises `NothingToSell` for quantities that no page offers."""
    found = {key: count for key, count in wanted.items() if count}
    if len(found) > MOST_LINES or any(not 0 < count <= MOST_PIECES for count in found.values()):
        raise NothingToSell()
    return found


def said(lines: Sequence[SoldLine]) -> list[dict[str, Any]]:
    """``lines`` as the sale keeps them to be listed: with VAT, deposits last."""
    found = bill(lines)
    return [
        {
            "label": line.label,
            "quantity": line.quantity,
            "unit": line.unit,
            "amount_cents": line.amount_cents,
            "vat_rate_bp": line.vat_rate_bp,
        }
        for line in found.body.lines
    ] + [
        {
            "label": line.item.label,
            "quantity": line.item.quantity,
            "unit": line.item.unit,
            "amount_cents": line.item.amount_cents,
            "vat_rate_bp": 0,
        }
        for line in lines
        if line.is_deposit
    ]


@dataclass(frozen=True, slots=True)
class ReceiptHead:
    """What a receipt says beside its lines."""

    number: str
    seq: int
    sold_on: date
    method: str
    currency: str
    seller: Seller
    exemption: str | None
    corrects: dict[str, str] | None = field(default=None)


def receipt(head: ReceiptHead, lines: Sequence[SoldLine]) -> dict[str, Any]:
    """The content of a receipt for ``lines``; raises `AmountsDisagree` when its own sums are wrong."""
    found = bill(lines)
    sums = found.body.totals
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "sale",
        "number": head.number,
        "seq": head.seq,
        "sold_on": head.sold_on.isoformat(),
        "method": head.method,
        "currency": head.currency,
        "seller": asdict(head.seller),
        "basis": found.body.basis,
        "lines": [
            {
                "family": line.family,
                "label": line.label,
                "quantity": line.quantity,
                "unit": line.unit,
                "unit_micros": line.unit_micros,
                "amount_cents": line.amount_cents,
                "net_cents": line.net_cents,
                "vat_rate_bp": line.vat_rate_bp,
            }
            | ({"account": line.account} if line.account else {})
            for line in found.body.lines
        ],
        "deposits": [
            {
                "label": line.item.label,
                "quantity": line.item.quantity,
                "unit_cents": line.item.unit_cents,
                "amount_cents": line.item.amount_cents,
                "account": line.item.account,
            }
            for line in lines
            if line.is_deposit
        ],
        "taxes": [asdict(group) for group in sums.groups],
        "net_cents": sums.net_cents,
        "vat_cents": sums.vat_cents,
        "gross_cents": sums.gross_cents,
        "rounding_cents": sums.rounding_cents,
        "sales_cents": sums.payable_cents,
        "deposit_cents": found.deposit_cents,
        "payable_cents": found.payable_cents,
        "exemption": head.exemption if found.body.lines else None,
        "corrects": None,
    }
    check_receipt(document)
    return document


def counter_receipt(original: Mapping[str, Any], *, number: str, seq: int) -> dict[str, Any]:
    """The content that undoes ``original`` to the cent on its own day."""

    def turned(rows: Iterable[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
        return [dict(row) | {name: -row[name] for name in names} for row in rows]

    document = dict(original) | {
        "kind": "counter_sale",
        "number": number,
        "seq": seq,
        "lines": turned(original["lines"], "amount_cents", "net_cents"),
        "deposits": turned(original["deposits"], "amount_cents"),
        "taxes": turned(original["taxes"], "net_cents", "vat_cents", "rounding_cents"),
        "corrects": {"number": original["number"]},
    }
    document |= {name: -original[name] for name in CANCELLED}
    check_receipt(document)
    return document


def check_receipt(document: Mapping[str, Any]) -> None:
    """Raise `AmountsDisagree` unless every sum of a receipt is what its parts come to."""
    deposits = sum(row["amount_cents"] for row in document["deposits"])
    right = deposits == document["deposit_cents"]
    right &= document["payable_cents"] == document["sales_cents"] + deposits
    if not right:
        raise AmountsDisagree()
    check_amounts(dict(document) | {"payable_cents": document["sales_cents"]})
