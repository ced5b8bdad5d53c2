"""Reading what Stripe answers: checked before it is believed, since a proxy in between may answer 200 with anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


MOST_PAGES = 200


def each_row(
    asked: Callable[[Callable[[], Any]], Any], service: Any, wanted: dict[str, Any], kind: str
) -> Iterator[dict[str, Any]]:
    """Every row of a list of Stripe's, page by page; raises `GatewayUnavailable` where it does not go on, or does not end.

    ``asked`` carries out a call of ``service``, one of the SDK's; ``kind``: what each row has to be.
    """
    after: dict[str, str] = {}
    for _page in range(MOST_PAGES):
        wanted_now = wanted | {"limit": 100} | after
        page = asked(lambda wanted_now=wanted_now: service.list(wanted_now))
        found = [plain(row, kind) for row in rows(page)]
        yield from found
        if not found or page.get("has_more") is not True:
            return
        if after == (after := {"starting_after": found[-1]["id"]}):
            raise GatewayUnavailable("Stripe answered the same page again")
    raise GatewayUnavailable("Stripe's list does not end")
