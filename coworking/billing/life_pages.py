"""An invoice's life as its page tells it: one line a fact, in order of time, and the steps of its online payments apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for

from coworking.billing import queries
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlineDispute, OnlinePayment, OnlineRefund
from coworking.billing.pages import (
    DISPUTE_REASONS,
    DISPUTE_STATES,
    ONLINE_WORDS,
    PAID_WORDS,
    REASON_WORDS,
    REFUND_STATES,
    REFUND_WORDS,
)
from coworking.billing.reminder_models import Reminder, ReminderLine
from coworking.billing.reminder_words import STEP_NAMES
from coworking.core.formats import day_year, instant_day, money, raised
from coworking.core.i18n import _
from coworking.core.outbox import OutboxRow


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to an invoice. ``at`` orders the facts of one day.

    ``cents``: the amount it is about, None where it is about none. ``payment``: what a manager may cancel.
    """

    on: date
    at: datetime
    said: str
    cents: int | None = None
    details: tuple[str, ...] = ()
    url: str | None = None
    payment: Payment | None = None


def life_of(
    invoice: Invoice,
    payments: Sequence[Payment],
    notes: Iterable[Invoice],
    online: Iterable[OnlinePayment],
    reminders: Iterable[tuple[ReminderLine, Reminder]],
    sending: OutboxRow | None,
    *,
    for_team: bool,
) -> list[Fact]:
    """What happened to ``invoice``, the first first; reasons of failures and disputes ``for_team`` alone."""
    facts = [Fact(invoice.issued_on, invoice.issued_at, _("Issued"), invoice.payable_cents)]
    if sending is not None and sending.state == "done" and sending.ended_at is not None:
        facts.append(_fact(sending.ended_at, _("Sent by e-mail")))
    facts += (_note(note) for note in notes)
    facts += (_reminded(line, row, invoice.currency) for line, row in reminders)
    facts += _received(payments)
    for attempt in online:
        facts += (_refunded(one, attempt, for_team=for_team) for one in attempt.refunds)
        facts += (_disputed(one, attempt, for_team=for_team) for one in attempt.disputes)
        facts += _came_to(attempt, payments, for_team=for_team)
    return sorted(facts, key=lambda fact: (fact.on, fact.at))


def steps_of(payments: Sequence[Payment], online: Iterable[OnlinePayment], *, for_team: bool) -> list[Fact]:
    """Every step of the online payments of an invoice, and what stood there on it, the first first."""
    facts: list[Fact] = []
    for attempt in online:
        for step in attempt.steps:
            if step.state != "opening" or attempt.state == "opening":
                reason = _reason(step.reason, for_team=for_team)
                facts.append(_fact(step.noted_at, _(ONLINE_WORDS[step.state]), attempt.cents, reason))
        for entry in payments:
            if entry.online_payment_id == attempt.id:
                said = _("counted on this invoice") if entry.cents > 0 else _("no longer counted on this invoice")
                details = (entry.reference,) if entry.reference and for_team else ()
                facts.append(_fact(entry.created_at, said, abs(entry.cents), details))
    return sorted(facts, key=lambda fact: fact.at)


def _fact(at: datetime, said: str, cents: int | None = None, details: tuple[str, ...] = ()) -> Fact:
    return Fact(instant_day(at), at, raised(said), cents, details)


def _note(note: Invoice) -> Fact:
    reason = queries.content(note)["reason"]
    return Fact(
        note.issued_on,
        note.issued_at,
        _("Credit note %(number)s", number=note.number),
        -note.payable_cents,
        (reason,) if reason else (),
        url_for("billing.invoice", public_id=note.public_id),
    )


def _reminded(line: ReminderLine, row: Reminder, currency: str) -> Fact:
    if row.outcome is not None and row.outcome.kind == "withheld":
        way = _("not sent")
    else:
        way = _("by post") if row.outcome is not None or row.way == "post" else _("by e-mail")
    owed = _("%(amount)s owed then", amount=money(line.owed_cents, currency))
    url = url_for("reminders.sent", public_id=row.public_id)
    return Fact(row.sent_on, row.created_at, _(STEP_NAMES[line.step]), None, (way, owed), url)


def _received(payments: Sequence[Payment]) -> Iterator[Fact]:
    """What was received and given back by hand. Of an online payment only its arrival: why it went back is told apart."""
    cancelled = {row.reverses_id for row in payments}
    for row in payments:
        if row.online_payment_id is not None and row.online_entry:
            continue
        said = (
            _("Payment cancelled")
            if row.reverses_id is not None
            else _("Payment received")
            if row.cents > 0
            else _("Refunded")
        )
        details = [_(PAID_WORDS[row.method])]
        if row.reference and row.cents > 0 and row.online_payment_id is None:
            details.append(row.reference)
        able = row.reverses_id is None and row.online_payment_id is None and row.id not in cancelled
        yield Fact(
            row.received_on,
            row.created_at,
            said,
            abs(row.cents),
            tuple(details),
            payment=row if able else None,
        )


def _came_to(attempt: OnlinePayment, payments: Sequence[Payment], *, for_team: bool) -> Iterator[Fact]:
    """How an online payment stands that is not among what was received: under way, failed, or more than was owed."""
    last = next((step for step in attempt.steps if step.state == attempt.state), None)
    if last is None:
        return
    if attempt.state in {"pending", "failed"}:
        details = (*_reason(last.reason, for_team=for_team), *_of_several(attempt))
        is_pending = attempt.state == "pending"
        said = _(ONLINE_WORDS[attempt.state]) if is_pending else _("The online payment did not go through")
        yield _fact(last.noted_at, said, attempt.cents, details)
    elif attempt.state == "paid" and all(row.online_payment_id != attempt.id for row in payments):
        yield _fact(last.noted_at, _("Paid online, beyond what was owed"), attempt.cents, _of_several(attempt))


def _refunded(refund: OnlineRefund, attempt: OnlinePayment, *, for_team: bool) -> Fact:
    details = [_(REFUND_WORDS[refund.method])]
    if refund.method == "gateway" and refund.state is not None and refund.public_id is None:
        details.append(_("made on the provider’s own site"))
    details += _reason(refund.reason, for_team=for_team)
    state = refund.state or "done"
    said = _(REFUND_STATES[state])
    return _fact(refund.changed_at or refund.created_at, said, refund.cents, (*details, *_of_several(attempt)))


def _disputed(dispute: OnlineDispute, attempt: OnlinePayment, *, for_team: bool) -> Fact:
    details: list[str] = []
    if for_team and dispute.state == "open" and dispute.respond_by is not None:
        details.append(_("answer there by %(day)s", day=day_year(instant_day(dispute.respond_by))))
    if for_team and dispute.reason:
        details.append(_(DISPUTE_REASONS.get(dispute.reason, dispute.reason)))
    said = _(DISPUTE_STATES[dispute.state])
    return _fact(dispute.changed_at, said, dispute.cents, (*details, *_of_several(attempt)))


def _reason(reason: str | None, *, for_team: bool) -> tuple[str, ...]:
    return (_(REASON_WORDS.get(reason, reason)),) if reason and for_team else ()


def _of_several(attempt: OnlinePayment) -> tuple[str, ...]:
    return (_("of a payment for several invoices"),) if len(attempt.parts) > 1 else ()
