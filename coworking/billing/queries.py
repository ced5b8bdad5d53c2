"""Reading charges, invoices and payments."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from coworking.accounts import queries as accounts
from coworking.accounts.models import Organisation, Person
from coworking.accounts.twin_queries import same_person
from coworking.billing import rules
from coworking.billing.models import BillingSettings, Charge, Invoice, Payment
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import priced_by
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.policy import Actor, Role
from coworking.core.search import fold, folded
from coworking.spaces import queries as spaces

PAGE_SIZE = 50

ISSUED = "billing.issued"
"""The outbox topic of a document that was issued; its key ends in the document's public id."""

_waiver = aliased(Charge)
_discount = aliased(Charge)


def settings_row() -> BillingSettings:
    """What the PDFs say beyond the lieu's identity; the usual where nothing was set."""
    return db.session.get(BillingSettings, 1) or BillingSettings(id=1, vat_on_debits=False)


def replaced_mentions(vat_status: str) -> dict[str, str]:
    """The lieu's own words by mention, at a lieu of that VAT status."""
    row = settings_row()
    before = {"penalty": row.penalty} | ({} if vat_status == "taxable" else {vat_status: row.exemption})
    return {key: words for key, words in before.items() if words} | (row.mentions or {})


# Charges --------------------------------------------------------------------------------------------------------------


def waived() -> ColumnElement[bool]:
    """Whether a charge was waived: it and its waiver come to nothing and stay off every invoice."""
    return (
        select(_waiver.id).where(_waiver.source == "waiver", _waiver.source_id == Charge.id).correlate(Charge).exists()
    )


def discounted() -> ColumnElement[bool]:
    """Whether a charge has a discount, which goes on the same invoice."""
    mine = (_discount.source == "discount") & (_discount.source_id == Charge.id)
    return select(_discount.id).where(mine).correlate(Charge).exists()


def with_discounts(charge_ids: Iterable[int]) -> ColumnElement[bool]:
    """The condition of being one of these charges or a discount on one of them."""
    ids = list(charge_ids)
    return Charge.id.in_(ids) | ((Charge.source == "discount") & Charge.source_id.in_(ids))


def charged_to(payer: tuple[int | None, int | None]) -> ColumnElement[bool]:
    """The condition that a payer, (person id, organisation id) with one of them None, is who pays a charge."""
    person_id, organisation_id = payer
    return Charge.payer_person_id == person_id if person_id else Charge.payer_organisation_id == organisation_id


def billable(due: date) -> list[ColumnElement[bool]]:
    """Conditions of charges to invoice by the month ``due``: neither invoiced, nor waived, nor themselves a waiver."""
    return [Charge.invoice_id.is_(None), Charge.due_month <= due, Charge.source != "waiver", ~waived()]


def _loaded() -> Select[Charge]:
    return (
        select(Charge)
        .options(joinedload(Charge.person), joinedload(Charge.payer_person), joinedload(Charge.payer_organisation))
        .order_by(Charge.payer_organisation_id, Charge.payer_person_id, Charge.month, Charge.day, Charge.id)
    )


def charges_due(due: date, *conditions: ColumnElement[bool]) -> list[Charge]:
    """Charges to invoice by the month ``due``, with their people and payers (1 statement)."""
    return list(db.session.scalars(_loaded().where(*billable(due), *conditions)).unique())


def doubts(due: date) -> dict[int, str]:
    """Charges to invoice by the month ``due`` that are owed as booked though nobody is known to have come (1 statement).

    By charge id: ``absent``, or ``unknown`` where nobody has said yet or ever will.
    """
    rows = db.session.execute(
        select(Charge.id, BookingUnit.outcome)
        .join(BookingUnit, priced_by(Charge.source_id))
        .join(Booking, Booking.id == BookingUnit.booking_id)
        .where(*billable(due), Charge.source == "quote", BookingUnit.outcome != "came", Booking.status == "confirmed")
    )
    return {charge_id: "absent" if outcome == "absent" else "unknown" for charge_id, outcome in rows}


