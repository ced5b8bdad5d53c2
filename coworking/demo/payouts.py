"""The demo's last months: card payments through Stripe, what Stripe paid out of them, and the lines at the bank.

What Stripe says is written down by the same services as what a real account says: nobody asks Stripe here. The last payout
is left for the manager to confirm at the bank; one holds a payment of a shop on the same account, which explains nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

from coworking.accounting import bank_matching, bank_queries, bank_reading
from coworking.billing import online, payouts
from coworking.billing.gateways.port import CheckoutFact, PayoutFact, PayoutPartFact
from coworking.billing.models import Invoice
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart, OnlinePaymentStep
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.months import month_before
from coworking.core.policy import Actor
from coworking.core.types import public_id
from coworking.core.units import end_read, write_unit
from coworking.demo.stripe_double.paying import fee_of

GATEWAY = "stripe"
MONTHS = 3
PAYOUT_DAY, ARRIVES_AFTER = 3, timedelta(days=2)
SHOP_CENTS = 4500
IBAN = "FR7630006000011234567890189"
"""The lieu's account at its bank, of nobody."""


class StripeAccount:
    """The lieu's account at Stripe, with test keys, since the third month before ``today``."""

    def __init__(self, manager: Actor, today: date) -> None:
        self._manager, self._first = manager, month_before(today, MONTHS)
        last = today - ARRIVES_AFTER
        self._last_arrival = (last if last.day >= PAYOUT_DAY else month_before(last)).replace(day=PAYOUT_DAY)
        self._balance: list[PayoutPartFact] = []
        self._on_its_way: PayoutFact | None = None
        self._made = 0

    def takes_cards(self, day: date) -> bool:
        """Whether people pay by card online on ``day``."""
        return day >= self._first

    def pay(self, invoice: Invoice, cents: int) -> None:
        """Let the payer of ``invoice`` pay ``cents`` by card on Stripe's page, just now."""
        key = public_id()
        checkout, intent = f"cs_test_{key}", f"pi_{key}"
        with write_unit():
            payment = OnlinePayment(
                public_id=key,
                gateway=GATEWAY,
                is_live=False,
                payer_person_id=invoice.payer_person_id,
                payer_organisation_id=invoice.payer_organisation_id,
                cents=cents,
                currency=invoice.currency,
                state="open",
                locale="fr",
                checkout_id=checkout,
                parts=[OnlinePaymentPart(invoice_id=invoice.id, cents=cents)],
                steps=[OnlinePaymentStep(state=state, noted_at=now()) for state in ("opening", "open")],
            )
            db.session.add(payment)
        online.note_fact(
            GATEWAY, CheckoutFact(checkout, key, "paid", cents, invoice.currency, False, "card", payment_id=intent)
        )
        fee = fee_of("card", cents)
        self._balance.append(PayoutPartFact(f"txn_{key}", "payment", cents, fee, invoice.currency, now(), intent, key))

    def live(self, day: date) -> None:
        """What Stripe and the bank do on ``day``: pay out the balance once a month, and book it two days later."""
        if self._on_its_way is not None and day >= self._on_its_way.arrives_on:
            self._arrive(self._on_its_way, is_last=day > self._last_arrival)
            self._on_its_way = None
        if day.day == PAYOUT_DAY and self._balance:
            self._pay_out(day)

    def _pay_out(self, day: date) -> None:
        self._made += 1
        if self._made == MONTHS - 1:
            other = PayoutPartFact(
                "txn_shop", "payment", SHOP_CENTS, fee_of("card", SHOP_CENTS), "EUR", now(), "pi_shop"
            )
            self._balance.append(other)
        cents = sum(part.cents - part.fee_cents for part in self._balance)
        fact = PayoutFact(
            payout_id=f"po_{day:%Y%m}",
            state="under_way",
            cents=cents,
            currency="EUR",
            is_live=False,
            made_at=now(),
            arrives_on=day + ARRIVES_AFTER,
            listed="now",
            reference=f"STRIPE {day:%m%y}",
        )
        payouts.note_payout(GATEWAY, fact, self._balance)
        self._on_its_way, self._balance = fact, []

    def _arrive(self, fact: PayoutFact, *, is_last: bool) -> None:
        """The bank has it; the manager reads the statement and confirms what it is, all but the last one."""
        payouts.note_payout(GATEWAY, replace(fact, state="paid"), None)
        bank_reading.read_file(self._manager, BytesIO(_statement(fact).encode()))
        end_read()
        if is_last:
            return
        waiting = bank_queries.waiting()
        for line_id, proposed in bank_queries.payout_proposals(waiting).items():
            line = next(row.line for row in waiting if row.line.id == line_id)
            bank_matching.confirm_payout(self._manager, line.public_id, proposed.payout.public_id)


def _statement(fact: PayoutFact) -> str:
    """The bank's statement (CAMT.053) of the day on which a payout arrived."""
    money = f'<Amt Ccy="{fact.currency}">{fact.cents // 100}.{fact.cents % 100:02d}</Amt>'
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>{fact.payout_id}</MsgId></GrpHdr><Stmt><Id>{fact.payout_id}</Id>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>{fact.currency}</Ccy></Acct>"
        f"<Ntry>{money}<CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{fact.arrives_on.isoformat()}</Dt></BookgDt>"
        f"<AcctSvcrRef>{fact.payout_id}</AcctSvcrRef><NtryDtls><TxDtls><AmtDtls><TxAmt>{money}</TxAmt></AmtDtls>"
        "<RltdPties><Dbtr><Nm>STRIPE PAYMENTS EUROPE</Nm></Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>VIR SEPA RECU {fact.reference}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        "</Stmt></BkToCstmrStmt></Document>"
    )
