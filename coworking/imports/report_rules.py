"""What a line's report keeps of a refusal: dates, hours and amounts as what they are, for each reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from coworking.core.money import Cents
from coworking.core.timespan import Span


def kept_params(params: Mapping[str, object]) -> dict[str, Any] | None:
    """``params`` of a `DomainError` as JSON; None where it has none."""
    return {name: _kept(value) for name, value in params.items()} or None


def read_params(kept: Mapping[str, Any] | None) -> dict[str, object]:
    """What `kept_params` kept."""
    return {name: _read(value) for name, value in (kept or {}).items()}


def _kept(value: object) -> Any:
    match value:
        case Span():
            return {"from": value.start.isoformat(), "to": value.end.isoformat()}
        case datetime():
            return {"at": value.isoformat()}
        case date():
            return {"day": value.isoformat()}
        case Cents():
            return {"cents": int(value)}
        case tuple() | list():
            return [_kept(part) for part in value]  # type: ignore[reportUnknownVariableType] - any parts
        case _:
            return str(value)


def _read(kept: Any) -> object:
    match kept:
        case {"from": start, "to": end}:
            return Span(datetime.fromisoformat(start), datetime.fromisoformat(end))
        case {"at": instant}:
            return datetime.fromisoformat(instant)
        case {"day": day}:
            return date.fromisoformat(day)
        case {"cents": cents}:
            return Cents(cents)
        case list():
            return [_read(part) for part in kept]  # type: ignore[reportUnknownVariableType] - any parts
        case _:
            return kept
