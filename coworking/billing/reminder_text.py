"""A reminder as its payer reads it: the step's words with what is owed, what lateness costs and the link in their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from coworking.billing.reminder_rules import LateCosts, with_values
from coworking.billing.reminder_words import Words
from coworking.core.formats import day_year, money
from coworking.core.i18n import _, in_language


@dataclass(frozen=True, slots=True)
class OwedLine:
    """An invoice as a reminder names it. ``payable_cents``: what it came to."""

    number: str
    issued_on: date
    due_on: date
    payable_cents: int
    owed_cents: int
    costs: LateCosts


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
) -> Words:
    """Subject and text as they leave, in ``language``."""
    with in_language(language):
        values = {
            "payer": payer,
            "place": place,
            "link": link,
            "total": money(sum(line.owed_cents for line in lines), currency),
            "invoices": "\n".join(_invoice(line, currency) for line in lines),
            "costs": _costs([line for line in lines if line.costs.indemnity_cents], currency, today),
        }
        subject = " ".join(with_values(language, words.subject, values).split("\n"))
        return Words(subject, with_values(language, words.text, values))


def _invoice(line: OwedLine, currency: str) -> str:
    owed, issued = money(line.owed_cents, currency), day_year(line.issued_on)
    if line.due_on == line.issued_on:
        said = _(
            "- %(number)s of %(issued)s, to be paid on receipt: %(owed)s", number=line.number, issued=issued, owed=owed
        )
    else:
        said = _(
            "- %(number)s of %(issued)s, to be paid by %(due)s: %(owed)s",
            number=line.number,
            issued=issued,
            due=day_year(line.due_on),
            owed=owed,
        )
    if line.owed_cents == line.payable_cents:
        return said
    rest = _("(left of %(amount)s)", amount=money(line.payable_cents, currency))
    return f"{said} {rest}"


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
