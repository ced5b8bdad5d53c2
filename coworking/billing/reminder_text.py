"""A reminder as its payer reads it: the step's words with what is owed, what lateness costs and the link in their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from coworking.billing.reminder_rules import NO_COSTS, LateCosts, firmest, with_values
from coworking.billing.reminder_words import Words
from coworking.core.formats import day_year, money
from coworking.core.i18n import _, in_language, ngettext


@dataclass(frozen=True, slots=True)
class OwedLine:
    """An invoice as a reminder names it. ``payable_cents``: what it came to; ``step``: where it stands by this reminder."""

    number: str
    issued_on: date
    due_on: date
    payable_cents: int
    owed_cents: int
    step: int
    costs: LateCosts = NO_COSTS


def compose(
    words: Words,
    language: str,
    *,
    payer: str,
    place: str,
    link: str,
    currency: str,
    lines: Sequence[OwedLine],
    today: date,
    on_paper: bool = False,
) -> Words:
    """Subject and text as they leave, in ``language``.

    The words are those of the firmest step, and speak of the invoices that have reached it alone: their total, their names.
    What has not come so far is named after them, as a mere reminder. ``on_paper``: a letter says no days late, for it is
    posted on a later day than it is printed.
    """
    with in_language(language):
        firm, kinder = by_firmness(lines)
        late_on = None if on_paper else today
        invoices = "\n".join(invoice_words(firm, currency, late_on))
        if kinder:
            whole = money(sum(line.owed_cents for line in lines), currency)
            said = [_("Also overdue, as a simple reminder:"), *invoice_words(kinder, currency, late_on)]
            invoices += "\n\n" + "\n".join([*said, _("The link below pays all of it: %(amount)s.", amount=whole)])
        values = {
            "payer": payer,
            "place": place,
            "link": link,
            "total": money(sum(line.owed_cents for line in firm), currency),
            "invoices": invoices,
            "costs": _costs([line for line in lines if line.costs.indemnity_cents], currency, today),
        }
        subject = " ".join(with_values(language, words.subject, values).split("\n"))
        return Words(subject, with_values(language, words.text, values))


def by_firmness(lines: Sequence[OwedLine]) -> tuple[list[OwedLine], list[OwedLine]]:
    """Those that have reached the firmest step, and those that have not come so far."""
    most = firmest([line.step for line in lines])
    return [line for line in lines if line.step == most], [line for line in lines if line.step < most]


def invoice_words(lines: Sequence[OwedLine], currency: str, late_on: date | None) -> list[str]:
    """A line for each invoice in the reader's language; ``late_on``: the day on which to say how many days late it is."""
    return [_invoice(line, currency, late_on) for line in lines]


def due_words(line: OwedLine) -> str:
    """By when an invoice was to be paid."""
    return _("on receipt") if line.due_on == line.issued_on else day_year(line.due_on)


def late_words(line: OwedLine, on: date) -> str:
    """« 20 days late »."""
    return ngettext("%(num)s day late", "%(num)s days late", (on - line.due_on).days)


def owed_words(line: OwedLine, currency: str) -> str:
    """What is owed, and of how much where a part was paid."""
    owed = money(line.owed_cents, currency)
    if line.owed_cents == line.payable_cents:
        return owed
    return f"{owed} " + _("(left of %(amount)s)", amount=money(line.payable_cents, currency))


def _invoice(line: OwedLine, currency: str, late_on: date | None) -> str:
    issued = day_year(line.issued_on)
    if line.due_on == line.issued_on:
        said = _("- %(number)s of %(issued)s, to be paid on receipt", number=line.number, issued=issued)
    else:
        said = _(
            "- %(number)s of %(issued)s, to be paid by %(due)s", number=line.number, issued=issued, due=due_words(line)
        )
    late = f", {late_words(line, late_on)}" if late_on is not None else ""
    return said + late + _(": ") + owed_words(line, currency)


def _costs(lines: Sequence[OwedLine], currency: str, today: date) -> str:
    """What the law adds, invoice by invoice; empty where nothing is claimed."""
    if not lines:
        return ""
    said = [
        _(
            "As our invoices say and the law provides (articles L. 441-10 and D. 441-5 of the French Code de commerce), "
            "these are due besides:"
        )
    ]
    for line in lines:
        indemnity = money(line.costs.indemnity_cents, currency)
        if line.costs.penalty_cents is None:
            said.append(
                _(
                    "- %(number)s: %(indemnity)s for the costs of recovery, and late-payment penalties at the rate "
                    "printed on it",
                    number=line.number,
                    indemnity=indemnity,
                )
            )
        else:
            said.append(
                _(
                    "- %(number)s: %(indemnity)s for the costs of recovery, and %(penalty)s of late-payment penalties up to "
                    "%(day)s",
                    number=line.number,
                    indemnity=indemnity,
                    penalty=money(line.costs.penalty_cents, currency),
                    day=day_year(today),
                )
            )
    if all(line.costs.penalty_cents is not None for line in lines):
        costs = sum(line.costs.indemnity_cents + (line.costs.penalty_cents or 0) for line in lines)
        said.append(_("That comes to %(amount)s, on top of what is owed.", amount=money(costs, currency)))
    said.append(_("The link below pays the invoices alone; please add this by bank transfer."))
    return "\n".join(said)
