"""The tariff: its dated prices, whom new ones concern, publishing them from a day on. For managers."""

from __future__ import annotations

from typing import Any

from coworking.api import render_sold
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.tariffs import (
    ConcernedQuery,
    NewTariff,
    PublishedTariff,
    PublishedTariffs,
    RemovedTariff,
    WhomItConcerns,
)
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.pricing import queries as pricing
from coworking.pricing import services
from coworking.pricing.concerned_queries import concerned_by
from coworking.spaces import queries as spaces

_NEW = {
    "valid_from": "2026-12-01",
    "vat_rate_bp": 2000,
    "prices": [{"kind": "desk", "cents": 1000, "day_cents": 1800}, {"kind": "room", "cents": 1500}],
}


def _tariff(_actor: Actor, public_id: str) -> Json:
    for one in _every():
        if one["id"] == public_id:
            return one
    raise NotFound()


def _every() -> list[Json]:
    keys = {row.id: row.public_id for row in spaces.resources()}
    return [render_sold.tariff(row, keys) for row in pricing.tariffs()]


def _removed(_actor: Actor, public_id: str) -> Json:
    return {"id": public_id}


def taxed(values: dict[str, Any], *, basis: bool = True) -> dict[str, Any]:
    """``values`` of something that is sold, as the lieu sells it: one that charges no VAT has no rate and no other basis."""
    if spaces.lieu().vat_status == "taxable":
        return values
    return values | {"vat_rate_bp": 0} | ({"basis": "ttc"} if basis else {})


@blueprint.get("/tariffs/concerned")
@requires(Role.MANAGER, scope="lieu:read")
@blueprint.input(ConcernedQuery(), location="query", unknown=None)
@blueprint.output(WhomItConcerns())
def tariff_concerns(query_data: dict[str, Any]) -> Json:
    """Whom new prices from a day on would concern (managers)

    What is booked keeps its price.
    """
    services.check_begins(query_data["valid_from"])
    return render_sold.concerned(concerned_by(query_data["valid_from"], spaces.today()))


@blueprint.post("/tariffs")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewTariff(), example=_NEW)
@blueprint.output(PublishedTariff(), status_code=201)
@idempotent(_tariff)
def publish_tariff(json_data: dict[str, Any]) -> Json:
    """Let prices apply from a day on, until the next tariff (managers)

    All of them: what is not named is free of charge. A tariff of the same day is replaced; what is booked keeps its price.
    """
    actor = current_actor()
    of_kind = {row["kind"]: row for row in json_data["prices"] if "kind" in row}
    of_place = {row["resource_id"]: row for row in json_data["prices"] if "resource_id" in row}
    terms = taxed(json_data)
    made = services.set_tariff(
        actor,
        valid_from=terms["valid_from"],
        basis=terms["basis"],
        vat_rate_bp=terms["vat_rate_bp"],
        by_kind={key: row["cents"] for key, row in of_kind.items()},
        by_resource={key: row["cents"] for key, row in of_place.items()},
        day_by_kind={key: row["day_cents"] for key, row in of_kind.items() if "day_cents" in row},
        day_by_resource={key: row["day_cents"] for key, row in of_place.items() if "day_cents" in row},
    )
    return _tariff(actor, made.public_id)


@blueprint.post("/tariffs/<tariff_id>/remove")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(RemovedTariff())
@idempotent(_removed, of="tariff_id")
def remove_tariff(tariff_id: str) -> Json:
    """Drop a tariff that has not begun (managers)

    422 `tariff_in_past` for any other: prices that have applied stay as they were.
    """
    services.remove_tariff(current_actor(), tariff_id)
    return {"id": tariff_id}


@blueprint.get("/tariffs")
@requires(Role.MANAGER, scope="lieu:read")
@blueprint.output(PublishedTariffs())
def tariffs() -> Json:
    """Every tariff: that of today, those to come and former ones, the latest first (managers)"""
    return {"items": _every(), "next": None}
