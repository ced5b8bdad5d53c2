"""What the pages about reminders share: words for why nothing leaves, what leaves next, which letters are to be printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from coworking.billing import reminder_queries
from coworking.billing.reminder_models import Reminder
from coworking.billing.reminder_queries import OverdueInvoice, OverduePayer
from coworking.billing.reminder_rules import Silence, sending_day_after
from coworking.billing.reminder_step_queries import Reminding, reminding
from coworking.billing.reminding import still_true
from coworking.core.errors import N_
from coworking.core.formats import day_long, day_year
from coworking.core.i18n import _
from coworking.spaces import queries as spaces

WHY: dict[Silence, str] = {
    "paid": N_("it is paid"),
    "pending": N_("a payment is under way"),
    "disputed": N_("the payer’s bank disputes a payment"),
    "collected": N_("it is collected from what the payer saved"),
    "credit": N_("the payer’s credit can pay it"),
    "transfer": N_("a transfer that came waits to be matched"),
    "paused": N_("paused"),
    "ended": N_("every step was sent"),
}
"""Why nothing leaves for an invoice."""


def why_words(item: OverdueInvoice, one: OverduePayer) -> str:
    """Why nothing leaves for an invoice, as a manager reads it; empty where something does."""
    why = item.next.why_not
    if why is None:
        return ""
    if why != "paused":
        return _(WHY[why])
    held = [row for row in (*one.pauses, *item.pauses) if row.step is None]
    reason = held[-1].reason if held else None
    words = _("paused until %(day)s", day=day_year(item.next.on)) if item.next.on else _("paused until further notice")
    return f"{words} ({reason})" if reason else words


def say_when(day: date) -> str:
    """« still today », « tomorrow », « on Monday 30 November »."""
    today = spaces.today()
    if day <= today:
        return _("still today")
    return _("tomorrow") if day == today + timedelta(days=1) else _("on %(day)s", day=day_long(day))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What leaves next. ``asks``: the lieu never said whether reminders leave. ``leaving``: payers who get an e-mail on
    ``on``; ``letters``: to be printed by then."""

    asks: bool
    is_on: bool
    leaving: int
    on: date
    letters: int


def outlook(today: date, *, is_overdue: bool) -> Outlook:
    """What leaves next; one statement where reminders are off. Only where something ``is_overdue`` the lieu is asked."""
    chosen = reminding()
    if not chosen.is_on:
        return Outlook(is_overdue and not chosen.was_asked, False, 0, today, 0)
    return outlook_of(reminder_queries.overdue(today, None, chosen), chosen, today)


def outlook_of(payers: Sequence[OverduePayer], chosen: Reminding, today: date) -> Outlook:
    """What leaves next for ``payers``: what should leave today still, else on the next day on which reminders leave."""
    if not chosen.is_on:
        return Outlook(not chosen.was_asked, False, 0, today, 0)
    following = sending_day_after(today)
    now_, then = (
        sum(bool(one.receiver is not None and one.leaving(day)) for one in payers) for day in (today, following)
    )
    printed = sum(bool(one.receiver is None and one.leaving(following)) for one in payers)
    again = sum(still_true(row, today) for row in reminder_queries.not_delivered())
    return Outlook(False, True, now_ or then, today if now_ else following, printed + again)


def letters(payers: Sequence[OverduePayer], today: date) -> list[OverduePayer | Reminder]:
    """What is to be printed and sent by post: payers without an address, and e-mails that did not get through."""
    due: list[OverduePayer | Reminder] = [
        one for one in payers if one.receiver is None and one.leaving(sending_day_after(today))
    ]
    return due + [row for row in reminder_queries.not_delivered() if still_true(row, today)]
