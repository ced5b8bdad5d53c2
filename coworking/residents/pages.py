"""What the pages about assigned places show: what something comes to before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, render_template
from markupsafe import Markup

from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.accounts.queries import members_of
from coworking.core.months import month_after, month_end, month_of, months_between
from coworking.core.policy import current_actor
from coworking.residents import queries
from coworking.residents.models import Residency
from coworking.residents.queries import ResidentSeat
from coworking.residents.rules import KINDS, ResidentTerms, days_of, earliest_end, is_whole, months_due
from coworking.residents.services import payable
from coworking.spaces import pages as spaces_pages
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource

blueprint = Blueprint("residents", __name__)

MONTHS_TO_END = 24
"""How many months are offered for an end after minimum term and notice."""


@dataclass(frozen=True, slots=True)
class EndOffered:
    """A last day with which it can end; ``needs_let_off``: before its minimum term and its notice are over."""

    day: date
    needs_let_off: bool


@dataclass(frozen=True, slots=True)
class MonthToPay:
    """What a month of an assigned place comes to, with its VAT, for its days from ``first`` to ``last``."""

    month: date
    first: date
    last: date
    cents: int
    is_whole: bool


def months_to_pay(agreed: ResidentTerms, first: date, last: date) -> list[MonthToPay]:
    """The months from that of ``first`` to that of ``last`` on which it is assigned, and what each comes to."""
    found: list[MonthToPay] = []
    for month in months_due(agreed, month_of(last)):
        days = days_of(agreed, month)
        if days is not None and month >= month_of(first):
            found.append(MonthToPay(month, *days, payable(agreed, month), is_whole(agreed, month)))
    return found


def first_months(terms: ResidentTerms) -> list[MonthToPay]:
    """What the first months come to: those that differ from the others and one that does not, and a part at the end."""
    until = month_after(month_of(terms.first_day), 1)
    found = months_to_pay(terms, terms.first_day, until)
    last = terms.last_day
    if last is not None and month_of(last) > until and not is_whole(terms, last):
        found += months_to_pay(terms, last, last)
    return found


def ends_offered(residency: Residency) -> list[EndOffered]:
    """The last days with which it can end, the first one first: those that need a let-off too."""
    usual = earliest_end(spaces.today(), residency.terms)
    first = earliest_end(spaces.today(), residency.terms, let_off=True)
    months = months_between(first, month_after(month_of(usual), MONTHS_TO_END - 1))
    return [EndOffered(month_end(month), month_end(month) < usual) for month in months]


def day_after(day: date) -> date:
    """Templates have no arithmetic of days."""
    return day + timedelta(days=1)


def people_of(who: Person | Organisation | None) -> list[str]:
    """The names of those who will sit there: the person, or whoever belongs to the organisation today."""
    if isinstance(who, Organisation):
        today = spaces.today()
        return [row.person.name for row in members_of(who.id) if _belongs(row, today)]
    return [who.name] if who is not None else []


def written_to(who: Person | Organisation | None) -> list[str]:
    """The names of those who get the e-mails about it."""
    if isinstance(who, Organisation):
        today = spaces.today()
        return [row.person.name for row in members_of(who.id) if row.is_contact and _belongs(row, today)]
    return [who.name] if who is not None else []


def _belongs(row: OrganisationMember, today: date) -> bool:
    return row.since <= today and (row.until is None or row.until >= today)


@blueprint.app_template_global()
def my_places() -> Sequence[ResidentSeat]:
    """Where whoever reads this page sits today as a resident."""
    return queries.own_places(current_actor().person_id, spaces.today())


@blueprint.app_template_global()
def places_of_organisation(organisation: Organisation) -> list[Residency]:
    """What is assigned to an organisation today and later."""
    return queries.of_organisation(organisation.id, spaces.today())


@blueprint.app_template_global()
def places_of_person(person: Person) -> list[Residency]:
    """What is assigned to a person today and later."""
    return queries.of_person(person.id, spaces.today())


def _on_its_page(resource: Resource) -> Markup:
    """Whose ``resource`` is, on its page in the settings."""
    today = spaces.today()
    rows = queries.of_resource(resource.id, today)
    return Markup(  # noqa: S704 - a template of ours, escaped by Jinja
        render_template("residents/_beside.html", resource=resource, rows=rows, today=today, kinds=KINDS)
    )


spaces_pages.beside.append(_on_its_page)
