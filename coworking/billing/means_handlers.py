"""What happens to saved means after a unit: pages looked at, means forgotten, payers told. Nothing runs inside a unit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from coworking.billing import collecting, drafts, means, means_queries, payer_queries
from coworking.billing.gateways.port import GatewayRefused
from coworking.billing.means_rules import retried_on
from coworking.billing.online_models import OnlinePayment
from coworking.billing.online_rules import FactDisagrees
from coworking.billing.pay_links import pay_url
from coworking.core import mail, outbox
from coworking.core.errors import N_
from coworking.core.settings import settings
from coworking.spaces import queries as spaces

WHY = {
    "insufficient_funds": N_("There was not enough money on the account."),
    "expired_card": N_("The card has expired."),
    "lost_card": N_("The card was reported as lost."),
    "stolen_card": N_("The card was reported as stolen."),
    "means_ended": N_("The card or account can no longer be charged."),
    "payment_intent_mandate_invalid": N_("The mandate to debit the account has ended."),
    "debit_not_authorized": N_("The account holder did not agree to the debit."),
    "account_closed": N_("The account was closed."),
    "bank_account_closed": N_("The account was closed."),
}
"""Why a collection failed, as its payer reads it; else the bank simply declined."""
DECLINED = N_("The bank declined, and did not say why.")


@contextmanager
def needs_a_person() -> Iterator[None]:
    """What asking again would not change fails at once, and a manager sees it."""
    try:
        yield
    except (FactDisagrees, GatewayRefused) as error:
        raise outbox.GiveUp(str(error)) from error


@outbox.handler(means.TOLD_OF)
def told_of(job: outbox.Job) -> None:
    """See what became of a page or of a means that a gateway tells of."""
    with needs_a_person():
        if means.finish(job.payload["means"]).state == "active":
            means.check_usable(job.payload["means"])


@outbox.handler(means.LOOK_AT)
def look_at(job: outbox.Job) -> None:
    """See what became of a page, whether or not anyone told."""
    with needs_a_person():
        means.finish(job.payload["means"])


@outbox.handler(means.FORGET)
def forget(job: outbox.Job) -> None:
    """Have the gateway forget a means that ended."""
    with needs_a_person():
        means.forget(job.payload["means"])


@outbox.handler(means.EXPIRING, can_wait=True)
def expiring(job: outbox.Job) -> None:
    """E-mail a payer that their card ends soon, while it is still the one that is charged."""
    row = means_queries.means_named(job.payload["means"])
    receiver = payer_queries.receiver_of(row)
    if row.state != "active" or receiver is None:
        return
    mail.deliver(
        job.id,
        template="billing/card_expiring",
        to=receiver.email,
        locale=receiver.locale,
        context={
            "place": spaces.lieu().name,
            "last4": row.last4,
            "expires_on": row.expires_on,
            "means_url": f"{settings().base_url}/means",
        },
    )


@outbox.handler(collecting.ANNOUNCED, can_wait=True)
def announced(job: outbox.Job) -> None:
    """E-mail a payer that their account will be debited: how much, when, by whom, under which mandate."""
    notice, saved, invoice = means_queries.notice_named(job.payload["notice"])
    receiver = payer_queries.receiver_of(invoice)
    if receiver is None:
        return
    mail.deliver(
        job.id,
        template="billing/debit_announced",
        to=receiver.email,
        locale=receiver.locale,
        context={
            "place": spaces.lieu().name,
            "creditor": drafts.seller().name,
            "cents": notice.cents,
            "currency": invoice.currency,
            "day": notice.debited_on,
            "number": invoice.number,
            "mandate": saved.mandate,
            "last4": saved.last4,
            "is_again": notice.attempt > 1,
            "means_url": f"{settings().base_url}/means",
            "pay_url": pay_url([invoice.public_id]),
        },
    )


def not_collected(job: outbox.Job, payment: OnlinePayment) -> None:
    """E-mail a payer why what they owe could not be collected, and what happens next."""
    saved = means_queries.means_by_id(payment.saved_means_id)
    reason = payment.reason or ""
    tell_of(
        job,
        payment,
        "billing/not_collected",
        is_card=saved.kind == "card",
        last4=saved.last4,
        wants_owner=reason == "authentication_required",
        why=WHY.get(reason, DECLINED),
        again_on=retried_on(means_queries.failures_of(payment)) if saved.state == "active" else None,
        means_url=f"{settings().base_url}/means",
    )


def tell_of(job: outbox.Job, payment: OnlinePayment, template: str, **said: object) -> None:
    """E-mail who pays what news there is of ``payment``: which invoices, how much, where they are paid, and what else is
    ``said``. Nobody where no address is known, or where the payment is for no invoice."""
    invoices = [part.invoice for part in payment.parts]
    receiver = payer_queries.receiver_of(invoices[0]) if invoices else None
    if receiver is None:
        return
    about = {
        "place": spaces.lieu().name,
        "cents": payment.cents,
        "currency": payment.currency,
        "numbers": [invoice.number for invoice in invoices],
        "pay_url": pay_url([invoice.public_id for invoice in invoices]),
    }
    mail.deliver(job.id, template=template, to=receiver.email, locale=receiver.locale, context=about | said)
