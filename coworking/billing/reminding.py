"""Sending reminders: what is due today leaves once, decided again under the locks of its payer and invoices.

Nothing is scheduled ahead: every few minutes the scan looks what leaves today. The row of a reminder, its lines and the
outbox row of its e-mail are written in one unit, one per payer: two runs share the work, and a killed one loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from coworking.billing import queries
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Invoice
from coworking.billing.pay_links import pay_url
from coworking.billing.payer_credit import lock_payer
from coworking.billing.payer_queries import Receiver
from coworking.billing.reminder_models import Reminder, ReminderLine, ReminderOutcome
from coworking.billing.reminder_queries import SENT, OverdueInvoice, OverduePayer, overdue
from coworking.billing.reminder_rules import (
    FIRST_HOUR,
    LAST_HOUR,
    NO_COSTS,
    LateCosts,
    firmest,
    late_costs,
    says_costs,
    sending_day,
)
from coworking.billing.reminder_step_queries import Reminding, reminding
from coworking.billing.reminder_text import OwedLine, compose
from coworking.billing.reminder_words import Words
from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import SYSTEM, Actor
from coworking.core.units import end_read, locked, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

LETTERS_IN = "fr"
"""The language of letters: nobody without an address has chosen one, and invoices are in French too."""


def send_due() -> int:
    """Let leave what leaves today, from nine in the morning on working days; return how many e-mails were new."""
    lieu = spaces.lieu_or_none()
    if lieu is None:
        return 0
    local = now().astimezone(lieu.tz)
    today = local.date()
    if not FIRST_HOUR <= local.hour < LAST_HOUR or sending_day(today) != today or not reminding().is_on:
        return 0
    payers = [one.payer for one in overdue(today) if one.receiver is not None and one.leaving(today)]
    end_read()
    sent = 0
    for payer in payers:
        try:
            sent += _remind(payer, today)
        except Exception:
            log.warning("the payer %s could not be reminded", payer, exc_info=True)
    return sent


def _remind(payer: PayerKey, today: date) -> bool:
    """Remind a payer of what leaves today; False: nothing does any more."""
    with write_unit():
        one = locked_payer(payer, today)
        chosen = reminding()
        if one is None or one.receiver is None or not chosen.is_on:
            return False
        due = one.leaving(today)
        if not due:
            return False
        write_reminder(SYSTEM, one, due, one.receiver, today, chosen)
        return True


def locked_payer(payer: PayerKey, today: date) -> OverduePayer | None:
    """The payer as they stand in the open unit, themselves and their invoices locked (rows 2 and 6 of `docs/locking.md`)."""
    lock_payer(payer)
    found = overdue(today, payer)
    if not found:
        return None
    ids = sorted(one.invoice.id for one in found[0].invoices)
    db.session.scalars(locked(select(Invoice).where(Invoice.id.in_(ids)).order_by(Invoice.id))).all()
    found = overdue(today, payer)
    return found[0] if found else None


def write_reminder(
    actor: Actor,
    one: OverduePayer,
    due: Sequence[OverdueInvoice],
    receiver: Receiver | None,
    today: date,
    chosen: Reminding,
) -> Reminder:
    """Write the reminder of ``due`` in the open unit, everything locked; its e-mail goes into the outbox. Audited.

    ``receiver`` None: it goes by post.
    """
    locale = receiver.locale if receiver is not None else LETTERS_IN
    words, lines = words_and_lines(one, due, locale, today, chosen)
    person_id, organisation_id = one.payer
    row = Reminder(
        payer_person_id=person_id,
        payer_organisation_id=organisation_id,
        step=firmest([line.step for line in lines]),
        way="email" if receiver is not None else "post",
        email=receiver.email if receiver is not None else None,
        locale=locale,
        subject=words.subject,
        text=words.text,
        sent_on=today,
        created_by_id=actor.person_id,
        lines=lines,
    )
    db.session.add(row)
    db.session.flush()
    if receiver is not None:
        outbox.enqueue(SENT, f"{SENT}:{row.public_id}", {"reminder": row.public_id})
    audit.record(
        actor,
        "billing.reminded",
        ("reminder", row.id),
        person_id=person_id,
        way=row.way,
        step=row.step,
        invoices=[line.invoice_id for line in lines],
    )
    return row


def words_and_lines(
    one: OverduePayer, due: Sequence[OverdueInvoice], locale: str, today: date, chosen: Reminding
) -> tuple[Words, list[ReminderLine]]:
    """What a payer would read about ``due`` today, and the lines of the reminder. The firmest step gives the words.

    Whom no e-mail reaches reads a letter.
    """
    lines, owed = list[ReminderLine](), list[OwedLine]()
    steps = [item.next.step for item in due if item.next.step is not None]
    for item, step in zip(due, steps, strict=True):
        invoice, cents = item.invoice, item.standing.open_cents
        costs = _costs(item, step, locale, today, chosen)
        lines.append(
            ReminderLine(
                invoice_id=invoice.id,
                step=step,
                owed_cents=cents,
                indemnity_cents=costs.indemnity_cents,
                penalty_cents=costs.penalty_cents,
            )
        )
        owed.append(owed_line(lines[-1], invoice, costs))
    words = compose(
        chosen.steps[firmest(steps)].words[locale],
        locale,
        payer=one.name,
        place=spaces.lieu().name,
        link=pay_url([item.invoice.public_id for item in due]),
        currency=due[0].invoice.currency,
        lines=owed,
        today=today,
        on_paper=one.receiver is None,
    )
    return words, lines


def owed_line(line: ReminderLine, invoice: Invoice, costs: LateCosts = NO_COSTS) -> OwedLine:
    """A line of a reminder, as its words name it."""
    return OwedLine(
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        payable_cents=invoice.payable_cents,
        owed_cents=line.owed_cents,
        step=line.step,
        costs=costs,
    )


def _costs(item: OverdueInvoice, step: int, locale: str, today: date, chosen: Reminding) -> LateCosts:
    content = queries.content(item.invoice)
    return late_costs(
        is_organisation=content["buyer"]["kind"] == "organisation",
        says_costs=says_costs(locale, chosen.steps[step].words[locale].text),
        owed_cents=item.standing.open_cents,
        notes=content["notes"],
        due_on=item.invoice.due_on,
        today=today,
        ecb=chosen.ecb,
    )


# The e-mail -----------------------------------------------------------------------------------------------------------


def still_true(row: Reminder, today: date) -> bool:
    """Whether everything a reminder says is owed as it says, and nothing is under way for it."""
    found = overdue(today, (row.payer_person_id, row.payer_organisation_id))
    owed = {item.invoice.id: item for one in found for item in one.invoices}
    return all(
        (item := owed.get(line.invoice_id)) is not None
        and item.standing.open_cents == line.owed_cents
        and item.next.why_not in {None, "ended"}
        for line in row.lines
    )


def withhold(row: Reminder) -> None:
    """Write down that a reminder did not leave, because something changed while it waited; once."""
    row_id, payer = row.id, (row.payer_person_id, row.payer_organisation_id)
    with write_unit():
        lock_payer(payer)
        if db.session.scalar(select(ReminderOutcome.id).where(ReminderOutcome.reminder_id == row_id)) is None:
            db.session.add(ReminderOutcome(reminder_id=row_id, kind="withheld"))
