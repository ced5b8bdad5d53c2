"""One line per figure, as the table people read and the JSON programs do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """``ours`` beside ``yardstick``; ``ratio`` is what was to reach ``target``, ``reached`` whether it did."""

    engine: str
    what: str
    ours: str
    yardstick: str
    ratio: float | None
    target: str
    reached: bool

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def table(lines: list[Line]) -> str:
    """The lines as a Markdown table."""
    rows = [("engine", "what", "ours", "yardstick", "ratio", "to reach", "")]
    rows += [
        (
            line.engine,
            line.what,
            line.ours,
            line.yardstick,
            "" if line.ratio is None else f"{line.ratio:.2f}",
            line.target,
            "yes" if line.reached else "**no**",
        )
        for line in lines
    ]
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
