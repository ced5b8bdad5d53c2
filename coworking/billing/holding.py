"""What the lieu holds about what somebody used, owes and paid, for the copy of their data."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, or_, select

from coworking.billing.door_models import Deposit, DepositReturn, DoorSale
from coworking.billing.means_models import DebitNotice, SavedMeans
from coworking.billing.models import Charge, DraftHold, Invoice, InvoicePdf, Payment
from coworking.billing.online_models import OnlineDispute, OnlinePayment, OnlineRefund
from coworking.billing.payer_credit_models import PayerCredit
from coworking.billing.payout_models import OnlinePayout, OnlinePayoutPart
from coworking.billing.reminder_models import Reminder, ReminderOutcome, ReminderPause
from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import LINK, SEAL, THE_LIEU, Holds
from coworking.pricing.models import Quote, Sale

_PAYER = "payer_person_id"
_SEALS = ("seq", "sha256", "prev", "key_id", "signature")


def _paid_by(person_id: int) -> ColumnElement[bool]:
    """What an employer pays for its people is between it and the lieu."""
    return Quote.payer_person_id == person_id


def _invoices(person_id: int) -> Select[int]:
    return select(Invoice.id).where(Invoice.payer_person_id == person_id)


def _online(person_id: int) -> Select[int]:
    return select(OnlinePayment.id).where(OnlinePayment.payer_person_id == person_id)


def _means(person_id: int) -> Select[int]:
    return select(SavedMeans.id).where(SavedMeans.payer_person_id == person_id)


def _number() -> ColumnElement[str]:
    return select(Invoice.number).where(Invoice.id == InvoicePdf.invoice_id).scalar_subquery()


def _pauses(person_id: int) -> ColumnElement[bool]:
    return or_(ReminderPause.payer_person_id == person_id, ReminderPause.invoice_id.in_(_invoices(person_id)))


holdings.declare(
    Holds(
        "prices",
        N_("What each half-day and hour cost, and who pays"),
        Quote,
        only_if=dict.fromkeys(("unit_cents", "amount_cents", "basis", "vat_rate_bp"), _paid_by),
    ),
    Holds("charges", N_("Lines of my invoices, past and to come"), Charge, of=_PAYER),
    Holds("invoices", N_("My invoices and credit notes"), Invoice, of=_PAYER, leaves=dict.fromkeys(_SEALS, SEAL)),
    Holds(
        "invoice_pdfs",
        N_("PDFs of my invoices"),
        InvoicePdf,
        rows=lambda person: InvoicePdf.invoice_id.in_(_invoices(person)),
        leaves={"sha256": SEAL},
        paper=_number,
    ),
    Holds("held_drafts", N_("Invoices that are held back"), DraftHold, of=_PAYER),
    Holds(
        "payments",
        N_("Payments of my invoices"),
        Payment,
        rows=lambda person: Payment.invoice_id.in_(_invoices(person)),
        leaves={"online_entry": LINK},
    ),
    Holds("credit", N_("My credit at the lieu"), PayerCredit, of=_PAYER),
    Holds("sales", N_("What I paid before it counted"), Sale, of=_PAYER),
    Holds("door_sales", N_("What I bought at the door"), DoorSale, leaves={"nonce": SEAL}),
    Holds("deposits", N_("My deposits"), Deposit),
    Holds(
        "deposits_back",
        N_("Deposits I got back"),
        DepositReturn,
        rows=lambda person: DepositReturn.deposit_id.in_(select(Deposit.id).where(Deposit.person_id == person)),
    ),
    Holds("reminders", N_("Reminders of what I owe"), Reminder, of=_PAYER),
    Holds(
        "reminder_outcomes",
        N_("What became of each reminder"),
        ReminderOutcome,
        rows=lambda person: ReminderOutcome.reminder_id.in_(
            select(Reminder.id).where(Reminder.payer_person_id == person)
        ),
    ),
    Holds("reminder_pauses", N_("Pauses of reminders"), ReminderPause, rows=_pauses),
    Holds(
        "saved_means",
        N_("Cards and accounts I saved"),
        SavedMeans,
        of=_PAYER,
        leaves=dict.fromkeys(("customer_id", "means_id", "mandate_id", "checkout_id", "checkout_url"), LINK),
    ),
    Holds(
        "announced_debits",
        N_("Debits that were announced to me"),
        DebitNotice,
        rows=lambda person: DebitNotice.saved_means_id.in_(_means(person)),
    ),
    Holds(
        "online_payments",
        N_("My online payments"),
        OnlinePayment,
        of=_PAYER,
        leaves=dict.fromkeys(("checkout_id", "checkout_url", "foreign_id"), LINK),
    ),
    Holds(
        "online_refunds",
        N_("Refunds of my online payments"),
        OnlineRefund,
        rows=lambda person: OnlineRefund.online_payment_id.in_(_online(person)),
        leaves={"foreign_id": LINK},
    ),
    Holds(
        "disputes",
        N_("Disputes of my online payments"),
        OnlineDispute,
        rows=lambda person: OnlineDispute.online_payment_id.in_(_online(person)),
        leaves={"foreign_id": LINK},
    ),
)
holdings.leave(THE_LIEU, N_("Payouts of the payment provider to the lieu"), OnlinePayout, OnlinePayoutPart)
