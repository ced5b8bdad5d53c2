"""The changes that a head's lead makes to lieux of the directory, except links (`coworking.network.head.enrolment`)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.network.head import directory_queries
from coworking.network.head.enrolment import directory_entry
from coworking.network.head.models import NetworkLieu


class AlreadyListed(DomainError):
    """The directory has that place, by its SIRET or by its name and postcode."""

    code = "already_listed"
    status = 409
    message = N_("%(name)s is already in the directory.")
    field = "name"


def add(
    actor: Actor, *, name: str, postcode: str, city: str, siret: str | None = None, email: str | None = None
) -> NetworkLieu:
    """Put a lieu into the directory by hand; raises `AlreadyListed`."""
    with write_unit() as unit:
        other = directory_queries.same_place(name, postcode, siret)
        if other is not None:
            raise AlreadyListed(name=other.name)
        row = NetworkLieu(
            name=name, postcode=postcode, city=city, siret=siret, contact_email=email, source="hand", created_at=now()
        )
        db.session.add(row)
        db.session.flush()
        audit.record(actor, "network.lieu_added", ("network_lieu", row.id))
        unit.result = row.public_id
    return row


def expect_from(actor: Actor, lieu: str, month: date) -> None:
    """Await the figures of the lieu from ``month`` (its first day) on; raises `NotFound`."""
    with write_unit():
        row = directory_entry(lieu)
        row.expected_from = month
        audit.record(actor, "network.expected_from", ("network_lieu", row.id), month=month.isoformat())


def depart(actor: Actor, lieu: str) -> NetworkLieu:
    """The lieu left the network: its links open nothing and its key signs nothing. Raises `NotFound`.

    What it sent stays and counts in its months. `come_back` makes all of it as it was.
    """
    with write_unit():
        row = directory_entry(lieu)
        row.left_at = now()
        audit.record(actor, "network.lieu_left", ("network_lieu", row.id))
    return row


def come_back(actor: Actor, lieu: str) -> NetworkLieu:
    """Undo `depart`; twice is fine. Raises `NotFound`."""
    with write_unit():
        row = db.session.scalar(locked(select(NetworkLieu).where(NetworkLieu.public_id == lieu)))
        if row is None:
            raise NotFound()
        if row.left_at is not None:
            row.left_at = None
            audit.record(actor, "network.lieu_came_back", ("network_lieu", row.id))
    return row
