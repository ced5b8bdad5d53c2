"""Reading what Stripe answers: checked before it is believed, since a proxy in between may answer 200 with anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from coworking.billing.gateways.port import GatewayUnavailable


def plain(answer: object, kind: str) -> dict[str, Any]:
    """``answer``, which must be an object of that ``kind`` with an id."""
    if not isinstance(answer, dict) or answer.get("object") != kind or not isinstance(answer.get("id"), str):
        raise GatewayUnavailable(f"Stripe answered something that is no {kind}")
    return answer


def rows(answer: dict[str, Any]) -> list[Any]:
    """The objects of a page of a list."""
    found = answer.get("data")
    if answer.get("object") != "list" or not isinstance(found, list):
        raise GatewayUnavailable("Stripe answered something that is no list")
    return found


def time_said(value: object) -> datetime | None:
    """A time of Stripe's; None: it says none."""
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None
