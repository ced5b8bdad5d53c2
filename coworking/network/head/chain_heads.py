"""Compare the heads of a lieu's chains over time: a chain that got shorter was cut off.

No Flask, no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shortened:
    """``chain`` ended at ``seq`` in the return ``at``, and had reached ``reached`` in one received before.

    Where both are equal, the entry of that number is another one than it was.
    """

    chain: str
    at: Any
    seq: int
    reached: int


def shortened(heads: Iterable[tuple[Any, Mapping[str, Mapping[str, Any]] | None]]) -> list[Shortened]:
    """Where a chain lost its end, in returns (key, ``chain_heads``) in the order in which they were received."""
    furthest: dict[str, tuple[int, str]] = {}
    found: list[Shortened] = []
    for at, said in heads:
        for chain, head in (said or {}).items():
            seq, digest = head["seq"], head["digest"]
            before = furthest.get(chain)
            if before is not None and (seq < before[0] or (seq == before[0] and digest != before[1])):
                found.append(Shortened(chain, at, seq, before[0]))
            if before is None or seq > before[0]:
                furthest[chain] = seq, digest
    return found
