"""Lieux of a network head, what they reported, and how a page reads."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import rfc8785

from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.network.head.filing import columns_of
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.statistics import schema
from tests.statistics.returns import plain_figures

OCTOBER = date(2026, 10, 1)


def make_lieu(name: str, **values: Any) -> NetworkLieu:
    with write_unit():
        row = NetworkLieu(
            **{
                "name": name,
                "city": "Ambert",
                "source": "simulation",
                "way": "software",
                "latitude": 45.5,
                "longitude": 3.7,
            }
            | values
        )
        db.session.add(row)
        db.session.flush()
        row.lieu_uuid = f"00000000-0000-4000-8000-{row.id:012d}"
    return row


def say(lieu: NetworkLieu, month: date = OCTOBER, *, revision: int = 1, status: str = "final", **figures: Any) -> None:
    """The lieu reported ``month``: half-days ``offered``, ``booked``, ``attended``, ``known``."""
    names = {"offered": "desk_offered_halfdays", "booked": "desk_booked_halfdays", "attended": "desk_attended_halfdays"}
    names["known"] = "desk_known_halfdays"
    told = plain_figures(**{names.get(name, name): value for name, value in figures.items()})
    document = {"lieu_id": lieu.lieu_uuid, "figures": told}
    with write_unit():
        db.session.add(
            ReceivedReturn(
                network_lieu_id=lieu.id,
                month=month,
                revision=revision,
                status=status,
                reason="oubli" if status == "restatement" else None,
                digest=schema.digest(schema.canonical(told)),
                document=rfc8785.dumps(document).decode(),
                jws="x",
                way="software",
                received_at=datetime(2026, 11, 5, 9, tzinfo=UTC),
                **columns_of(document),
            )
        )


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").replace("\u202f", " ").split())


def put(name: str, **values: Any) -> str:
    """A place of the directory; returns its public id."""
    with write_unit():
        row = NetworkLieu(**{"name": name, "source": "directory", "city": "Ambert", "postcode": "63600"} | values)
        db.session.add(row)
    return row.public_id