def month_progress(month: date) -> tuple[int, int]:
    """How many invoices of ``month`` are issued, and how many payers still owe something for it (1 statement)."""
    issued = select(func.count()).where(Invoice.month == month, Invoice.kind == "invoice").scalar_subquery()
    owing = (
        select(func.min(Charge.id))
        .where(*billable(month))
        .group_by(Charge.payer_organisation_id, Charge.payer_person_id)
        .having(func.sum(Charge.amount_cents) > 0)
        .subquery()
    )
    row = db.session.execute(select(issued, select(func.count()).select_from(owing).scalar_subquery())).one()
    return row[0], row[1]


def charge_by_public_id(public_id: str) -> Charge:
    """The charge; raises `NotFound`."""
    found = db.session.scalars(_loaded().where(Charge.public_id == public_id)).unique().one_or_none()
    if found is None:
        raise NotFound()
    return found


def coming_for(person_id: int) -> list[Charge]:
    """What the next invoice of a person will hold, as known now."""
    return list(
        db.session.scalars(
            _loaded().where(
                Charge.invoice_id.is_(None),
                Charge.source != "waiver",
                ~waived(),
                Charge.payer_person_id == person_id,
            )
        ).unique()
    )


# Documents ------------------------------------------------------------------------------------------------------------

_note = aliased(Invoice)
_paid = (
    select(func.coalesce(func.sum(Payment.cents), 0))
    .where(Payment.invoice_id == Invoice.id)
    .correlate(Invoice)
    .scalar_subquery()
)
_credited = (
    select(func.coalesce(-func.sum(_note.payable_cents), 0))
    .where(_note.corrects_id == Invoice.id)
    .correlate(Invoice)
    .scalar_subquery()
)


OPEN_CENTS = Invoice.payable_cents - _paid - _credited
"""What is still owed on an invoice, in SQL."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A document, how much of it was paid, how much credit notes take back, and how it stands today."""

    invoice: Invoice
    paid_cents: int
    credited_cents: int
    state: rules.DocumentState

    @property
    def open_cents(self) -> int:
        """Still owed; negative: to be refunded."""
        if self.invoice.kind == "credit_note":
            return 0
        return rules.open_cents(self.invoice.payable_cents, self.paid_cents, self.credited_cents)

    @property
    def payer_name(self) -> str:
        """As the PDF names who pays."""
        return str(content(self.invoice)["buyer"]["name"])


def content(invoice: Invoice) -> dict[str, Any]:
    """The snapshot of a document (see `billing.documents`)."""
    return json.loads(invoice.payload)


def _standing(invoice: Invoice, paid: int, credited: int, today: date) -> Standing:
    kind: rules.DocumentKind = "invoice" if invoice.kind == "invoice" else "credit_note"
    state = rules.state_of(kind, invoice.payable_cents, paid, credited, invoice.due_on, today)
    return Standing(invoice, paid, credited, state)


def _standings(conditions: Iterable[ColumnElement[bool]], order: Sequence[Any], limit: int | None) -> list[Standing]:
    statement = select(Invoice, _paid, _credited).where(*conditions).order_by(*order)
    if limit is not None:
        statement = statement.limit(limit)
    today = spaces.today()
    return [_standing(row, int(paid), int(credited), today) for row, paid, credited in db.session.execute(statement)]


def visible_to(actor: Actor) -> list[ColumnElement[bool]]:
    """Conditions of the documents ``actor`` may read: all for accountants and managers, else `own_of`.

    A host reads no more than a member.
    """
    return [] if actor.has(Role.ACCOUNTANT) else own_of(actor)


def own_of(actor: Actor, model: Any = Invoice) -> list[ColumnElement[bool]]:
    """Conditions of one's own documents (or what else has payers) and those of organisations whose contact one is today."""
    return [
        or_(same_person(model.payer_person_id, actor.person_id), model.payer_organisation_id.in_(contact_of(actor)))
    ]


def contact_of(actor: Actor) -> Select[int]:
    """The organisations whose contact ``actor`` is today, as a subquery of their ids."""
    return accounts.contact_of(actor.person_id, spaces.today())


def standing_for(actor: Actor, public_id: str) -> Standing:
    """One document ``actor`` may read; raises `NotFound`, also for a stranger's."""
    found = _standings([Invoice.public_id == public_id, *visible_to(actor)], [Invoice.id], 1)
    if not found:
        raise NotFound()
    return found[0]


