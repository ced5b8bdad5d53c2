"""Where the lieu stands on a map: read from what a manager pastes, and the link that shows it there."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from coworking.core.errors import N_, DomainError

OPENSTREETMAP = "https://www.openstreetmap.org"


class SpotInvalid(DomainError):
    code = "spot_invalid"
    message = N_(
        "Write latitude and longitude, like 45.8566, 3.5489, or paste the address of a place on OpenStreetMap."
    )


_PAIR = re.compile(r"(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)")
_FRENCH_PAIR = re.compile(r"(-?\d{1,2},\d+)\s*[;\s]\s*(-?\d{1,3},\d+)")
_OF_MAP = re.compile(r"[#&?]map=\d+(?:\.\d+)?/(-?\d{1,2}\.\d+)/(-?\d{1,3}\.\d+)")
_OF_MARK = re.compile(r"[?&]mlat=(-?\d{1,2}\.\d+)&mlon=(-?\d{1,3}\.\d+)")


def spot_of(text: str) -> tuple[int, int]:
    """Latitude and longitude in millionths of a degree; raises `SpotInvalid`."""
    plain = text.strip()
    if plain.startswith(("https://", "http://")):
        found = _OF_MARK.search(plain) or _OF_MAP.search(plain)
    else:
        found = _FRENCH_PAIR.fullmatch(plain) or _PAIR.fullmatch(plain)
    if found is None:
        raise SpotInvalid()
    latitude, longitude = (round(float(part.replace(",", ".")) * 1_000_000) for part in found.groups())
    if abs(latitude) > 90_000_000 or abs(longitude) > 180_000_000:
        raise SpotInvalid()
    return latitude, longitude


def written(latitude_e6: int, longitude_e6: int) -> str:
    """« 45.856600, 3.548900 », as it is typed."""
    return f"{latitude_e6 / 1_000_000:.6f}, {longitude_e6 / 1_000_000:.6f}"


def map_url(latitude_e6: int | None, longitude_e6: int | None, address: str) -> str | None:
    """The page of OpenStreetMap that shows the spot, else what it finds for ``address``; None where neither is known."""
    if latitude_e6 is not None and longitude_e6 is not None:
        latitude, longitude = written(latitude_e6, longitude_e6).split(", ")
        return f"{OPENSTREETMAP}/?{urlencode({'mlat': latitude, 'mlon': longitude})}#map=18/{latitude}/{longitude}"
    return f"{OPENSTREETMAP}/search?{urlencode({'query': address})}" if address.strip() else None
