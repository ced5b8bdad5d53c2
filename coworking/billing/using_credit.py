"""Paying an invoice out of its payer's credit. One function, one unit of work."""

from __future__ import annotations

from coworking.billing import payer_credit
from coworking.billing.charges import check_manager
from coworking.billing.models import Payment
from coworking.billing.payer_credit_queries import payer_of
from coworking.billing.payer_credit_rules import CreditAmountInvalid
from coworking.billing.paying import add_payment
from coworking.billing.services import invoice_locked
from coworking.core.policy import Actor
from coworking.core.units import write_unit
from coworking.spaces import queries as spaces


def use(actor: Actor, invoice: str, cents: int) -> Payment:
    """Pay ``cents`` of an invoice (its public id) out of its payer's credit; audited.

    Raises `CreditTooSmall`, `PaidTooMuch`, `NotFound`.
    """
    check_manager(actor)
    if cents <= 0:
        raise CreditAmountInvalid()
    payer = payer_of(invoice)
    with write_unit():
        payer_credit.lock_payer(payer)
        payment = add_payment(actor, invoice_locked(invoice), cents, spaces.today(), "credit")
        payer_credit.take(actor, payer, payment)
        return payment
