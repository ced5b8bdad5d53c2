"""After a gateway's notification, when our own look at a payment is due, and what its payer is told then.

Nothing here runs inside a unit of work.
"""

from __future__ import annotations

from contextlib import suppress

from coworking.billing import (
    charges,
    online,
    online_entries,
    online_looking,
    online_queries,
    online_refunds,
    payouts,
    sale_opening,
)
from coworking.billing.means_handlers import needs_a_person, not_collected, tell_of
from coworking.billing.online_rules import GatewayMissing
from coworking.billing.pay_links import sale_url
from coworking.billing.rules import RefundTooMuch
from coworking.core import mail, outbox
from coworking.core import sales as registry
from coworking.core.formats import money
from coworking.core.policy import SYSTEM
from coworking.core.units import end_read, write_unit
from coworking.pricing import queries as pricing
from coworking.pricing import sales
from coworking.spaces import queries as spaces


@outbox.handler(online.NOTIFIED)
def notified(job: outbox.Job) -> None:
    """Fetch what a notification is about and write down how it stands; another program's checkout is none of ours."""
    with needs_a_person():
        if (checkout := job.payload.get("checkout")) is not None:
            online.settle(job.payload["gateway"], checkout)
        if (payment := job.payload.get("payment")) is not None:
            online_refunds.settle_money_back(job.payload["gateway"], payment)
        if (payout := job.payload.get("payout")) is not None:
            payouts.settle_payout(job.payload["gateway"], payout)


@outbox.handler(online_refunds.REFUND)
def refund(job: outbox.Job) -> None:
    """Ask the gateway for a refund that a manager wants."""
    with needs_a_person():
        online_refunds.carry_out(job.payload["payment"], job.payload["refund"])


@outbox.handler(online_looking.RECONCILE)
def reconcile(job: outbox.Job) -> None:
    """Once a day: ask each gateway for what no notification told."""
    online_looking.reconcile()
    payouts.reconcile_payouts()


@outbox.handler(online_entries.LOOK)
def look(job: outbox.Job) -> None:
    """See what became of a payment, whether or not anyone told."""
    with needs_a_person():
        online_looking.look(job.payload["payment"], job.payload["turn"])


@outbox.handler(registry.DUE)
def due(job: outbox.Job) -> None:
    """Let go of what nobody has paid in time."""
    sale_opening.end_sale(job.payload["sale"])


@outbox.handler(registry.ASKED)
def asked(job: outbox.Job) -> None:
    """E-mail who is asked to pay first what it is for, until when, and the link; not once it is paid or over."""
    sale = pricing.sale(job.payload["sale"])
    if sale.state != "open" or sale.payer.email is None or not sale.payer.is_active:
        return
    mail.deliver(
        job.id,
        template="billing/asked",
        to=sale.payer.email,
        locale=sale.payer.locale,
        context={
            "place": spaces.lieu().name,
            "cents": sale.cents,
            "currency": sale.currency,
            "whats": [line["label"] for line in sale.lines],
            "until": sale.expires_at,
            "pay_url": sale_url(sale.public_id),
        },
    )


@outbox.handler(registry.CHANGED)
def changed(job: outbox.Job) -> None:
    """A booking that was paid first costs less by now (cancelled in time, or changed by the lieu): a manager credits it."""
    sale = pricing.sale(job.payload["sale"])
    due = charges.no_longer_owed(sale)
    if due <= 0:
        return
    numbers = [part.invoice.number for row in online_queries.of_sale(sale.id) for part in row.parts]
    raise outbox.GiveUp(
        f"{money(due, sale.currency)} of {', '.join(numbers)} is no longer owed: credit it, then refund it"
    )


@outbox.handler(online.INVOICE)
def invoice_sale(job: outbox.Job) -> None:
    """Issue the invoice that could not be issued when its money came."""
    payment = online_queries.online_payment(job.payload["payment"])
    sale, waits = payment.sale, not payment.parts
    if sale is None or not waits:
        return
    public_id = sale.public_id
    end_read()
    with write_unit():
        sale = sales.lock(public_id)
        row = online_entries.locked_payment(job.payload["payment"])
        if sale.state == "paid" and not row.parts:
            online.invoice_sale(row, sale)


@outbox.handler(online.TOO_LATE)
def paid_too_late(job: outbox.Job) -> None:
    """Give money back that came for what can no longer be had, and e-mail who paid that it comes."""
    payment = online_queries.online_payment(job.payload["payment"])
    if surplus := online_queries.surplus_of(payment):
        public_id = payment.public_id
        end_read()
        with suppress(GatewayMissing, RefundTooMuch):  # it stays on Today
            online_refunds.give_back(SYSTEM, public_id, surplus, spaces.today(), "gateway")
        payment = online_queries.online_payment(public_id)
    payer, sale = payment.payer_person, payment.sale
    if payer is None or payer.email is None or sale is None or not payer.is_active:
        return
    mail.deliver(
        job.id,
        template="billing/too_late",
        to=payer.email,
        locale=payer.locale,
        context={
            "place": spaces.lieu().name,
            "cents": payment.cents,
            "currency": payment.currency,
            "whats": [line["label"] for line in sale.lines],
            "is_place": sale.subject_kind == "booking",
        },
    )


@outbox.handler(online_entries.TOLD, can_wait=True)
def told(job: outbox.Job) -> None:
    """E-mail the payer that their payment arrived or was refunded, or that their bank refused a debit."""
    payment = online_queries.payment_to_tell(job.payload["payment"])
    if payment.saved_means_id is not None and job.payload["state"] == "failed":
        not_collected(job, payment)
        return
    refund = next((one for one in payment.refunds if one.id == job.payload.get("refund")), None)
    tell_of(  # nobody where it came too late for what was sold: `paid_too_late` told
        job,
        payment,
        "billing/online",
        news=job.payload["state"],
        cents=payment.cents if refund is None else refund.cents,
        no_money=payment.reason == "insufficient_funds",
    )
