"""The name, clock, zones and currency of the lieu, for lower packages that must not import this one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from coworking.core import place
from coworking.spaces import queries


def _name() -> str:
    lieu = queries.lieu_or_none()
    return lieu.name if lieu is not None else ""


def _clock() -> ZoneInfo:
    lieu = queries.lieu_or_none()
    return lieu.tz if lieu is not None else ZoneInfo("Europe/Paris")


def _zones() -> list[place.ZoneName]:
    return [place.ZoneName(zone.id, zone.public_id, zone.name) for zone in queries.zones()]


def _currency() -> str:
    lieu = queries.lieu_or_none()
    return lieu.currency if lieu is not None else "EUR"


place.provided_by(name=_name, clock=_clock, zones=_zones, currency=_currency)
