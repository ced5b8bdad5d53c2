"""What is improbable in a return that could still be true: marked beside it, never refused.

A slip of the keyboard (a zero too many) is told from a figure that no month can hold, which
`coworking.statistics.consistency` refuses. No Flask, no database.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, TypeVar

FAR = {"desk_offered_halfdays": 3, "room_offered_minutes": 3, "distinct_people": 5, "workshop_participants": 10}
"""How many times the lieu's own usual month is improbable, by figure; a third of what is usually offered is too."""
SHRINKS = frozenset({"desk_offered_halfdays", "room_offered_minutes"})
SMALLEST_USUAL = 10
"""Below this a multiple says nothing: three workshops' guests may become thirty."""
MANY_DESKS = 150
"""Desks that no place of a network is known to have."""
OUTWEIGHS, FEWEST_OTHERS = 10, 4
"""How many times the median of the others, and of how many others, a lieu must offer to move a network's rate alone."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why ``field`` is improbable: its ``value``, and the ``usual`` one or the bound it is measured by.

    ``code``: ``far_above`` or ``far_below`` the lieu's own months before; ``many_desks`` offered a day;
    ``beyond_worker_days`` attended; ``staffed_beyond_open`` minutes; ``outweighs`` the other lieux of the month.
    """

    code: str
    field: str
    value: int
    usual: int


def doubts(figures: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> list[Doubt]:
    """What is improbable in ``figures``, on their own and beside ``before``, the figures of the lieu's months until then."""
    found = [one for name in FAR if (one := _unlike(name, figures[name], before)) is not None]
    days, offered = figures["open_days"], figures["desk_offered_halfdays"]
    if days and offered is not None and offered > 2 * days * MANY_DESKS:
        found.append(Doubt("many_desks", "desk_offered_halfdays", offered, MANY_DESKS))
    for code, part, whole, factor in (
        ("beyond_worker_days", "desk_attended_halfdays", "worker_days", 2),
        ("staffed_beyond_open", "staffed_minutes", "accessible_minutes", 1),
    ):
        value, limit = figures[part], figures[whole]
        if value is not None and limit is not None and value > factor * limit:
            found.append(Doubt(code, part, value, factor * limit))
    return found


def outweighing(offered: Mapping[Key, int | None]) -> dict[Key, Doubt]:
    """The lieux whose half-days ``offered`` in a month are so many that they alone move the network's rate."""
    known = {key: value for key, value in offered.items() if value is not None}
    if len(known) <= FEWEST_OTHERS:
        return {}
    found: dict[Key, Doubt] = {}
    for key, value in known.items():
        usual = int(median(other for one, other in known.items() if one != key))
        if value > OUTWEIGHS * max(usual, SMALLEST_USUAL):
            found[key] = Doubt("outweighs", "desk_offered_halfdays", value, usual)
    return found


def written(found: Sequence[Doubt]) -> list[dict[str, Any]]:
    """``found`` as it is stored with a return, and said to programs; `read` reads it again."""
    return [asdict(one) for one in found]


def read(stored: Sequence[Mapping[str, Any]]) -> list[Doubt]:
    return [Doubt(**one) for one in stored]


def _unlike(name: str, value: int | None, before: Sequence[Mapping[str, Any]]) -> Doubt | None:
    known = [one[name] for one in before if one[name] is not None]
    if value is None or not known:
        return None
    usual = int(median(known))
    if value > FAR[name] * max(usual, SMALLEST_USUAL):
        return Doubt("far_above", name, value, usual)
    if name in SHRINKS and usual > SMALLEST_USUAL and value * FAR[name] < usual:
        return Doubt("far_below", name, value, usual)
    return None
