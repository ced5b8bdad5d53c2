"""Pages of Stripe's lists: newest first, filtered, gone through by the last id seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from coworking.demo.stripe_double.form_data import whole_number
from coworking.demo.stripe_double.refusals import invalid_parameter
from coworking.demo.stripe_double.store import StripeObject, StripeStore

PAGING = ("limit", "starting_after", "created", "created.gt", "created.gte", "created.lt", "created.lte")
_KEPT: dict[str, Callable[[int, int], bool]] = {
    "gt": int.__gt__,
    "gte": int.__ge__,
    "lt": int.__lt__,
    "lte": int.__le__,
}


def page(
    store: StripeStore,
    kind: str,
    form: dict[str, Any],
    filters: tuple[str, ...],
    matches: Callable[[StripeObject], bool] = lambda held: True,
) -> StripeObject:
    """One page of the objects of a kind whose fields ``filters`` are as ``form`` says; raises `StripeRefusal`."""
    limit = whole_number(form, "limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        raise invalid_parameter("limit", "it must be between 1 and 100", "parameter_invalid_integer")
    bounds = _bounds(form)
    after = form.get("starting_after")
    with store.lock:
        rows = store.newest_first(kind)
        if after is not None:
            store.get(kind, after, "starting_after")
            for row in rows:
                if row["id"] == after:
                    break
        found = [
            row
            for row in rows
            if all(is_kept(row["created"], bound) for is_kept, bound in bounds)
            and all(row[name] == form[name] for name in filters if name in form)
            and matches(row)
        ]
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": request.path}


def _bounds(form: dict[str, Any]) -> list[tuple[Callable[[int, int], bool], int]]:
    created = form.get("created")
    if created is None:
        return []
    if not isinstance(created, dict):
        return [(int.__eq__, whole_number(form, "created") or 0)]
    return [(_KEPT[name], whole_number(created, name) or 0) for name in created]
