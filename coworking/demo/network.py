"""The demo's lieu is a network head too: twelve invented places report to it, each in its own way.

`enrol`, `month_document` and `signed` are what a measure needs too, to make as many places and months as it likes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from coworking.core.clock import frozen_at, now
from coworking.core.db import db
from coworking.core.keyring import SigningKey, key_id_of
from coworking.core.months import month_after, month_end, month_of, months_between, write_month
from coworking.core.units import locked, write_unit
from coworking.core.version import VERSION
from coworking.network.exchange import protocol
from coworking.network.exchange.return_messages import return_payload
from coworking.network.head import receiving
from coworking.network.head.models import NetworkLieu
from coworking.network.lieu import services
from coworking.network.lieu.models import Delivery
from coworking.spaces import queries as spaces
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.schema import SCHEMA, blank, canonical, digest, filled

ZONE = ZoneInfo("Europe/Paris")
SEASON = (0.92, 0.97, 1.04, 1.02, 0.98, 1.03, 0.82, 0.48, 1.08, 1.1, 1.02, 0.8)
"""How each month of the year compares with the others: few come in August."""
LATE, PROVISIONAL, BLIND = "La Doyenne", "L’Atelier des Papetiers", "Haute Ville"
KNOWN_AT_BLIND = 0.62


@dataclass(frozen=True, slots=True)
class Simulated:
    """An invented place in a real town. ``usual``: the share of its half-days that is booked in an ordinary month."""

    name: str
    city: str
    postcode: str
    north: float
    east: float
    desks: int
    usual: float
    way: str = "software"


PLACES = (
    Simulated(PROVISIONAL, "Ambert", "63600", 45.5494, 3.7417, 12, 0.61),
    Simulated("Le Relais", "Riom", "63200", 45.8938, 3.1125, 18, 0.6),
    Simulated("Quai 9", "Issoire", "63500", 45.5443, 3.2489, 22, 0.51),
    Simulated(LATE, "Brioude", "43100", 45.2942, 3.3842, 8, 0.44),
    Simulated("Cours Victor", "Le Puy-en-Velay", "43000", 45.0428, 3.8829, 31, 0.33),
    Simulated(BLIND, "Saint-Flour", "15100", 45.0336, 3.0925, 6, 0.27),
    Simulated("La Tannerie", "Annonay", "07100", 45.2399, 4.6707, 16, 0.42),
    Simulated("Le Préau", "Noirétable", "42440", 45.8181, 3.7669, 5, 0.22, "link"),
    Simulated("La Manufacture", "Montbrison", "42600", 45.6075, 4.0653, 20, 0.48),
    Simulated("Chez Jeanne", "Courpière", "63120", 45.7536, 3.5403, 4, 0.3, "link"),
    Simulated("Les Thermes", "Vichy", "03200", 46.1278, 3.4265, 36, 0.57),
    Simulated("L’Escale", "La Chaise-Dieu", "43160", 45.3211, 3.6964, 6, 0.25),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A place that belongs to the network: its row at the head, and the key it signs with."""

    place: Simulated
    lieu: NetworkLieu
    key: SigningKey


def make(draw: random.Random, first: date, today: date) -> None:
    """The head's twelve places and what they sent of each month from ``first`` to the last that is over."""
    months = [month for month in months_between(first, today) if month_after(month) <= month_of(today)]
    with frozen_at(_at(first, 8)):
        members = [enrol(place, draw, first) for place in PLACES]
    for month in months:
        for member in members:
            is_last = month == months[-1]
            if member.place.name == LATE and is_last:
                continue
            status = "provisional" if member.place.name == PROVISIONAL and is_last else "final"
            with frozen_at(_at(month_after(month) + timedelta(days=4 if status == "provisional" else 9), 9)):
                _send(member, month_document(member, month, draw, status=status))


