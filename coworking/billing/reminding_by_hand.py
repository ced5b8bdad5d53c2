"""What managers do about reminders: choose, change the words, send now, send by post, pause, leave one out. Audited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from coworking.billing.account_queries import payer_named
from coworking.billing.charges import check_manager
from coworking.billing.drafts import PayerKey
from coworking.billing.models import Invoice
from coworking.billing.payer_credit import lock_payer
from coworking.billing.payer_credit_queries import of_payer
from coworking.billing.reminder_models import Reminder, ReminderOutcome, ReminderPause, ReminderSettings
from coworking.billing.reminder_queries import OverduePayer, reminder
from coworking.billing.reminder_rules import (
    STEPS,
    USUAL_GAP,
    NobodyChose,
    NothingToRemind,
    PauseInPast,
    PauseReasonMissing,
    RemindedLately,
    TextChanged,
    check_steps,
    check_words,
)
from coworking.billing.reminder_step_queries import reminding
from coworking.billing.reminder_words import USUAL, Words
from coworking.billing.reminding import LETTERS_IN, locked_payer, still_true, words_and_lines, write_reminder
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.i18n import LANGUAGES
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.calendar import lock_lieu

# Settings -------------------------------------------------------------------------------------------------------------


def choose(
    actor: Actor, *, is_on: bool, gap_days: int = USUAL_GAP, ecb_rates: Mapping[date, int] | None = None
) -> None:
    """Let reminders leave by themselves from tomorrow on, or not. ``ecb_rates``: looked up by the lieu, added to the known.

    Audited with old and new values, and sealed with them.
    """
    check_manager(actor)
    with write_unit():
        lock_lieu()
        row = db.session.get(ReminderSettings, 1)
        is_new = row is None
        if row is None:
            row = ReminderSettings(id=1, is_on=False, gap_days=USUAL_GAP, steps={}, ecb_rates={}, version=0)
        rates = row.ecb_rates | {day.isoformat(): bp for day, bp in (ecb_rates or {}).items()}
        values: dict[str, Any] = {"is_on": is_on, "gap_days": gap_days, "ecb_rates": rates}
        changed = {name: [getattr(row, name), new] for name, new in values.items() if getattr(row, name) != new}
        if not changed and not is_new:
            return
        if is_on and not row.is_on:
            row.is_on_since = spaces.today()
        for name, new in values.items():
            setattr(row, name, new)
        row.version += 1
        db.session.add(row)
        audit.record(actor, "billing.reminders_chosen", ("lieu", 1), changed=changed)


def change_step(actor: Actor, number: int, *, days: int, is_used: bool, words: Mapping[str, Words] | None) -> None:
    """Change when a step leaves, whether it does, and its words by language (None: the usual ones again).

    What was sent keeps its words. Raises `NotFound`, `DaysInvalid`, `NoStepLeft`, `UnknownPlaceholder`,
    `PlaceholderMissing`. Audited and sealed with old and new values.
    """
    check_manager(actor)
    if number not in STEPS:
        raise NotFound()
    own: dict[str, Any] = {"days": days, "is_used": is_used}
    for language in LANGUAGES:
        usual = USUAL[number, language]
        given = (words or {}).get(language, usual)
        check_words(language, given.subject, given.text, step=number)
        own |= {f"subject_{language}": given.subject} if given.subject != usual.subject else {}
        own |= {f"text_{language}": given.text} if given.text != usual.text else {}
    with write_unit():
        lock_lieu()
        others = {one.number: one.days for one in reminding().steps.values() if one.is_used and one.number != number}
        check_steps(others | ({number: days} if is_used else {}))
        row = db.session.get(ReminderSettings, 1)
        if row is None:
            row = ReminderSettings(id=1, is_on=False, gap_days=USUAL_GAP, steps={}, ecb_rates={}, version=0)
        before = row.steps.get(str(number), {})
        if before == own:
            return
        row.steps = row.steps | {str(number): own}
        row.version += 1
        db.session.add(row)
        audit.record(actor, "billing.reminder_step", ("lieu", 1), step=number, changed=[before, own])


# Sending --------------------------------------------------------------------------------------------------------------


def send_now(actor: Actor, payer: str) -> Reminder:
    """Send now what would leave next for a payer; where they have no address it is a letter, see `post_letter`.

    Raises `NobodyChose`, `NothingToRemind`, `RemindedLately`.
    """
    return _by_hand(actor, payer, None)


def post_letter(actor: Actor, payer: str, printed: str) -> Reminder:
    """Write down that the letter with the digest ``printed`` was sent by post. Raises as `send_now`, and `TextChanged`."""
    return _by_hand(actor, payer, printed)


def _by_hand(actor: Actor, payer: str, printed: str | None) -> Reminder:
    check_manager(actor)
    key, _name = payer_named(payer)
    with write_unit():
        today, chosen = spaces.today(), reminding()
        if not chosen.was_asked:
            raise NobodyChose()
        one = locked_payer(key, today)
        if one is None or (one.receiver is None) != (printed is not None):
            raise NothingToRemind()
        due = one.sendable(today)
        if not due:
            later = min((item.next.sooner for item in one.invoices if item.next.sooner), default=None)
            raise RemindedLately(day=later) if later is not None and later > today else NothingToRemind()
        if printed is not None and digest_of(words_and_lines(one, due, LETTERS_IN, today, chosen)[0]) != printed:
            raise TextChanged()
        return write_reminder(actor, one, due, one.receiver, today, chosen)


def letter_of(one: OverduePayer, today: date) -> Words:
    """The letter that would be sent by post to a payer today; raises `NothingToRemind`."""
    due = one.sendable(today)
    if not due:
        raise NothingToRemind()
    return words_and_lines(one, due, LETTERS_IN, today, reminding())[0]


def digest_of(words: Words) -> str:
    """What a printed letter is known by: two of the same words are the same."""
    return sha256(f"{words.subject}\n{words.text}".encode()).hexdigest()[:32]


def post_again(actor: Actor, public_id: str) -> None:
    """Write down that a reminder whose e-mail did not get through was sent by post; once. Raises `TextChanged`."""
    check_manager(actor)
    row = reminder(public_id)
    key: PayerKey = (row.payer_person_id, row.payer_organisation_id)
    with write_unit():
        locked_payer(key, spaces.today())
        row = reminder(public_id)
        if row.outcome is not None:
            return
        if not still_true(row, spaces.today()):
            raise TextChanged()
        db.session.add(ReminderOutcome(reminder_id=row.id, kind="posted", created_by_id=actor.person_id))
        audit.record(actor, "billing.reminder_posted", ("reminder", row.id), person_id=row.payer_person_id)


# Pauses ---------------------------------------------------------------------------------------------------------------


def pause(actor: Actor, payer: str, *, invoice: str | None, until: date | None, reason: str) -> ReminderPause:
    """Send no reminder of a payer's ``invoice`` (None: of anything of theirs) before ``until`` (None: until one ends it).

    One that holds already is replaced. Raises `PauseReasonMissing`, `PauseInPast`, `NotFound`.
    """
    check_manager(actor)
    if not reason:
        raise PauseReasonMissing()
    if until is not None and until <= spaces.today():
        raise PauseInPast()
    key, _name = payer_named(payer)
    with write_unit():
        lock_payer(key)
        subject = _subject(key, invoice)
        for row in db.session.scalars(
            select(ReminderPause).filter_by(**subject, ended_at=None, step=None).order_by(ReminderPause.id)
        ):
            row.ended_at, row.ended_by_id = now(), actor.person_id
        made = ReminderPause(**subject, until=until, reason=reason, created_by_id=actor.person_id)
        db.session.add(made)
        db.session.flush()
        audit.record(actor, "billing.reminders_paused", ("reminder_pause", made.id), person_id=key[0])
        return made


def leave_out(actor: Actor, payer: str) -> list[ReminderPause]:
    """Do not send what would leave next for a payer: the steps are left out, later ones come on their days.

    Raises `NothingToRemind`.
    """
    check_manager(actor)
    key, _name = payer_named(payer)
    with write_unit():
        one = locked_payer(key, spaces.today())
        due = one.leaving(one.on) if one is not None and one.on is not None else []
        if not due:
            raise NothingToRemind()
        made = [
            ReminderPause(invoice_id=item.invoice.id, step=item.next.step, created_by_id=actor.person_id)
            for item in due
        ]
        db.session.add_all(made)
        db.session.flush()
        for row in made:
            audit.record(actor, "billing.reminder_left_out", ("reminder_pause", row.id), person_id=key[0])
        return made


def end_pause(actor: Actor, public_id: str) -> None:
    """End a pause, or send a step after all; twice is fine. Reminders go on tomorrow at the earliest. Raises `NotFound`."""
    check_manager(actor)
    with write_unit():
        row = db.session.scalar(locked(select(ReminderPause).where(ReminderPause.public_id == public_id)))
        if row is None:
            raise NotFound()
        if row.ended_at is not None:
            return
        row.ended_at, row.ended_by_id = now(), actor.person_id
        audit.record(actor, "billing.reminders_resumed", ("reminder_pause", row.id), person_id=row.payer_person_id)


def _subject(key: PayerKey, invoice: str | None) -> dict[str, int | None]:
    """What a pause is about; raises `NotFound` where the invoice is not the payer's."""
    if invoice is None:
        return {"payer_person_id": key[0], "payer_organisation_id": key[1], "invoice_id": None}
    found = db.session.scalar(select(Invoice.id).where(Invoice.public_id == invoice, of_payer(key, Invoice)))
    if found is None:
        raise NotFound()
    return {"payer_person_id": None, "payer_organisation_id": None, "invoice_id": found}
