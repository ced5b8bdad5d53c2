"""Rules of documents: months, numbers, states, and what is refused. Plain decisions in integer cents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from coworking.core.errors import N_, DomainError
from coworking.core.months import month_after, month_of

DocumentKind = Literal["invoice", "credit_note"]
DocumentState = Literal["open", "overdue", "partial", "paid", "credited", "credit_note"]
STATES: tuple[DocumentState, ...] = ("open", "partial", "overdue", "paid", "credited", "credit_note")
REFUNDED_BY_HAND = ("transfer", "cheque", "cash")
METHODS = ("transfer", "card", "cheque", "cash", "debit")
"""How money comes in that is written down by hand. A payment out of a payer's credit is ``credit``."""

LETTERS: dict[DocumentKind, str] = {"invoice": "F", "credit_note": "A"}
"""Invoices and credit notes are numbered apart, each year from 1: F2026-0001, A2026-0001."""
CHAIN = "chain"
"""The counter of all documents together."""

B2B_DAYS = 30
MAX_LABEL = 120
MAX_REASON = 200
MAX_QUANTITY = 1000


class InvoicedMonthToCome(DomainError):
    code = "month_to_come"
    message = N_("This month has not begun: there is nothing to invoice yet.")
    field = "month"


class NothingToInvoice(DomainError):
    """Someone else has just issued it, or what is left comes to nothing; the run carries it over."""

    code = "nothing_to_invoice"
    status = 409
    message = N_("There is nothing to invoice here.")


class DraftChanged(DomainError):
    """Something came to the draft, or left it, since it was shown."""

    code = "draft_changed"
    status = 409
    message = N_("The amount has changed since this page was opened. Look once more before issuing.")


class SellerIncomplete(DomainError):
    """The settings lack something that the law requires of the seller."""

    code = "seller_incomplete"
    message = N_("An invoice must show this of the place, and it is missing: %(missing)s. Fill it in under Settings.")


class BuyerIncomplete(DomainError):
    """An organisation lacks something that the law requires; a consumer's name is enough."""

    code = "buyer_incomplete"
    message = N_("%(name)s cannot be invoiced yet: %(missing)s is missing.")


class AdhesionWithoutVat(DomainError):
    """It was charged before the lieu said that its adhesions bear VAT."""

    code = "adhesion_without_vat"
    status = 409
    message = N_(
        "An annual membership here was charged without VAT before you said that it bears VAT. Waive it and add a line."
    )


class AmountsDisagree(DomainError):
    """A document's own sums do not add up: nothing is issued."""

    code = "amounts_disagree"
    status = 409
    message = N_("The amounts of this document do not add up, so it was not issued.")


class AlreadyInvoiced(DomainError):
    code = "already_invoiced"
    status = 409
    message = N_("This is already on an invoice. A credit note cancels the invoice.")


class DraftHeld(DomainError):
    """A manager holds back what this payer owes; ``reason`` says why."""

    code = "draft_held"
    status = 409
    message = N_("This is held back: %(reason)s. Let it go before issuing.")


class AlreadyWaived(DomainError):
    code = "already_waived"
    status = 409
    message = N_("This was waived already.")


class NotALine(DomainError):
    """Only what was typed by hand can be taken away by hand."""

    code = "not_a_line"
    status = 409
    message = N_("Only a line or a discount that was added by hand can be removed. Waive this one instead.")


class LineInvalid(DomainError):
    code = "line_invalid"
    message = N_("Write what it is for, in %(most)s characters at most.")
    field = "label"


class QuantityInvalid(DomainError):
    code = "quantity_invalid"
    message = N_("Write a whole number from 1 to %(most)s.")
    field = "quantity"


class PayerUnknown(DomainError):
    code = "payer_unknown"
    message = N_("Choose who pays.")
    field = "payer"


class ReasonMissing(DomainError):
    code = "reason_missing"
    message = N_("Say why, in %(most)s characters at most.")
    field = "reason"


class NotAnInvoice(DomainError):
    code = "not_an_invoice"
    status = 409
    message = N_("This is a credit note: only an invoice can be paid or credited.")


