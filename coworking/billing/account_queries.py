"""Reading a payer's account: who the payer is, who may see it, and everything that stands on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from coworking.accounts.models import Organisation, Person
from coworking.accounts.twin_queries import same_person
from coworking.billing import queries
from coworking.billing.account_rules import Entry, EntryKind, Line, Sums, sums_of, with_balance
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment, OnlineRefund
from coworking.billing.payer_credit_models import PayerCredit
from coworking.billing.payer_credit_queries import of_payer
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.core.timespan import local_date
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PayerAccount:
    """A payer's account today. ``owed_cents``: on invoices; ``credit_cents``: left of their credit; ``back_cents``: to be
    given back to them, because it was paid for what was credited since, or online for what was paid already."""

    payer: PayerKey
    public_id: str
    name: str
    lines: list[Line]
    sums: Sums
    owed: list[queries.Standing]
    credit_cents: int
    currency: str

    @property
    def owed_cents(self) -> int:
        return sum(row.open_cents for row in self.owed)

    @property
    def back_cents(self) -> int:
        return self.owed_cents - self.credit_cents - self.sums.balance_cents

    @property
    def is_person(self) -> bool:
        return self.payer[1] is None


def payer_named(public_id: str) -> tuple[PayerKey, str]:
    """The payer with that public id, a person or an organisation, and their name; raises `NotFound`."""
    person = db.session.scalars(select(Person).where(Person.public_id == public_id)).unique().one_or_none()
    if person is not None:
        return (person.id, None), person.name
    organisation = db.session.scalar(select(Organisation).where(Organisation.public_id == public_id))
    if organisation is None:
        raise NotFound()
    return (None, organisation.id), organisation.name


def public_ids_of(payers: Collection[PayerKey]) -> dict[PayerKey, str]:
    """The public ids of these payers (at most 2 statements)."""
    people = [person_id for person_id, _organisation in payers if person_id is not None]
    organisations = [organisation_id for _person, organisation_id in payers if organisation_id is not None]
    found: dict[PayerKey, str] = {}
    if people:
        rows = db.session.execute(select(Person.id, Person.public_id).where(Person.id.in_(people)))
        found |= {(row_id, None): public_id for row_id, public_id in rows}
    if organisations:
        rows = db.session.execute(
            select(Organisation.id, Organisation.public_id).where(Organisation.id.in_(organisations))
        )
        found |= {(None, row_id): public_id for row_id, public_id in rows}
    return found


def payer_public_id(invoice: Invoice) -> str:
    """The public id under which the payer's account of a document stands."""
    payer = invoice.payer_person or invoice.payer_organisation
    assert payer is not None, "a document has one payer"
    return payer.public_id


def accounts_of(actor: Actor) -> list[tuple[str, str]]:
    """The accounts that are the reader's: (public id, name) of themselves and of organisations whose contact they are."""
    me = db.session.scalars(select(Person).where(Person.id == actor.person_id)).unique().all()
    rows = db.session.execute(
        select(Organisation.public_id, Organisation.name)
        .where(Organisation.id.in_(queries.contact_of(actor)))
        .order_by(Organisation.name)
    )
    return [*((person.public_id, person.name) for person in me), *((public_id, name) for public_id, name in rows)]


def account_for(actor: Actor, public_id: str) -> PayerAccount:
    """The account of a payer that ``actor`` may see (6 statements); raises `NotFound`, also for a stranger's.

    Accountants and managers see all; a person their own; an organisation's contact that of the organisation.
    """
    payer, name = payer_named(public_id)
    if not actor.has(Role.ACCOUNTANT) and not _is_own(actor, payer):
        raise NotFound()
    entries = [*_documents(payer), *_payments(payer), *_credit(payer), *_online(payer)]
    lines = with_balance(entries)
    left = -sum(entry.cents for entry in entries if entry.kind in {"received", "given", "undone"})
    left -= sum(entry.moved_cents for entry in entries if entry.kind == "used")
    return PayerAccount(
        payer=payer,
        public_id=public_id,
        name=name,
        lines=lines,
        sums=sums_of(entries),
        owed=queries.owed_of(payer),
        credit_cents=left,
        currency=spaces.lieu().currency,
    )


