"""Selling at the door, and undoing a sale on its own day. Each public function is one unit of work.

A sale to nobody is a receipt. One to a person is an invoice of theirs, paid at once; its deposits are a receipt. What goes
on their next invoice is charged and nothing more. Locks: the person, an invoice, then the series in the order receipts,
invoices, cash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import door_queries, door_rules, drafts, mentions, paying, queries, rules, services
from coworking.billing.charges import charge_values, quote_values, waive_given_up
from coworking.billing.door_models import Deposit, DepositReturn, DoorReceipt, DoorSale
from coworking.billing.door_rules import SoldLine
from coworking.billing.manual_charges import waive_in_unit
from coworking.billing.models import Charge, Invoice
from coworking.billing.numbering import lock_series, next_in
from coworking.booking.access import for_whom, lock_person
from coworking.core import audit, links
from coworking.core.cash import cash_moved
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.keyring import SigningKey, signing_key
from coworking.core.months import month_of
from coworking.core.policy import Actor, Role
from coworking.core.sql import insert_missing
from coworking.core.units import locked, write_unit
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sold: to ``person`` (public id; None: nobody), how many of each key of `door_queries.offered`."""

    person: str | None
    wanted: Mapping[str, int]
    method: str


First = Callable[[], Sequence[str]]
"""What happens in the unit of a sale before it (an arrival); the keys of what is sold beside what was chosen."""


def sell(actor: Actor, order: Order, *, shown_cents: int, nonce: int, first: First | None = None) -> DoorSale:
    """Sell what was chosen for the amount that was shown; hosts and managers. The same ``nonce`` sells once.

    Raises `SalePriceChanged` when it comes to another amount by now, `SoldAlready` when ``nonce`` sold something else, and
    what prevents an invoice.
    """
    _check_host(actor)
    wanted = door_rules.check_wanted(order.wanted)
    if order.method not in (*door_rules.MEANS, door_rules.ON_INVOICE):
        raise door_rules.MeansUnknown()
    if order.method == door_rules.ON_INVOICE and order.person is None:
        raise door_rules.PayerMissing()
    key = signing_key()
    with write_unit() as unit:
        person = None if order.person is None else for_whom(actor, order.person)
        if person is None:
            lock_series(door_rules.CHAIN)  # so that the same form sent twice waits here for what it has sold
        made = door_queries.sale_by_nonce(nonce)
        if made is None:
            keys = wanted | dict.fromkeys(first(), 1) if first is not None else wanted
            made = _Sale(actor, key, person, order.method, nonce).of(door_queries.lines(keys, person), shown_cents)
        elif (made.cents, made.method, made.person_id) != (shown_cents, order.method, person and person.id):
            raise door_rules.SoldAlready(extra={"sale": made.public_id})
        unit.result = made.public_id
    return made