class PaidTooMuch(DomainError):
    """``open`` is what is still owed, in cents."""

    code = "paid_too_much"
    message = N_("Only %(open)s are still owed on this invoice.")
    field = "cents"


class PaymentInvalid(DomainError):
    code = "payment_invalid"
    message = N_("Choose how it was paid.")
    field = "method"


class ReceivedInFuture(DomainError):
    code = "received_in_future"
    message = N_("This day is still to come.")
    field = "received_on"


class ReceivedBeforeIssue(DomainError):
    """A slip of the pen more often than not; who means it says so."""

    code = "received_before_issue"
    message = N_("The invoice was issued on %(day)s, later than that. If the money came before, tick the box below.")
    field = "received_on"


class RefundMethodUnknown(DomainError):
    code = "refund_method_unknown"
    message = N_("Choose how it is refunded.")
    field = "given_by"


class RefundTooMuch(DomainError):
    """``left`` is what is still to be refunded, in words."""

    code = "refund_too_much"
    message = N_("Only %(left)s is to be refunded.")
    field = "refund_cents"


class NotTyped(DomainError):
    """A gateway told of this money: what is wrong with it is refunded or disputed there."""

    code = "not_typed"
    status = 409
    message = N_("This came from the payment provider: refund it instead.")


class AlreadyCorrected(DomainError):
    code = "already_corrected"
    status = 409
    message = N_("This payment was cancelled already.")


def check_month(month: date, today: date) -> None:
    """Raise `InvoicedMonthToCome` unless ``month`` has begun."""
    if month > month_of(today):
        raise InvoicedMonthToCome()


def series_of(kind: DocumentKind, issued_on: date) -> str:
    """The numbering series of a document: its kind's letter and its year."""
    return f"{LETTERS[kind]}{issued_on.year}"


def number_of(series: str, count: int) -> str:
    """« F2026-0001 »: at most 35 characters out of A-Z, 0-9 and the hyphen."""
    return f"{series}-{count:04d}"


def due_on(issued_on: date, *, organisation: bool) -> date:
    """Thirty days for an organisation; a consumer pays at receipt."""
    return issued_on + timedelta(days=B2B_DAYS) if organisation else issued_on


def subscription_months(first: date, last: date | None, month: date, *, month_is_over: bool) -> list[tuple[date, date]]:
    """Of a subscription, what ``month`` makes billable: (month of use, month of the invoice that carries it).

    The first month is billed with itself, every other one month ahead, once that month is over: until then the
    subscription may still end.
    """
    wanted = [(month, month if month == first else month_after(month, -1))]
    if month_is_over:
        wanted.append((month_after(month), month))
    return [(use, due) for use, due in wanted if first <= use and (last is None or use <= last)]


def check_reason(text: str, *, most: int = MAX_REASON) -> str:
    """``text`` trimmed; raises `ReasonMissing`."""
    reason = " ".join(text.split())
    if not reason or len(reason) > most or not reason.isprintable():
        raise ReasonMissing(most=most)
    return reason


def check_label(text: str) -> str:
    """``text`` trimmed; raises `LineInvalid`."""
    label = " ".join(text.split())
    if not label or len(label) > MAX_LABEL or not label.isprintable():
        raise LineInvalid(most=MAX_LABEL)
    return label


def check_quantity(text: str) -> int:
    """A whole number of pieces; raises `QuantityInvalid`."""
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 4 or not 1 <= int(plain) <= MAX_QUANTITY:
        raise QuantityInvalid(most=MAX_QUANTITY)
    return int(plain)


# What is paid ---------------------------------------------------------------------------------------------------------


def open_cents(payable: int, paid: int, credited: int) -> int:
    """What is still owed; negative: what was paid and then credited, to be refunded."""
    return payable - credited - paid


def state_of(kind: DocumentKind, payable: int, paid: int, credited: int, due: date, today: date) -> DocumentState:
    """The state of a document on ``today``; ``credited``: what credit notes take back of it."""
    if kind == "credit_note":
        return "credit_note"
    if credited >= payable:
        return "credited"
    if paid + credited >= payable:
        return "paid"
    if due < today:
        return "overdue"
    return "partial" if paid or credited else "open"
