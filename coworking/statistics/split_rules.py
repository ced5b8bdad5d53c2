"""Hiding the small numbers of a split, so that nobody can be recognised in it."""

from __future__ import annotations

from collections.abc import Mapping

from coworking.statistics.consistency import SMALLEST_SHOWN


def suppressed(counts: Mapping[str, int]) -> dict[str, int | None] | None:
    """``counts`` of people by group, None in place of what is not shown; None where no part may be.

    What is hidden cannot be worked out from the rest and their total: numbers from 1 to 4 are hidden, and the smallest
    others with them until at least two groups and five people are. Groups of nobody are shown: they name nobody.
    """
    people = sum(counts.values())
    if 0 < people < SMALLEST_SHOWN:
        return None
    by_size = sorted((name for name in counts if counts[name]), key=lambda name: counts[name])
    hidden: list[str] = []
    for name in by_size:
        enough = not hidden or (len(hidden) > 1 and sum(counts[one] for one in hidden) >= SMALLEST_SHOWN)
        if counts[name] < SMALLEST_SHOWN or not enough:
            hidden.append(name)
    return {name: None if name in hidden else number for name, number in counts.items()}
