"""Reading what is overdue as reminders see it: what leaves on which day for whom, and why something does not leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from coworking.billing import means_queries, online_queries, queries
from coworking.billing.account_queries import payer_named, public_ids_of
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlineDispute, OnlinePayment, OnlinePaymentPart
from coworking.billing.online_rules import UNSETTLED
from coworking.billing.payer_credit_queries import credits_left, of_payer
from coworking.billing.payer_queries import Receiver, receivers_of
from coworking.billing.reminder_models import Reminder, ReminderLine, ReminderPause, ReminderSettings
from coworking.billing.reminder_rules import Next, Overdue, Pause, Silence, next_reminder, sending_day_after
from coworking.billing.reminder_step_queries import Reminding, reminding
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.timespan import local_date
from coworking.spaces import queries as spaces

SENT = "billing.reminder"
"""The outbox topic of a reminder's e-mail; its key ends in the reminder's public id."""

found_elsewhere: list[Callable[[], Collection[int]]] = []
"""Packages above hang in here which invoices (by id) money may have come for that waits to be matched."""


@dataclass(frozen=True, slots=True)
class OverdueInvoice:
    """An overdue invoice, what comes next for it, the steps that left with their days, and the pauses that hold it."""

    standing: queries.Standing
    next: Next
    sent: Mapping[int, date]
    pauses: Sequence[ReminderPause]

    @property
    def invoice(self) -> Invoice:
        return self.standing.invoice


@dataclass(slots=True)
class OverduePayer:
    """A payer with overdue invoices. ``receiver`` None: there is no address, or the last e-mail came back: by post."""

    payer: PayerKey
    name: str
    public_id: str
    receiver: Receiver | None
    came_back: bool
    last_on: date | None
    invoices: list[OverdueInvoice] = field(default_factory=list[OverdueInvoice])
    pauses: Sequence[ReminderPause] = ()

    @property
    def owed_cents(self) -> int:
        return sum(one.standing.open_cents for one in self.invoices)

    @property
    def late_since(self) -> date:
        return min(one.invoice.due_on for one in self.invoices)

    @property
    def on(self) -> date | None:
        """The next day on which something leaves; a pause that ends by then holds nothing any more."""
        return min((one.next.on for one in self.invoices if one.next.on), default=None)

    def leaving(self, day: date) -> list[OverdueInvoice]:
        """What leaves on ``day``, or should have before."""
        return [one for one in self.invoices if one.next.on and one.next.on <= day]

    def sendable(self, day: date) -> list[OverdueInvoice]:
        """What a manager may send on ``day`` by hand: what leaves next, or else every next step."""
        able = [one for one in self.invoices if one.next.sooner and one.next.sooner <= day and not one.next.why_not]
        return [one for one in able if one.next.on == self.on] or able


def overdue(today: date, payer: PayerKey | None = None, chosen: Reminding | None = None) -> list[OverduePayer]:
    """Everyone whose invoices are overdue by the next day on which reminders leave, the longest first.

    ``payer``: this one alone. A fixed number of statements, more where payers saved means.
    """
    before = sending_day_after(today)
    standings = queries.overdue_before(before, *([of_payer(payer, Invoice)] if payer else []))
    if not standings:
        return []
    chosen = chosen or reminding()
    known = _known([row.invoice for row in standings], standings)
    receivers = receivers_of([row.invoice for row in standings])
    ids = public_ids_of({_payer_of(row.invoice) for row in standings})
    found: dict[PayerKey, OverduePayer] = {}
    for row in standings:
        invoice, key = row.invoice, _payer_of(row.invoice)
        came_back = key in known.came_back
        receiver = None if came_back else receivers[invoice.id]
        one = found.setdefault(
            key,
            OverduePayer(
                key,
                row.payer_name,
                ids[key],
                receiver,
                came_back,
                known.last_on.get(key),
                pauses=known.pauses[key],
            ),
        )
        held = (*known.pauses[key], *known.pauses[invoice.id])
        sent = known.sent.get(invoice.id, {})
        seen = Overdue(
            due_on=invoice.due_on,
            owed_cents=row.open_cents,
            sent=sent,
            pauses=[Pause(pause.until, pause.step) for pause in held],
            silence=known.silent.get(invoice.id),
            moved_on=max(filter(None, (known.moved.get(invoice.id), known.moved.get(key))), default=None),
        )
        coming = next_reminder(seen, chosen.schedule, today, known.last_on.get(key))
        one.invoices.append(OverdueInvoice(row, coming, sent, known.pauses[invoice.id]))
    return sorted(found.values(), key=lambda one: (one.late_since, one.name))


def payer_overdue(public_id: str, today: date) -> OverduePayer:
    """One payer with overdue invoices; raises `NotFound`."""
    key, _name = payer_named(public_id)
    found = overdue(today, key)
    if not found:
        raise NotFound()
    return found[0]


def _payer_of(invoice: Invoice) -> PayerKey:
    return invoice.payer_person_id, invoice.payer_organisation_id


# What is known of the invoices ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """What was read of invoices (by id) and of their payers (by key)."""

    sent: dict[int, dict[int, date]]
    last_on: dict[PayerKey, date]
    pauses: defaultdict[int | PayerKey, list[ReminderPause]]
    moved: dict[int | PayerKey, date]
    silent: dict[int, Silence]
    came_back: set[PayerKey]


def _known(invoices: Sequence[Invoice], standings: Sequence[queries.Standing]) -> _Known:
    ids = [invoice.id for invoice in invoices]
    payers = {_payer_of(invoice) for invoice in invoices}
    zone = spaces.lieu().tz
    moved: dict[int | PayerKey, date] = {}

    def move(of: int | PayerKey, instant: datetime) -> None:
        day = local_date(instant, zone)
        moved[of] = max(moved.get(of, day), day)

    sent, last_on = _sent(ids), _last_on(payers)
    pauses = _pauses(ids, payers, move)
    silent: dict[int, Silence] = {}
    credits = credits_left()
    for row in standings:
        if credits.get(_payer_of(row.invoice), 0) >= row.open_cents:
            silent[row.invoice.id] = "credit"
    silent |= dict.fromkeys((one for ask in found_elsewhere for one in ask()), "transfer")
    silent |= dict.fromkeys(_collected(ids), "collected")
    silent |= dict.fromkeys(_online(ids, move), "pending")
    silent |= dict.fromkeys(_disputed(ids, move), "disputed")
    for invoice_id, instant in db.session.execute(
        select(Payment.invoice_id, func.max(Payment.created_at))
        .where(Payment.invoice_id.in_(ids))
        .group_by(Payment.invoice_id)
    ):
        move(invoice_id, instant)
    return _Known(sent, last_on, pauses, moved, silent, _came_back(invoices))


def _sent(ids: Sequence[int]) -> dict[int, dict[int, date]]:
    rows = db.session.execute(
        select(ReminderLine.invoice_id, ReminderLine.step, Reminder.sent_on)
        .join(Reminder, Reminder.id == ReminderLine.reminder_id)
        .where(ReminderLine.invoice_id.in_(ids))
    )
    found: dict[int, dict[int, date]] = {}
    for invoice_id, step, day in rows:
        found.setdefault(invoice_id, {})[step] = day
    return found


def _last_on(payers: Collection[PayerKey]) -> dict[PayerKey, date]:
    of = (Reminder.payer_person_id, Reminder.payer_organisation_id)
    rows = db.session.execute(select(*of, func.max(Reminder.sent_on)).where(_among(payers, Reminder)).group_by(*of))
    return {(person, organisation): day for person, organisation, day in rows}


def _among(payers: Iterable[PayerKey], model: type[Reminder] | type[ReminderPause]) -> ColumnElement[bool]:
    people = {person for person, _organisation in payers} - {None}
    organisations = {organisation for _person, organisation in payers} - {None}
    return or_(model.payer_person_id.in_(people), model.payer_organisation_id.in_(organisations))


def _pauses(
    ids: Sequence[int], payers: Collection[PayerKey], move: Callable[[int | PayerKey, datetime], None]
) -> defaultdict[int | PayerKey, list[ReminderPause]]:
    """The pauses that nobody ended, by invoice or payer; ``move`` hears of those that somebody ended."""
    found: defaultdict[int | PayerKey, list[ReminderPause]] = defaultdict(list)
    for row in db.session.scalars(
        select(ReminderPause)
        .where(or_(ReminderPause.invoice_id.in_(ids), _among(payers, ReminderPause)))
        .order_by(ReminderPause.id)
    ):
        of = row.invoice_id or (row.payer_person_id, row.payer_organisation_id)
        if row.ended_at is None:
            found[of].append(row)
        else:
            move(of, row.ended_at)
    return found


def _online(ids: Sequence[int], move: Callable[[int | PayerKey, datetime], None]) -> set[int]:
    """The invoices that a payment is under way for: a debit the bank has not answered, a charge that was asked for."""
    under_way: set[int] = set()
    for invoice_id, state, changed_at, saved_means_id in db.session.execute(
        select(
            OnlinePaymentPart.invoice_id, OnlinePayment.state, OnlinePayment.changed_at, OnlinePayment.saved_means_id
        )
        .join(OnlinePayment, OnlinePayment.id == OnlinePaymentPart.online_payment_id)
        .where(OnlinePaymentPart.invoice_id.in_(ids))
    ):
        move(invoice_id, changed_at)
        if state == "pending" or (saved_means_id is not None and state in UNSETTLED):
            under_way.add(invoice_id)
    return under_way


def _disputed(ids: Sequence[int], move: Callable[[int | PayerKey, datetime], None]) -> set[int]:
    for invoice_id, instant in db.session.execute(
        select(OnlinePaymentPart.invoice_id, func.max(OnlineDispute.changed_at))
        .join(OnlineDispute, OnlineDispute.online_payment_id == OnlinePaymentPart.online_payment_id)
        .where(OnlinePaymentPart.invoice_id.in_(ids))
        .group_by(OnlinePaymentPart.invoice_id)
    ):
        move(invoice_id, instant)
    return online_queries.disputed(ids)


def _collected(ids: Sequence[int]) -> set[int]:
    """The invoices that are to be collected, or tried again, from what their payer saved."""
    planned = means_queries.planned_for(ids)
    if not planned:
        return set()
    gateways = {one.name: one for one in online_queries.offered() if one.saved_means is not None}
    return {
        invoice_id
        for invoice_id, one in planned.items()
        if (gateway := gateways.get(one.means.gateway)) is not None
        and gateway.is_live == one.means.is_live
        and one.step.cents >= gateway.least_cents
    }


def _came_back(invoices: Sequence[Invoice]) -> set[PayerKey]:
    """The payers whose last e-mail about these invoices was refused for good."""
    issued = {f"{queries.ISSUED}:{invoice.public_id}": _payer_of(invoice) for invoice in invoices}
    rows = db.session.execute(
        select(OutboxRow.key, OutboxRow.state, OutboxRow.ended_at).where(
            OutboxRow.key.in_(issued), OutboxRow.state.in_(("failed", "done"))
        )
    ).all()
    last: dict[PayerKey, tuple[datetime, str]] = {}
    reminded = db.session.execute(
        select(Reminder.payer_person_id, Reminder.payer_organisation_id, OutboxRow.state, OutboxRow.ended_at)
        .join(OutboxRow, OutboxRow.key == SENT + ":" + Reminder.public_id)
        .where(_among(set(issued.values()), Reminder), OutboxRow.state.in_(("failed", "done")))
    ).all()
    said = [(issued[key], state, at) for key, state, at in rows]
    said += [((person, organisation), state, at) for person, organisation, state, at in reminded]
    for payer, state, at in said:
        if at is not None and (payer not in last or at >= last[payer][0]):
            last[payer] = (at, state)
    return {payer for payer, (_at, state) in last.items() if state == "failed"}


# What was sent --------------------------------------------------------------------------------------------------------


def reminder(public_id: str) -> Reminder:
    """One reminder with its lines and invoices; raises `NotFound`."""
    found = db.session.scalar(select(Reminder).where(Reminder.public_id == public_id).options(*_WHOLE))
    if found is None:
        raise NotFound()
    return found


_WHOLE = (
    selectinload(Reminder.lines).joinedload(ReminderLine.invoice),
    joinedload(Reminder.outcome),
    joinedload(Reminder.payer_person),
    joinedload(Reminder.payer_organisation),
)


def reminders_sent(limit: int = 20) -> list[Reminder]:
    """The latest reminders with what they were about (2 statements)."""
    return list(
        db.session.scalars(
            select(Reminder).options(*_WHOLE).order_by(Reminder.sent_on.desc(), Reminder.id.desc()).limit(limit)
        ).unique()
    )


def reminders_to(payer: PayerKey) -> list[Reminder]:
    """Every reminder of a payer, the latest first."""
    return list(
        db.session.scalars(
            select(Reminder).where(_among([payer], Reminder)).options(*_WHOLE).order_by(Reminder.id.desc())
        ).unique()
    )


def reminders_of(invoice: Invoice) -> list[tuple[ReminderLine, Reminder]]:
    """Every reminder of an invoice, the latest first."""
    rows = db.session.execute(
        select(ReminderLine, Reminder)
        .join(Reminder, Reminder.id == ReminderLine.reminder_id)
        .where(ReminderLine.invoice_id == invoice.id)
        .options(joinedload(Reminder.outcome))
        .order_by(ReminderLine.step.desc())
    )
    return [(line, row) for line, row in rows]


def not_delivered() -> list[Reminder]:
    """Reminders whose e-mail was refused for good and that nobody sent by post yet, the oldest first (2 statements)."""
    return [
        row
        for row in db.session.scalars(
            select(Reminder)
            .join(OutboxRow, OutboxRow.key == SENT + ":" + Reminder.public_id)
            .where(OutboxRow.state == "failed")
            .options(*_WHOLE)
            .order_by(Reminder.id)
        ).unique()
        if row.outcome is None
    ]


def open_pauses(today: date) -> list[ReminderPause]:
    """Every pause that holds today, the newest first (1 statement)."""
    of_invoice = joinedload(ReminderPause.invoice)
    return list(
        db.session.scalars(
            select(ReminderPause)
            .where(
                ReminderPause.ended_at.is_(None),
                ReminderPause.step.is_(None),
                or_(ReminderPause.until.is_(None), ReminderPause.until > today),
            )
            .options(
                joinedload(ReminderPause.payer_person),
                joinedload(ReminderPause.payer_organisation),
                of_invoice.joinedload(Invoice.payer_person),
                of_invoice.joinedload(Invoice.payer_organisation),
            )
            .order_by(ReminderPause.id.desc())
        ).unique()
    )


def sending_state(row: Reminder) -> OutboxRow | None:
    """How a reminder's e-mail stands."""
    return db.session.scalar(select(OutboxRow).where(OutboxRow.key == f"{SENT}:{row.public_id}"))


def reminder_state() -> tuple[ScalarSelect[int], ...]:
    """Columns that change whenever what leaves may, besides money, payments and disputes."""
    return (
        select(func.max(Reminder.id)).scalar_subquery(),
        select(func.max(ReminderPause.id)).scalar_subquery(),
        select(func.count()).where(ReminderPause.ended_at.is_not(None)).scalar_subquery(),
        select(ReminderSettings.version).where(ReminderSettings.id == 1).scalar_subquery(),
    )