def _is_own(actor: Actor, payer: PayerKey) -> bool:
    person_id, organisation_id = payer
    if person_id is not None:
        return person_id == actor.person_id
    found = select(Organisation.id).where(
        Organisation.id == organisation_id, Organisation.id.in_(queries.contact_of(actor))
    )
    return db.session.scalar(found) is not None


def _of(payer: PayerKey, model: type[Invoice] | type[PayerCredit]) -> ColumnElement[bool]:
    """The condition for rows of a payer, those of records that were merged into a person's among them."""
    return of_payer(payer, model) if payer[0] is None else same_person(model.payer_person_id, payer[0])


def _documents(payer: PayerKey) -> Iterator[Entry]:
    rows = db.session.execute(
        select(Invoice.id, Invoice.public_id, Invoice.kind, Invoice.number, Invoice.issued_on, Invoice.payable_cents)
        .where(_of(payer, Invoice))
        .order_by(Invoice.id)
    )
    for row_id, public_id, kind, number, day, cents in rows:
        document: EntryKind = "invoice" if kind == "invoice" else "credit_note"
        yield Entry(day, document, cents, abs(cents), number, (0, row_id), document=public_id)


def _payments(payer: PayerKey) -> Iterator[Entry]:
    """Money received for invoices, and taken back. What a credit paid moves nothing: its money came before."""
    rows = db.session.execute(
        select(Payment, Invoice.number, Invoice.public_id)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .where(_of(payer, Invoice))
        .order_by(Payment.id)
    )
    for payment, number, public_id in rows:
        is_credit = payment.method == "credit"
        kind: EntryKind = "used" if is_credit else "payment" if payment.cents > 0 else "reversal"
        yield Entry(
            payment.received_on,
            kind,
            0 if is_credit else -payment.cents,
            payment.cents,
            number,
            (1, payment.id),
            document=public_id,
            method=payment.method,
            reason=payment.reference,
        )


def _credit(payer: PayerKey) -> Iterator[Entry]:
    """What came into the credit and was given back of it; what it paid stands with the payments."""
    undone = aliased(PayerCredit)
    rows = db.session.execute(
        select(PayerCredit, undone.kind)
        .outerjoin(undone, undone.id == PayerCredit.reverses_id)
        .where(_of(payer, PayerCredit))
        .order_by(PayerCredit.id)
    )
    for row, undone_kind in rows:
        if row.kind == "used" or undone_kind == "used":
            continue
        kind: EntryKind = "undone" if row.kind == "undone" else "given" if row.kind == "given" else "received"
        yield Entry(row.day, kind, -row.cents, row.cents, None, (2, row.id), method=row.method, reason=row.reason)


def _online(payer: PayerKey) -> Iterator[Entry]:
    """What came through a gateway beyond what was owed by then, and what was given back of it."""
    taken = (
        select(func.coalesce(func.sum(Payment.cents), 0))
        .where(Payment.online_payment_id == OnlinePayment.id)
        .correlate(OnlinePayment)
        .scalar_subquery()
    )
    beyond = OnlinePayment.cents - taken
    mine = (
        OnlinePayment.payer_organisation_id == payer[1]
        if payer[1] is not None
        else same_person(OnlinePayment.payer_person_id, payer[0])
    )
    zone = spaces.lieu().tz
    rows = db.session.execute(select(OnlinePayment, beyond).where(mine, OnlinePayment.state == "paid", beyond > 0))
    for row, cents in rows:
        day = local_date(row.changed_at, zone)
        yield Entry(day, "online", -int(cents), int(cents), None, (3, row.id), method=row.means)
    refunds = select(OnlineRefund).join(OnlinePayment, OnlinePayment.id == OnlineRefund.online_payment_id).where(mine)
    for refund in db.session.scalars(refunds):
        yield Entry(refund.given_on, "online_given", refund.cents, -refund.cents, None, (4, refund.id))
