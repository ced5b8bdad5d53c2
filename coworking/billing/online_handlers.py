"""After a gateway's notification, when our own look at a payment is due, and what its payer is told then.

Nothing here runs inside a unit of work.
"""

from __future__ import annotations

from coworking.billing import online, online_entries, online_looking, online_queries, online_refunds, payer_queries
from coworking.billing.means_handlers import needs_a_person, not_collected
from coworking.billing.pay_links import pay_url
from coworking.core import mail, outbox
from coworking.spaces import queries as spaces


@outbox.handler(online.NOTIFIED)
def notified(job: outbox.Job) -> None:
    """Fetch what a notification is about and write down how it stands; another program's checkout is none of ours."""
    with needs_a_person():
        if (checkout := job.payload.get("checkout")) is not None:
            online.settle(job.payload["gateway"], checkout)
        if (payment := job.payload.get("payment")) is not None:
            online_refunds.settle_money_back(job.payload["gateway"], payment)


@outbox.handler(online_refunds.REFUND)
def refund(job: outbox.Job) -> None:
    """Ask the gateway for a refund that a manager wants."""
    with needs_a_person():
        online_refunds.carry_out(job.payload["payment"], job.payload["refund"])


@outbox.handler(online_looking.RECONCILE)
def reconcile(job: outbox.Job) -> None:
    """Once a day: ask each gateway for what no notification told."""
    online_looking.reconcile()


@outbox.handler(online_entries.LOOK)
def look(job: outbox.Job) -> None:
    """See what became of a payment, whether or not anyone told."""
    with needs_a_person():
        online_looking.look(job.payload["payment"], job.payload["turn"])


@outbox.handler(online_entries.TOLD)
def told(job: outbox.Job) -> None:
    """E-mail the payer that their payment arrived or was refunded, or that their bank refused a debit."""
    payment = online_queries.online_payment(job.payload["payment"])
    if payment.saved_means_id is not None and job.payload["state"] == "failed":
        not_collected(job, payment)
        return
    refund = next((one for one in payment.refunds if one.id == job.payload.get("refund")), None)
    invoices = [part.invoice for part in payment.parts]
    receiver = payer_queries.receiver_of(invoices[0])
    if receiver is None:
        return
    mail.deliver(
        job.id,
        template="billing/online",
        to=receiver.email,
        locale=receiver.locale,
        context={
            "place": spaces.lieu().name,
            "news": job.payload["state"],
            "cents": payment.cents if refund is None else refund.cents,
            "currency": payment.currency,
            "numbers": [invoice.number for invoice in invoices],
            "no_money": payment.reason == "insufficient_funds",
            "pay_url": pay_url([invoice.public_id for invoice in invoices]),
        },
    )
