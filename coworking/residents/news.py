"""E-mails about an assigned place: assigned, moved, ended, about to end, going on after all, taken back."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import select

from coworking.accounts import letters
from coworking.accounts.models import OrganisationMember, Person
from coworking.accounts.queries import person_by_public_id
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.money import Cents
from coworking.core.settings import settings
from coworking.core.units import end_read, write_unit
from coworking.residents import queries
from coworking.residents.models import STANDS, Residency
from coworking.residents.rules import TOLD_BEFORE
from coworking.spaces import queries as spaces

PlaceNews = Literal["assigned", "moved", "ended", "ends_soon", "kept", "taken_back"]
TOPIC = "residents.place_news"
"""The outbox topic of these e-mails. Payload: ``{"residency": public id, "person": public id, "news": a `PlaceNews`}``."""


def tell(news: PlaceNews, residency: Residency) -> int:
    """Let the resident, or the contacts of an organisation, hear of it once, in the open unit; how many e-mails are new."""
    said = f"{TOPIC}:{news}:{residency.public_id}"
    if news in ("moved", "kept"):
        said += f":{now():%Y%m%d%H%M%S%f}"
    elif news in ("ended", "ends_soon"):
        said += f":{residency.last_day}"
        said += f":{residency.ended_at:%Y%m%d%H%M%S%f}" if residency.ended_at is not None else ""
    payload = {"residency": residency.public_id, "news": news}
    return sum(
        outbox.enqueue(TOPIC, f"{said}:{person}", payload | {"person": person}) for person in _readers(residency)
    )


def _readers(residency: Residency) -> list[str]:
    """The public ids of whoever is written to about it."""
    if residency.organisation_id is None:
        whose = Person.id == residency.person_id
    else:
        today = spaces.today()
        whose = Person.id.in_(
            select(OrganisationMember.person_id).where(
                OrganisationMember.organisation_id == residency.organisation_id,
                OrganisationMember.is_contact,
                OrganisationMember.since <= today,
                OrganisationMember.until.is_(None) | (OrganisationMember.until >= today),
            )
        )
    return list(db.session.scalars(select(Person.public_id).where(whose).order_by(Person.id)))


@outbox.handler(TOPIC)
def place_news(job: outbox.Job) -> None:
    """Send it, unless it is not so any more."""
    try:
        residency = queries.residency_by_public_id(job.payload["residency"])
        reader = person_by_public_id(job.payload["person"])
    except NotFound:
        return
    news: PlaceNews = job.payload["news"]
    if not _is_still_so(news, residency):
        return
    today = spaces.today()
    letters.write_to(
        job,
        reader,
        about="membership",
        template="residents/place_news",
        context={
            "place": spaces.lieu().name,
            "news": news,
            "held": residency,
            "resource": _place_told(news, residency, today),
            "since": residency.places[-1].first_day,
            "former": residency.places[-2].resource if len(residency.places) > 1 else None,
            "price": Cents(residency.monthly_cents),
            "is_taxable": spaces.lieu().vat_status == "taxable",
            "url": f"{settings().base_url}/me/place",
        },
    )


def _place_told(news: PlaceNews, residency: Residency, today: date) -> object:
    if residency.last_day is not None and news in ("ended", "ends_soon"):
        return residency.place_on(residency.last_day)
    return residency.places[-1].resource if news == "moved" else residency.place_on(max(today, residency.first_day))


def _is_still_so(news: PlaceNews, residency: Residency) -> bool:
    if news == "taken_back":
        return True
    if residency.withdrawn_at is not None:
        return False
    if news in ("ended", "ends_soon"):
        return residency.last_day is not None
    return news != "kept" or residency.last_day is None


def warn_of_ending() -> int:
    """Let residents hear in its last thirty days that their place ends; how many e-mails are new. Twice finds none.

    Whoever was told of the end in these days is not told again.
    """
    if spaces.lieu_or_none() is None:
        return 0
    today = spaces.today()
    ending = [
        row
        for row in db.session.scalars(
            select(Residency).where(STANDS, Residency.last_day.between(today, today + TOLD_BEFORE))
        )
        if now() - (row.ended_at or row.created_at) > TOLD_BEFORE
    ]
    end_read()
    if not ending:
        return 0
    with write_unit():
        return sum(tell("ends_soon", row) for row in ending)
