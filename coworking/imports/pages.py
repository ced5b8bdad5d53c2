"""What the pages of an import show, ready for their templates."""

from __future__ import annotations

from flask import Blueprint

from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.formats import month_year
from coworking.core.i18n import _, ngettext
from coworking.core.months import month_of
from coworking.core.web import say, say_words
from coworking.imports.judging import Judged
from coworking.imports.models import ImportLine
from coworking.imports.person_rules import PersonEntry
from coworking.imports.report_rules import read_params
from coworking.imports.subscription_rules import SubscriptionEntry, begins
from coworking.spaces import queries as spaces

blueprint = Blueprint("imports", __name__, url_prefix="/imports")

SUBJECT_WORDS = {
    "people": N_("People"),
    "organisations": N_("Organisations"),
    "subscriptions": N_("Subscriptions"),
    "plan_months": N_("What was used of plans before"),
    "balances": N_("What is left of packs"),
    "bookings": N_("Bookings"),
}
SUBJECT_HINTS = {
    "people": N_("Their names, and what you know of them: e-mail, phone, address, employer, what they do."),
    "organisations": N_("Their names, SIRET numbers and where their invoices go."),
    "subscriptions": N_("Who has which plan, and since when. People and plans come first."),
    "plan_months": N_(
        "You move in during a month: who had used how many half-days or how much room time of it before, "
        "and what had come over from the month before. Subscriptions come first. Employers’ half-days are not meant."
    ),
    "balances": N_("Who has which pack, how much of it is left, until when. It costs nothing here."),
    "bookings": N_("Who comes when, and where: days from today on."),
}
"""What a line of such a file says."""
FIELD_WORDS = {
    "": N_("(not needed)"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "full_name": N_("First and last name together"),
    "email": N_("E-mail"),
    "phone": N_("Phone"),
    "address": N_("Address"),
    "postcode": N_("Postcode"),
    "city": N_("Town"),
    "note": N_("Note for the team"),
    "staff_note": N_("Note for the team"),
    "organisation": N_("Organisation they belong to"),
    "status": N_("What they do"),
    "commune": N_("Town where they live"),
    "name": N_("Name"),
    "plan": N_("Plan"),
    "first_month": N_("First month"),
    "month": N_("Month"),
    "used_halfdays": N_("Half-days used elsewhere"),
    "used_rooms": N_("Room time used elsewhere"),
    "carried_halfdays": N_("Half-days that came over"),
    "carried_rooms": N_("Room time that came over"),
    "pack": N_("Pack"),
    "left": N_("What is left"),
    "until": N_("Until (day)"),
    "day": N_("Day"),
    "half": N_("Half-day"),
    "from": N_("From (hour)"),
    "to": N_("To (hour)"),
    "place": N_("Desk or room"),
    "title": N_("What for"),
    "siret": N_("SIRET"),
    "siren": N_("SIREN"),
    "vat_number": N_("VAT number"),
    "service_code": N_("Service code"),
}
"""What a column may hold."""
OUTCOME_WORDS = {
    "added": N_("added"),
    "changed": N_("completed"),
    "same": N_("here already"),
    "left_out": N_("left out"),
}
STATE_WORDS = {
    "uploaded": (N_("to be checked"), "signal"),
    "running": (N_("under way"), ""),
    "stopped": (N_("stopped"), "signal"),
    "done": (N_("finished"), "mine"),
}
DECISION_WORDS = {
    "skip": N_("Leave this line out"),
    "same": N_("It is the same person"),
    "new": N_("It is somebody else: add them"),
}


def counted_words(subject: str, number: int) -> str:
    """« personnes », « organisations »: what a file holds ``number`` of."""
    if subject == "organisations":
        return ngettext("organisation", "organisations", number)
    if subject == "subscriptions":
        return ngettext("subscription", "subscriptions", number)
    if subject == "plan_months":
        return ngettext("month of a plan", "months of plans", number)
    if subject == "balances":
        return ngettext("pack in use", "packs in use", number)
    if subject == "bookings":
        return ngettext("booking to come", "bookings to come", number)
    return ngettext("person", "people", number)


def line_words(row: ImportLine) -> str:
    """What is to be known about a line, in the reader's language."""
    if not row.words:
        return ""
    return say_words(row.words, read_params(row.params))


REPORT: list[Column[ImportLine]] = [
    Column(N_("Line"), lambda row: row.line),
    Column(N_("Name"), lambda row: row.name),
    Column(N_("What became of it"), lambda row: _(OUTCOME_WORDS[row.outcome])),
    Column(N_("What to do"), line_words),
]
"""The report of an import, a row a line."""

OUTLOOK_WORDS = {
    "added": N_("new"),
    "changed": N_("here already, gets something new"),
    "same": N_("here already"),
    "left_out": N_("left out"),
}


def change_words(row: Judged) -> str:
    """What a line brings, in the reader's language: which plan from when, whose employer's, which columns."""
    entry, outcome = row.entry, row.verdict.outcome
    if isinstance(entry, SubscriptionEntry) and outcome == "added":
        first = month_year(begins(entry, month_of(spaces.today())))
        return _("%(plan)s, from %(month)s on", plan=entry.plan, month=first)
    said = [_(FIELD_WORDS[name]) for name in row.verdict.changes if name != "organisation"]
    if (
        isinstance(entry, PersonEntry)
        and entry.organisation
        and (outcome == "added" or "organisation" in row.verdict.changes)
    ):
        said.append(
            _("belongs to %(name)s from today, which pays what its agreement, if any, covers", name=entry.organisation)
        )
    return ", ".join(said)


OUTLOOK: list[Column[Judged]] = [
    Column(N_("Line"), lambda row: row.line),
    Column(N_("Name"), lambda row: row.name),
    Column(N_("What becomes of it"), lambda row: _(OUTLOOK_WORDS[row.verdict.outcome])),
    Column(N_("What changes"), change_words),
    Column(N_("What to do"), lambda row: say(row.verdict.why) if row.verdict.why else None),
]
"""The same before anything was done."""
