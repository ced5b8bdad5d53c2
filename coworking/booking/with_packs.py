"""A desk that is wanted with a pack which is paid first: written down with the sale, booked as soon as the pack is had.

No desk is kept meanwhile: any free one will do then. Who finds none keeps the whole pack, and hears so by e-mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from coworking.accounts import letters
from coworking.accounts.models import Person
from coworking.booking import queries, services
from coworking.booking.rules import HALVES, AlreadyBooked, Half, NothingFree
from coworking.claims.rules import ClaimConflict
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.errors import Busy, DomainError
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.units import end_read
from coworking.membership.paying_first import PACK_HAD, WANTED
from coworking.pricing.models import Sale
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class WantedDesk:
    """The ``halves`` of a day, at the desk whose public id is ``resource`` where it is still free."""

    day: date
    halves: frozenset[Half]
    resource: str | None = None

    def written(self) -> dict[str, Any]:
        """The same as JSON."""
        halves = [half for half in HALVES if half in self.halves]
        return {"day": self.day.isoformat(), "halves": halves, "resource": self.resource}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> WantedDesk:
        """What `written` gave."""
        return cls(date.fromisoformat(written["day"]), frozenset(written["halves"]), written["resource"])


def wanted_of(sale: Sale) -> WantedDesk | None:
    """What is booked once the pack of ``sale`` is paid, if anything is."""
    return WantedDesk.read(sale.terms[WANTED]) if WANTED in sale.terms else None


@outbox.handler(PACK_HAD)
def book_wanted(job: outbox.Job) -> None:
    """Book what was wanted with a pack that is had now, or tell its owner why not."""
    sale = db.session.get_one(Sale, job.payload["sale"])
    person, wanted = db.session.get_one(Person, sale.payer_person_id), wanted_of(sale)
    assert wanted is not None, "it is enqueued for such a sale"
    actor = person.actor()
    end_read()
    try:
        _book(actor, wanted)
    except Busy:
        raise
    except AlreadyBooked:
        pass  # by an earlier try, or by themselves meanwhile
    except DomainError as refused:
        _tell(job, actor, wanted, refused)


def _book(actor: Actor, wanted: WantedDesk) -> None:
    try:
        services.book_half_days(actor, wanted.day, wanted.halves, resource=wanted.resource, payer="me", agreed_cents=0)
    except (ClaimConflict, NothingFree):
        if wanted.resource is None:
            raise
        services.book_half_days(actor, wanted.day, wanted.halves, payer="me", agreed_cents=0)


def _tell(job: outbox.Job, actor: Actor, wanted: WantedDesk, refused: DomainError) -> None:
    person = db.session.get_one(Person, actor.person_id)
    letters.write_to(
        job,
        person,
        about="booking",
        template="booking/not_booked",
        context={
            "place": spaces.lieu().name,
            "first_name": person.first_name,
            "wanted": wanted,
            "refused": refused,
            "worded": queries.worded_halves,
            "url": f"{settings().base_url}/week?from={wanted.day.isoformat()}",
        },
    )
