"""What becomes of money's rows when a payer is erased, and what must be settled before.

Invoices, payments and what proves them stay for ten years (code de commerce, art. L123-22), with the name they were made
with; whose they are is then told by their number alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Select, select

from coworking.billing import given_up, queries
from coworking.billing.door_models import Deposit, DepositReturn, DoorSale
from coworking.billing.means_models import SavedMeans
from coworking.billing.models import Charge, DraftHold, Invoice, InvoicePdf, Payment
from coworking.billing.online_models import OnlineDispute, OnlinePayment, OnlineRefund
from coworking.billing.payer_credit_models import PayerCredit
from coworking.billing.payer_credit_queries import credit_left
from coworking.billing.reminder_models import Reminder, ReminderPause
from coworking.core import erasing
from coworking.core.db import db
from coworking.core.erasing import LAW, PROOF, Forgets, Hindrance
from coworking.core.formats import money
from coworking.core.i18n import _
from coworking.pricing.models import Quote, Sale
from coworking.spaces import queries as spaces


def _kept(*columns: str, why: str = LAW) -> dict[str, str]:
    return dict.fromkeys(columns, why)


def _of_invoices(person: int) -> Select[int]:
    return select(Invoice.id).where(Invoice.payer_person_id == person)


def _of_payments(person: int) -> Select[int]:
    return select(OnlinePayment.id).where(OnlinePayment.payer_person_id == person)


_MEANS = (
    "brand",
    "last4",
    "mandate",
    "customer_id",
    "means_id",
    "mandate_id",
    "checkout_id",
    "checkout_url",
    "agreed_to",
)

erasing.declare(
    Forgets(DraftHold, lambda person: DraftHold.payer_person_id == person, deletes=True),
    Forgets(ReminderPause, lambda person: ReminderPause.payer_person_id == person, deletes=True),
    Forgets(Invoice, lambda person: Invoice.payer_person_id == person, keeps=_kept("payload")),
    Forgets(InvoicePdf, lambda person: InvoicePdf.invoice_id.in_(_of_invoices(person)), keeps=_kept("content")),
    Forgets(Payment, lambda person: Payment.invoice_id.in_(_of_invoices(person)), keeps=_kept("reference")),
    Forgets(PayerCredit, lambda person: PayerCredit.payer_person_id == person, keeps=_kept("reason")),
    Forgets(Charge, lambda person: Charge.payer_person_id == person, keeps=_kept("label")),
    Forgets(Sale, lambda person: Sale.payer_person_id == person, keeps=_kept("lines", "terms")),
    Forgets(DoorSale, lambda person: DoorSale.person_id == person, keeps=_kept("reason")),
    Forgets(
        Reminder,
        lambda person: Reminder.payer_person_id == person,
        keeps=_kept("email", "subject", "text", why=PROOF),
    ),
    Forgets(SavedMeans, lambda person: SavedMeans.payer_person_id == person, keeps=_kept(*_MEANS, why=PROOF)),
    Forgets(
        OnlinePayment,
        lambda person: OnlinePayment.payer_person_id == person,
        keeps=_kept("checkout_id", "checkout_url", "foreign_id"),
    ),
    Forgets(
        OnlineRefund,
        lambda person: OnlineRefund.online_payment_id.in_(_of_payments(person)),
        keeps=_kept("foreign_id"),
    ),
    Forgets(
        OnlineDispute,
        lambda person: OnlineDispute.online_payment_id.in_(_of_payments(person)),
        keeps=_kept("foreign_id"),
    ),
)


@erasing.hindered_by
def _owes(person_id: int) -> Iterator[Hindrance]:
    """What is to be paid, either way, and what could still be collected."""
    currency = spaces.lieu().currency
    if owed := sum(row.open_cents for row in queries.owed_of((person_id, None))):
        yield Hindrance(_("%(amount)s are still to be paid.", amount=money(owed, currency)), "billing.mine")
    if queries.coming_for(person_id) or _used_since(person_id):
        yield Hindrance(_("Something is not invoiced yet: the last invoice must come first."), "billing.mine")
    if (credit := credit_left((person_id, None))) > 0:
        yield Hindrance(
            _(
                "The place still owes %(amount)s of credit: it must be given back or used first.",
                amount=money(credit, currency),
            )
        )
    pending = select(OnlinePayment.id).where(
        OnlinePayment.payer_person_id == person_id, OnlinePayment.state.in_(("open", "pending"))
    )
    if db.session.scalar(pending.limit(1)) is not None:
        yield Hindrance(_("A payment is under way: wait until it has come or failed."), "billing.mine")
    active = select(SavedMeans.id).where(SavedMeans.payer_person_id == person_id, SavedMeans.state == "active")
    if db.session.scalar(active.limit(1)) is not None:
        yield Hindrance(
            _("The place may still collect from a saved card or account: withdraw that first."), "means.page"
        )
    held = ~select(DepositReturn.id).where(DepositReturn.deposit_id == Deposit.id).exists()
    if db.session.scalar(select(Deposit.id).where(Deposit.person_id == person_id, held).limit(1)) is not None:
        yield Hindrance(_("The place holds a deposit: what it is for must come back first."))


def _used_since(person_id: int) -> bool:
    """Whether something was used that no charge stands for yet."""
    used = select(Quote.id).where(
        Quote.payer_person_id == person_id,
        Quote.state == "live",
        Quote.amount_cents > 0,
        Quote.day <= spaces.today(),
        ~given_up.is_charged(),
    )
    return db.session.scalar(used.limit(1)) is not None