@dataclass(slots=True)
class _Sale:
    """One sale while it is written, inside the unit."""

    actor: Actor
    key: SigningKey
    person: Person | None
    method: str
    nonce: int
    today: date = field(default_factory=spaces.today)

    def of(self, lines: Sequence[SoldLine], shown_cents: int) -> DoorSale:
        found = door_rules.bill(lines)
        if not lines or found.payable_cents <= 0:
            raise door_rules.NothingToSell()
        if found.payable_cents != shown_cents:
            raise door_rules.SalePriceChanged()
        later = self.method == door_rules.ON_INVOICE
        deposits = [line for line in lines if line.is_deposit]
        if later and deposits:
            raise door_rules.DepositPaidLater()
        on_receipt = lines if self.person is None else deposits
        if on_receipt:
            lock_series(door_rules.CHAIN)
        invoice = receipt = None
        if self.person is not None and len(deposits) < len(lines):
            charges = self._charge(self.person, [line for line in lines if not line.is_deposit], later=later)
            invoice = None if later else self._invoice(charges)
        if on_receipt:
            receipt = self._receipt(on_receipt)
        sale = DoorSale(
            nonce=self.nonce,
            sold_on=self.today,
            method=self.method,
            person_id=self.person and self.person.id,
            cents=found.payable_cents,
            vat_cents=found.vat_cents,
            lines=door_rules.said(lines),
            invoice_id=invoice and invoice.id,
            receipt_id=receipt and receipt.id,
            created_by_id=self.actor.person_id,
        )
        db.session.add(sale)
        db.session.flush()
        audit.record(
            self.actor,
            "door.sold",
            ("door_sale", sale.id),
            person_id=sale.person_id,
            cents=sale.cents,
            method=sale.method,
        )
        return sale

    def _charge(self, person: Person, lines: Sequence[SoldLine], *, later: bool) -> list[int]:
        """The charges of ``lines``, made or found, locked; nothing is charged twice. On a later invoice, what is used
        today is charged when the day is over, like every use."""
        quotes = {
            row.id: row
            for row in db.session.scalars(
                select(Quote).where(Quote.id.in_([line.quote_id for line in lines if line.quote_id is not None]))
            ).unique()
        }
        rows = [
            self._row(person, place, line) if line.quote_id is None else quote_values(quotes[line.quote_id])
            for place, line in enumerate(lines)
            if line.charge_id is None and not (later and line.quote_id is not None)
        ]
        if insert_missing(Charge, rows) != len(rows):
            raise door_rules.PaidMeanwhile()
        made = db.session.scalars(select(Charge.id).where(Charge.public_id.in_([row["public_id"] for row in rows])))
        ids = [*made, *(line.charge_id for line in lines if line.charge_id is not None)]
        db.session.scalars(locked(select(Charge).where(Charge.id.in_(ids)).order_by(Charge.id))).all()
        return ids

    def _row(self, person: Person, place: int, line: SoldLine) -> dict[str, Any]:
        item = line.item
        return charge_values(
            payer_person_id=person.id,
            person_id=person.id,
            source="sale",
            source_id=self.nonce * door_rules.PLACES + place,
            family=item.family,
            month=item.month,
            due_month=item.month,
            day=self.today,
            label=item.label,
            quantity=item.quantity,
            unit=item.unit,
            unit_cents=item.unit_cents,
            amount_cents=item.amount_cents,
            basis=item.basis,
            vat_rate_bp=item.vat_rate_bp,
            account=item.account,
            created_by_id=self.actor.person_id,
        )

    def _invoice(self, charge_ids: Sequence[int]) -> Invoice:
        """An invoice over these charges, paid at once."""
        month = month_of(self.today)
        due = queries.charges_due(month, Charge.id.in_(charge_ids), ~queries.discounted())
        prepared = drafts.prepare_from(due, month)
        if not prepared or len(prepared[0].charges) != len(charge_ids):
            raise door_rules.PaidMeanwhile()
        invoice = services.issue_in_unit(self.actor, self.key, prepared[0], month, paid_by=self.method)
        paying.add_payment(self.actor, invoice, invoice.payable_cents, self.today, self.method)
        return invoice

    def _receipt(self, lines: Sequence[SoldLine]) -> DoorReceipt:
        seq, previous, number = _next_receipt(self.today)
        head = door_rules.ReceiptHead(
            number=number,
            seq=seq,
            sold_on=self.today,
            method=self.method,
            currency=spaces.lieu().currency,
            seller=drafts.seller(),
            exemption=mentions.exemption(drafts.terms(), self.today),
        )
        receipt = _freeze(self.actor, self.key, door_rules.receipt(head, lines), previous)
        db.session.add_all(
            Deposit(
                receipt_id=receipt.id,
                person_id=self.person and self.person.id,
                label=line.item.label,
                cents=line.item.unit_cents,
                account=line.item.account,
                taken_on=self.today,
            )
            for line in lines
            if line.is_deposit
            for _piece in range(line.item.quantity)
        )
        return receipt