def mailed(row: MonthlyReturn) -> None:
    """Record that the lieu's own ``row`` was sent to the network above it. No e-mail is written."""
    if not services.plan(row.month, row.revision):
        return  # closed for good with the figures that were sent
    with write_unit():
        sent = db.session.scalars(
            select(Delivery).where(Delivery.month == row.month, Delivery.revision == row.revision)
        ).one()
        sent.state, sent.attempts, sent.sent_at = "mailed", 1, now()


def enrol(place: Simulated, draw: random.Random, first: date) -> Member:
    """Let ``place`` into the network with a key of its own, its figures expected from ``first``."""
    private = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32))
    public = private.public_key().public_bytes_raw()
    key = SigningKey(key_id_of(public), private)
    has_software = place.way == "software"
    with write_unit():
        lieu = NetworkLieu(
            lieu_uuid=str(UUID(bytes=draw.randbytes(16), version=4)),
            name=place.name,
            city=place.city,
            postcode=place.postcode,
            latitude=place.north,
            longitude=place.east,
            source="simulation",
            way=place.way,
            public_key=protocol.encode_key(public) if has_software else None,
            key_id=key.key_id if has_software else None,
            enrolled_at=now(),
            expected_from=first,
        )
        db.session.add(lieu)
    return Member(place, lieu, key)


def month_document(
    member: Member,
    month: date,
    draw: random.Random,
    *,
    status: str = "final",
    revision: int = 1,
    reason: str | None = None,
) -> dict[str, Any]:
    """An invented ``monthly-return/1`` of the member's ``month``."""
    figures = _figures(member.place, month, draw)
    return {
        "schema": SCHEMA,
        "lieu_id": member.lieu.lieu_uuid,
        "siret": None,
        "name": member.place.name,
        "code_insee": None,
        "month": write_month(month),
        "status": status,
        "revision": revision,
        "reason": reason,
        "generated_at": now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        "software_version": VERSION,
        "figures_sha256": digest(canonical(figures)),
        "figures": figures,
    }


def signed(member: Member, document: dict[str, Any], head_id: str) -> str:
    """``document`` as the member sends it to the head ``head_id``."""
    return protocol.sign(return_payload(document, head_id=head_id, at=now()), protocol.RETURN, member.key)


def _send(member: Member, document: dict[str, Any]) -> None:
    if member.place.way == "software":
        receiving.receive(signed(member, document, spaces.lieu().uuid).encode(), address=None)
        return
    with write_unit():
        lieu = db.session.scalars(locked(select(NetworkLieu).where(NetworkLieu.id == member.lieu.id))).one()
        receiving.keep(lieu, receiving.Filed.of(document))


def _figures(place: Simulated, month: date, draw: random.Random) -> dict[str, Any]:
    days = sum(date(month.year, month.month, day).weekday() < 5 for day in range(1, month_end(month).day + 1))
    offered = 2 * days * place.desks
    booked = min(offered, round(offered * place.usual * SEASON[month.month - 1] * draw.uniform(0.9, 1.1)))
    known = round(booked * (KNOWN_AT_BLIND if place.name == BLIND else draw.uniform(0.93, 1)))
    absent = round(known * draw.uniform(0.04, 0.12))
    people = max(3, round(place.desks * draw.uniform(1.4, 2.2)))
    six = {
        "open_days": days,
        "desk_offered_halfdays": offered,
        "desk_booked_halfdays": booked,
        "desk_attended_halfdays": known - absent,
        "distinct_people": people,
        "workshop_participants": draw.randrange(0, 30),
    }
    if place.way == "link":
        return filled(blank("without_software"), **six)
    del six["workshop_participants"]
    more = {
        "accessible_minutes": days * 540,
        "staffed_minutes": days * 480,
        "desks_in_service": place.desks,
        "desk_known_halfdays": known,
        "desk_absent_halfdays": absent,
        "worker_days": max(people, round((known - absent) * 0.6)),
    }
    if place.name == BLIND:
        del six["desk_attended_halfdays"]
    figures = filled(blank("not_recorded"), **six, **more)
    if place.name == BLIND:
        figures["null_reasons"]["desk_attended_halfdays"] = "too_few_known"
    return figures


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=ZONE)
