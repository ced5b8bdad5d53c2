"""What the page of retention shows: how long each kind is kept, what goes now and what stays for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from coworking.billing import queries as billing
from coworking.billing.keeping import TEN_YEARS
from coworking.core import retention
from coworking.core.clock import now
from coworking.core.forms import Form
from coworking.core.i18n import _, ngettext
from coworking.core.retention import NEVER, NoSuchTime

_MONTH_DAYS = {92: 3, 183: 6, 365: 12, 730: 24, 1095: 36, TEN_YEARS: 120}
"""Days that are said in months and years, as people say them."""


@dataclass(frozen=True, slots=True)
class KeptLine:
    """One kind: what is kept, for how long in words and why; what goes now, when the next goes, what is left out."""

    kind: str
    title: str
    time: str
    why: str
    days: int
    rows: int
    next_on: date | None
    exempt: int
    choices: list[tuple[str, str]]


def lines() -> list[KeptLine]:
    """Each kind with what a purge would do now."""
    return [
        KeptLine(
            one.kind,
            _(one.title),
            how_long(days, may_stay=bool(one.choices)),
            _(one.why),
            days,
            found.rows,
            found.next_on,
            found.exempt,
            [(str(each), how_long(each, may_stay=True)) for each in one.choices],
        )
        for one, days, found in retention.forecast()
    ]


def how_long(days: int, *, may_stay: bool = False) -> str:
    """« 24 months »: how long, in the reader's language."""
    if days == NEVER:
        return _("until somebody deletes them") if may_stay else _("until they are over")
    months = _MONTH_DAYS.get(days)
    if months is None:
        return ngettext("%(num)s day", "%(num)s days", days)
    if months >= 12:
        return ngettext("%(num)s year", "%(num)s years", months // 12)
    return ngettext("%(num)s month", "%(num)s months", months)


def _invoices() -> str:
    """Why invoices stay, and how many are older than the law asks for."""
    why = _("Ten years, as the law wants. They are signed one into the next, so nothing removes one after that either.")
    old = billing.issued_before(now() - timedelta(days=TEN_YEARS))
    if not old:
        return why
    return why + " " + ngettext("%(num)s is older than that.", "%(num)s are older than that.", old)


def stays() -> list[tuple[str, str]]:
    """What no purge touches, and why."""
    return [
        (_("Invoices, payments, receipts and what proves them"), _invoices()),
        (
            _("Bookings, without their words"),
            _("They are counted in months that are closed, and show what was invoiced."),
        ),
        (_("First and last day of somebody, of what is kept no longer"), _("So that who comes back is no newcomer.")),
        (_("Audit trail"), _("It shows who changed what, and holds numbers instead of names.")),
        (_("Certificates that were issued"), _("Others may still verify them.")),
    ]


def read_choices(form: Form) -> dict[str, int]:
    """The times that were chosen, by kind. Raises `NoSuchTime`."""
    return dict(_chosen(form))


def _chosen(form: Form) -> Iterator[tuple[str, int]]:
    for one in retention.declared():
        if not one.choices or one.kind not in form:
            continue
        typed = form[one.kind]
        if not (typed.isascii() and typed.isdigit() and len(typed) < 6):
            raise NoSuchTime(field=one.kind)
        yield one.kind, int(typed)