# Undoing --------------------------------------------------------------------------------------------------------------


def cancel(actor: Actor, public_id: str, reason: str) -> DoorSale:
    """Undo a sale on its own day by a counter-sale, with a reason; hosts and managers.

    An invoice gets a credit note and its payment is reversed; what the person still uses today is owed again. A receipt gets
    one that turns every sign, its deposits are no longer held. Raises `SaleCancelled`, `SaleOfAnotherDay`,
    `DepositReturned` where a deposit was given back already, `AlreadyInvoiced` for what is on a later invoice by now.
    """
    _check_host(actor)
    why, key = rules.check_reason(reason), signing_key()
    with write_unit() as unit:
        sale = _locked_sale(public_id)
        if sale.cancels_id is not None or door_queries.undoing_of(sale) is not None:
            raise door_rules.SaleCancelled()
        if sale.sold_on != spaces.today():
            raise door_rules.SaleOfAnotherDay()
        note = counter = None
        invoice = db.session.scalars(locked(select(Invoice).where(Invoice.id == sale.invoice_id))).one_or_none()
        if sale.receipt_id is not None:
            lock_series(door_rules.CHAIN)
        if invoice is not None:
            note = _credit(actor, key, invoice, why)
            waive_given_up()
        elif sale.method == door_rules.ON_INVOICE:
            _take_off(actor, sale)
        if sale.receipt_id is not None:
            counter = _counter_receipt(actor, key, db.session.get_one(DoorReceipt, sale.receipt_id))
        undoing = DoorSale(
            nonce=-sale.nonce,  # below zero, where no form's nonce is
            sold_on=sale.sold_on,
            method=sale.method,
            person_id=sale.person_id,
            cents=-sale.cents,
            vat_cents=-sale.vat_cents,
            lines=[line | {"amount_cents": -line["amount_cents"]} for line in sale.lines],
            invoice_id=note and note.id,
            receipt_id=counter and counter.id,
            cancels_id=sale.id,
            reason=why,
            created_by_id=actor.person_id,
        )
        db.session.add(undoing)
        db.session.flush()
        audit.record(
            actor, "door.cancelled", ("door_sale", sale.id), person_id=sale.person_id, cents=-sale.cents, reason=why
        )
        unit.result = undoing.public_id
    return undoing


def _locked_sale(public_id: str) -> DoorSale:
    """The sale, its person locked first."""
    found = db.session.execute(select(DoorSale.id, DoorSale.person_id).where(DoorSale.public_id == public_id)).first()
    if found is None:
        raise NotFound()
    if found.person_id is not None:
        lock_person(found.person_id)
    return db.session.scalars(locked(select(DoorSale).where(DoorSale.id == found.id))).one()


def _credit(actor: Actor, key: SigningKey, invoice: Invoice, reason: str) -> Invoice:
    note = services.credit_in_unit(actor, key, invoice, reason, again=("quote", "rebill"))
    payments = queries.payments_of(invoice)
    undone = {payment.reverses_id for payment in payments}
    for payment in payments:
        if payment.cents > 0 and payment.id not in undone:
            paying.reverse_in_unit(actor, invoice, payment)
    return note


def _take_off(actor: Actor, sale: DoorSale) -> None:
    """Waive the charges that the sale put on the next invoice."""
    first = sale.nonce * door_rules.PLACES
    charges = db.session.scalars(
        locked(
            select(Charge)
            .where(Charge.source == "sale", Charge.source_id.between(first, first + door_rules.PLACES - 1))
            .order_by(Charge.id)
        )
    ).all()
    for charge in charges:
        if charge.invoice_id is not None:
            raise rules.AlreadyInvoiced()
        waive_in_unit(actor, charge)


