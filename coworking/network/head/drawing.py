"""Coordinates for the pictures of a head's pages: a map without tiles, and lines on one scale. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, radians, sqrt

MAP_WIDTH, MAP_HEIGHT, MARGIN = 430, 430, 14
FRANCE = (41.2, 51.2, -5.3, 9.7)
"""Mainland France and Corsica: south, north, west, east in degrees."""
LINE_WIDTH, LINE_HEIGHT = 150, 34


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of the Earth (degrees) laid on the map, as an equirectangular projection true at its middle."""

    south: float
    north: float
    west: float
    east: float

    def place(self, north: float, east: float) -> tuple[float, float] | None:
        """Where a position is on the map; None outside the frame."""
        if not (self.south <= north <= self.north and self.west <= east <= self.east):
            return None
        shrink = cos(radians((self.south + self.north) / 2))
        wide, high = (self.east - self.west) * shrink, self.north - self.south
        scale = min((MAP_WIDTH - 2 * MARGIN) / wide, (MAP_HEIGHT - 2 * MARGIN) / high)
        left, top = (MAP_WIDTH - wide * scale) / 2, (MAP_HEIGHT - high * scale) / 2
        return (
            round(left + (east - self.west) * shrink * scale, 1),
            round(top + (self.north - north) * scale, 1),
        )


def frame_of(places: Sequence[tuple[float, float]]) -> Frame:
    """A frame around ``places`` (latitude, longitude) with some land about them; all of France around few or none."""
    mainland = [(n, e) for n, e in places if FRANCE[0] <= n <= FRANCE[1] and FRANCE[2] <= e <= FRANCE[3]]
    shown = mainland or list(places)
    if len(shown) < 2:
        return Frame(*FRANCE)
    south, north = min(n for n, _ in shown), max(n for n, _ in shown)
    west, east = min(e for _, e in shown), max(e for _, e in shown)
    room = max(0.35, 0.25 * max(north - south, east - west))
    return Frame(south - room, north + room, west - room, east + room)


def radius(percent: int | None) -> float:
    """A circle whose area grows with the rate; the smallest still answers to a finger."""
    return round(5 + 9 * sqrt(max(0, min(percent or 0, 100)) / 100), 1)


def thinned(points: Iterable[tuple[float, float] | None], step: float = 3) -> list[tuple[float, float]]:
    """``points`` without those that would overlap."""
    return sorted({(round(x / step) * step, round(y / step) * step) for x, y in (p for p in points if p is not None)})


def lines(values: Sequence[int | None], most: int = 100) -> list[str]:
    """Percentages over time as the points of polylines, broken where a value is unknown; ``most`` is the top."""
    across = (LINE_WIDTH - 6) / max(len(values) - 1, 1)
    found: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            found.append([])
            continue
        height = 31 - 28 * min(value, most) / most
        found[-1].append(f"{3 + number * across:.1f},{height:.1f}")
    return [" ".join(piece if len(piece) > 1 else piece * 2) for piece in found if piece]