def standings_of(public_ids: Collection[str]) -> list[Standing]:
    """Invoices by their public ids, the oldest first, for whoever was given them; those that are none are left out."""
    return _standings([Invoice.public_id.in_(public_ids), Invoice.kind == "invoice"], [Invoice.id], None)


def owed_by(actor: Actor) -> list[Standing]:
    """What ``actor`` owes, and the organisations whose contact they are, the oldest first."""
    return _standings([*own_of(actor), *unpaid()], [Invoice.id], None)


def owed_of(payer: tuple[int | None, int | None]) -> list[Standing]:
    """What a payer (person id, organisation id) owes, the oldest first."""
    person_id, organisation_id = payer
    mine = (
        Invoice.payer_person_id == person_id
        if organisation_id is None
        else (Invoice.payer_organisation_id == organisation_id)
    )
    return _standings([mine, *unpaid()], [Invoice.due_on, Invoice.id], None)


def overdue_before(day: date, *conditions: ColumnElement[bool]) -> list[Standing]:
    """Invoices under ``conditions`` on which something is owed and that were to be paid before ``day``, the oldest first."""
    return _standings([*unpaid(), Invoice.due_on < day, *conditions], [Invoice.due_on, Invoice.id], None)


def unpaid_with(model: Any, same: ColumnElement[bool], *conditions: ColumnElement[bool]) -> list[tuple[Standing, Any]]:
    """Unpaid invoices under ``conditions``, the oldest first, each with the row of ``model`` that has the ``same`` payer."""
    today = spaces.today()
    rows = db.session.execute(
        select(Invoice, _paid, _credited, model).join(model, same).where(*unpaid(), *conditions).order_by(Invoice.id)
    )
    return [(_standing(row, int(paid), int(credited), today), joined) for row, paid, credited, joined in rows]


def unpaid() -> tuple[ColumnElement[bool], ...]:
    """Conditions of invoices on which something is owed."""
    return Invoice.kind == "invoice", Invoice.payable_cents > _paid + _credited


def to_refund() -> list[Standing]:
    """Invoices of which more was paid than they still come to, the oldest first (1 statement)."""
    return _standings([Invoice.kind == "invoice", Invoice.payable_cents < _paid + _credited], [Invoice.id], None)