def _counter_receipt(actor: Actor, key: SigningKey, original: DoorReceipt) -> DoorReceipt:
    deposits = db.session.scalars(
        locked(select(Deposit).where(Deposit.receipt_id == original.id).order_by(Deposit.id))
    ).all()
    returned = select(DepositReturn.id).where(DepositReturn.deposit_id.in_([deposit.id for deposit in deposits]))
    if db.session.scalars(returned).first() is not None:
        raise door_rules.DepositReturned()
    seq, previous, number = _next_receipt(original.sold_on)
    content = door_rules.counter_receipt(door_queries.receipt_content(original), number=number, seq=seq)
    counter = _freeze(actor, key, content, previous, corrects_id=original.id)
    db.session.add_all(
        DepositReturn(
            deposit_id=deposit.id,
            returned_on=original.sold_on,
            method=original.method,
            receipt_id=counter.id,
            created_by_id=actor.person_id,
        )
        for deposit in deposits
    )
    return counter


# Deposits -------------------------------------------------------------------------------------------------------------


def give_back(actor: Actor, public_id: str, method: str) -> DepositReturn:
    """Give a deposit back, once; hosts and managers. Raises `DepositReturned`."""
    _check_host(actor)
    if method not in door_rules.MEANS:
        raise door_rules.MeansUnknown()
    with write_unit():
        deposit = db.session.scalars(locked(select(Deposit).where(Deposit.public_id == public_id))).one_or_none()
        if deposit is None:
            raise NotFound()
        if db.session.scalar(select(DepositReturn.id).where(DepositReturn.deposit_id == deposit.id)) is not None:
            raise door_rules.DepositReturned()
        done = DepositReturn(
            deposit_id=deposit.id, returned_on=spaces.today(), method=method, created_by_id=actor.person_id
        )
        db.session.add(done)
        db.session.flush()
        audit.record(
            actor, "door.deposit_returned", ("deposit", deposit.id), person_id=deposit.person_id, cents=deposit.cents
        )
        if method == "cash":
            cash_moved(actor, "deposit_return", done.id, -deposit.cents)
    return done


# Receipts -------------------------------------------------------------------------------------------------------------


def link_of(receipt: DoorReceipt) -> links.ChainLink:
    """A receipt's link in the chain of receipts."""
    return links.ChainLink(receipt.seq, receipt.prev, receipt.sha256, receipt.key_id, receipt.signature)


def _next_receipt(day: date) -> tuple[int, str, str]:
    """The next sequence number, the digest it follows, and the next number of the year."""
    seq = next_in(door_rules.CHAIN)
    last = db.session.scalar(select(DoorReceipt).where(DoorReceipt.seq == seq - 1))
    series = f"R{day.year}"
    return seq, links.GENESIS if last is None else link_of(last).digest, rules.number_of(series, next_in(series))


def _freeze(
    actor: Actor, key: SigningKey, content: Mapping[str, Any], previous: str, *, corrects_id: int | None = None
) -> DoorReceipt:
    payload = links.canonical_payload(content)
    link = links.link_behind(key, content["seq"], previous, payload)
    receipt = DoorReceipt(
        seq=link.seq,
        number=content["number"],
        kind=content["kind"],
        corrects_id=corrects_id,
        sold_on=date.fromisoformat(content["sold_on"]),
        method=content["method"],
        net_cents=content["net_cents"],
        vat_cents=content["vat_cents"],
        deposit_cents=content["deposit_cents"],
        payable_cents=content["payable_cents"],
        payload=payload,
        sha256=link.sha256,
        prev=link.prev,
        key_id=link.key_id,
        signature=link.signature,
        issued_at=now(),
        issued_by_id=actor.person_id,
    )
    db.session.add(receipt)
    db.session.flush()
    if receipt.method == "cash":
        cash_moved(actor, "receipt", receipt.id, receipt.payable_cents)
    return receipt


def _check_host(actor: Actor) -> None:
    """Who sells at the door: whoever may welcome people."""
    if not actor.has(Role.HOST):
        raise Forbidden()
