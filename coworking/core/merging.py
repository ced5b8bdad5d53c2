"""What stands in the way of making two records of one person one: said by whoever knows of it (ADR 0034).

What is priced, owed or running stays with the record for which it was made. So it must be over, or undone, on the record
that goes. What hinders erasing it (`coworking.core.erasing`) hinders this too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from coworking.core import erasing
from coworking.core.erasing import Hindrance

_hindrances: list[Callable[[int, int], Iterable[Hindrance]]] = []


def hindered_by(
    find: Callable[[int, int], Iterable[Hindrance]],
) -> Callable[[int, int], Iterable[Hindrance]]:
    """Register who tells what must be done before the record of a person (by id) can go into another one (by id)."""
    _hindrances.append(find)
    return find


def hindrances(gone_id: int, kept_id: int) -> list[Hindrance]:
    """Everything that must be done first."""
    return [*erasing.hindrances(gone_id), *(one for find in _hindrances for one in find(gone_id, kept_id))]