def refund_state() -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """Two columns that change whenever `to_refund` may."""
    return select(func.max(Invoice.id)).scalar_subquery(), select(func.max(Payment.id)).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of documents is narrowed to and sorted by (``-`` turns the order)."""

    text: str = ""
    state: str = ""
    month: date | None = None
    sort: str = "-seq"


_SORTS: dict[str, Any] = {"seq": Invoice.seq, "due": Invoice.due_on, "amount": Invoice.payable_cents}
SORTS = tuple(f"{sign}{name}" for name in _SORTS for sign in ("-", ""))


def documents(
    actor: Actor, filters: Filters, *, after: str | None = None, limit: int | None = PAGE_SIZE, own: bool = False
) -> tuple[list[Standing], str | None]:
    """Documents ``actor`` may read, and the cursor of the next page (a document's public id); None: no more.

    ``limit`` None: all of them. ``own``: only what concerns the actor. Raises `NotFound` for an unknown cursor.
    """
    name = filters.sort.removeprefix("-")
    column, falling = _SORTS[name], filters.sort.startswith("-")
    seen = own_of(actor) if own else visible_to(actor)
    conditions = [*seen, *_narrowed(filters)]
    if after is not None:
        last = db.session.execute(select(column, Invoice.id).where(Invoice.public_id == after, *seen)).one_or_none()
        if last is None:
            raise NotFound()
        value, row_id = last
        beyond = (column < value, Invoice.id < row_id) if falling else (column > value, Invoice.id > row_id)
        conditions.append(or_(beyond[0], and_(column == value, beyond[1])))
    order = [column.desc(), Invoice.id.desc()] if falling else [column, Invoice.id]
    found = _standings(conditions, order, None if limit is None else limit + 1)
    if limit is None or len(found) <= limit:
        return found, None
    return found[:limit], found[limit - 1].invoice.public_id


def documents_of(organisation_id: int, limit: int) -> list[Standing]:
    """The latest documents of an organisation, for whoever may see them."""
    return _standings([Invoice.payer_organisation_id == organisation_id], [Invoice.id.desc()], limit)


def payments_for(actor: Actor, filters: Filters) -> Iterator[tuple[Payment, Invoice]]:
    """Every entry of payment of the documents that `documents` gives, by the day it came (1 statement)."""
    statement = (
        select(Payment, Invoice)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .where(*visible_to(actor), *_narrowed(filters))
        .order_by(Payment.received_on, Payment.id)
    )
    for row in db.session.execute(statement):
        yield row[0], row[1]


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.month is not None:
        conditions.append(Invoice.month == filters.month)
    for word in fold(filters.text.replace("\x00", "")).split()[:5]:
        people = select(Person.id).where(
            or_(*(folded(c).contains(word, autoescape=True) for c in (Person.first_name, Person.last_name)))
        )
        organisations = select(Organisation.id).where(folded(Organisation.name).contains(word, autoescape=True))
        conditions.append(
            or_(
                folded(Invoice.number).contains(word, autoescape=True),
                Invoice.payer_person_id.in_(people),
                Invoice.payer_organisation_id.in_(organisations),
            )
        )
    today = spaces.today()
    is_unpaid = and_(*unpaid())
    states: dict[str, ColumnElement[bool]] = {
        "credit_note": Invoice.kind == "credit_note",
        "credited": and_(Invoice.kind == "invoice", Invoice.payable_cents <= _credited),
        "paid": and_(
            Invoice.kind == "invoice", Invoice.payable_cents > _credited, Invoice.payable_cents <= _paid + _credited
        ),
        "overdue": and_(is_unpaid, Invoice.due_on < today),
        "partial": and_(is_unpaid, Invoice.due_on >= today, _paid + _credited != 0),
        "open": and_(is_unpaid, Invoice.due_on >= today, _paid + _credited == 0),
        "unpaid": is_unpaid,
    }
    if filters.state in states:
        conditions.append(states[filters.state])
    return conditions


def owed_cents() -> tuple[int, int]:
    """How many invoices are not wholly paid, and what they still come to."""
    rows = _standings(unpaid(), [Invoice.id], None)
    return len(rows), sum(row.open_cents for row in rows)


def months_invoiced() -> list[date]:
    """The months that have documents, the latest first."""
    return list(db.session.scalars(select(Invoice.month).distinct().order_by(Invoice.month.desc())))


def credit_notes_of(invoice: Invoice) -> list[Invoice]:
    """What takes back all or a part of ``invoice``, in the order of issue."""
    return list(db.session.scalars(select(Invoice).where(Invoice.corrects_id == invoice.id).order_by(Invoice.seq)))


_OWED = select(Invoice.id, OPEN_CENTS).where(Invoice.id.in_(bindparam("ids", expanding=True)))


def owed_on(invoice: Invoice) -> int:
    """What is still owed on ``invoice``, in cents; negative: to be refunded (1 statement). Exact under its lock."""
    return owed_on_each([invoice.id])[invoice.id]


def owed_on_each(invoice_ids: Collection[int]) -> dict[int, int]:
    """`owed_on` for many invoices at once, by their ids (1 statement)."""
    if not invoice_ids:
        return {}
    rows = db.session.execute(_OWED, {"ids": list(invoice_ids)})
    return {invoice_id: int(cents) for invoice_id, cents in rows}


def payments_of(invoice: Invoice) -> list[Payment]:
    """What was received for ``invoice``, in the order it was written down."""
    return list(db.session.scalars(select(Payment).where(Payment.invoice_id == invoice.id).order_by(Payment.id)))


def issued_before(instant: datetime) -> int:
    """How many invoices and credit notes were issued before ``instant``."""
    return db.session.scalar(select(func.count()).select_from(Invoice).where(Invoice.issued_at < instant)) or 0


def sending_of(invoice: Invoice) -> OutboxRow | None:
    """How the sending of a document stands."""
    return db.session.scalar(select(OutboxRow).where(OutboxRow.key == f"{ISSUED}:{invoice.public_id}"))
