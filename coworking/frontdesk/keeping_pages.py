"""What the page of retention shows: how long each kind is kept, what goes now and what stays for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from coworking.core import retention
from coworking.core.forms import Form
from coworking.core.i18n import _, ngettext
from coworking.core.retention import NEVER, NoSuchTime

_MONTH_DAYS = {92: 3, 183: 6, 365: 12, 730: 24, 1095: 36}
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


def stays() -> list[tuple[str, str]]:
    """What no purge touches, and why."""
    return [
        (
            _("Invoices, payments, receipts and what proves them"),
            _("Ten years, as the law wants; nothing removes them yet."),
        ),
        (_("Bookings and presences, without their words"), _("They are counted in months that are closed.")),
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
