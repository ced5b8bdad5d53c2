"""Promise 3 on the live data: a bank line is used once, and says what its payments say."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from coworking.accounting.bank_models import BankLine, BankMatch
from coworking.accounting.bank_queries import STILL_COUNTS
from coworking.billing.models import Payment
from coworking.billing.payer_credit_models import PayerCredit
from coworking.billing.payout_models import OnlinePayout
from coworking.core.checks import check
from coworking.core.db import db


@check(3, "no bank line is used beyond what came, and what it paid is what billing knows")
def used_once() -> Iterator[str]:
    used = func.sum(BankMatch.cents)
    over = (
        select(BankLine.public_id, BankLine.cents, used)
        .join(BankMatch, BankMatch.line_id == BankLine.id)
        .where(STILL_COUNTS)
        .group_by(BankLine.id, BankLine.public_id, BankLine.cents)
        .having(or_(used > BankLine.cents, used < 0))
    )
    yield from (
        f"bank_line {public} of {cents} is used for {taken}" for public, cents, taken in db.session.execute(over)
    )
    paid = (
        select(BankMatch.public_id, BankMatch.cents, func.coalesce(Payment.cents, PayerCredit.cents))
        .outerjoin(Payment, Payment.id == BankMatch.payment_id)
        .outerjoin(PayerCredit, PayerCredit.id == BankMatch.credit_id)
        .where(
            BankMatch.kind.in_(("payment", "credit")),
            func.coalesce(Payment.cents, PayerCredit.cents) != BankMatch.cents,
        )
    )
    yield from (
        f"bank_match {public} is of {cents} and what it made of {made}"
        for public, cents, made in db.session.execute(paid)
    )


@check(3, "a payout counts as one bank line at most, of just its amount")
def payouts_once() -> Iterator[str]:
    undone = aliased(BankMatch)
    counted = (
        select(OnlinePayout.public_id, OnlinePayout.cents, func.count(), func.sum(BankMatch.cents))
        .join(BankMatch, BankMatch.payout_id == OnlinePayout.id)
        .where(~select(undone.id).where(undone.reverses_id == BankMatch.id).correlate(BankMatch).exists())
        .group_by(OnlinePayout.id, OnlinePayout.public_id, OnlinePayout.cents)
        .having(or_(func.count() > 1, func.sum(BankMatch.cents) != OnlinePayout.cents))
    )
    yield from (
        f"online_payout {public} of {cents} counts as {count} bank lines of {came}"
        for public, cents, count, came in db.session.execute(counted)
    )
