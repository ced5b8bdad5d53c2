"""What the lieu sells, as the API shows it to managers: its tariff, groups that pay less, plans, packs and articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coworking.api.render import Json
from coworking.membership.models import PackOffer, Plan
from coworking.pricing.concerned_queries import Concerned
from coworking.pricing.group_models import GroupTariff, PriceGroup
from coworking.pricing.models import Article, Tariff


def tariff(row: Tariff, keys: Mapping[int, str]) -> Json:
    """``keys``: the public ids of the lieu's resources."""
    return {
        "id": row.public_id,
        "valid_from": row.valid_from,
        "basis": row.basis,
        "vat_rate_bp": row.vat_rate_bp,
        "prices": [
            {
                "kind": one.kind,
                "resource_id": None if one.resource_id is None else keys[one.resource_id],
                "unit": one.unit,
                "cents": one.cents,
                "day_cents": one.day_cents,
            }
            for one in row.prices
        ],
    }


def concerned(row: Concerned) -> Json:
    return {"booked": row.booked, "people": row.people, "organisations": row.organisations}


def priced_group(
    row: PriceGroup, tariffs: Sequence[GroupTariff], named: Mapping[tuple[str, int], str], people: int
) -> Json:
    """``named``: the public ids of plans and packs, by kind and id."""
    return {
        "id": row.public_id,
        "name": row.name,
        "is_open": row.archived_at is None,
        "people": people,
        "prices": [
            {
                "id": tariff.public_id,
                "valid_from": tariff.valid_from,
                "reductions": [
                    {
                        "kind": one.kind,
                        "plan_id": named.get((one.kind, one.of_id)) if one.kind == "plan" else None,
                        "offer_id": named.get((one.kind, one.of_id)) if one.kind == "pack" else None,
                        "percent_bp": one.percent_bp,
                        "cents": one.cents,
                    }
                    for one in tariff.prices
                ],
            }
            for tariff in tariffs
        ],
    }


def plan(row: Plan, holders: int) -> Json:
    return {
        "id": row.public_id,
        "name": row.name,
        "is_open": row.is_open,
        "holders": holders,
        "monthly_cents": row.monthly_cents,
        "basis": row.basis,
        "vat_rate_bp": row.vat_rate_bp,
        "halfdays_per_month": row.halfdays_per_month,
        "room_minutes": row.room_minutes,
        "rollover_halfdays": row.rollover_halfdays,
        "rollover_minutes": row.rollover_minutes,
        "min_months": row.min_months,
        "trial_cents": row.trial_cents,
        "is_prorata": bool(row.is_prorata),
        "taken_by": row.taken_by,
        "group_id": row.group.public_id if row.group is not None else None,
    }


def pack(row: PackOffer, holders: int) -> Json:
    return {
        "id": row.public_id,
        "name": row.name,
        "is_open": row.is_open,
        "holders": holders,
        "unit": row.unit,
        "units": row.units,
        "cents": row.cents,
        "basis": row.basis,
        "vat_rate_bp": row.vat_rate_bp,
        "valid_months": row.valid_months,
    }


def article(row: Article) -> Json:
    return {
        "id": row.public_id,
        "label": row.label,
        "kind": row.kind,
        "is_open": row.archived_at is None,
        "prices": [
            {
                "valid_from": one.valid_from,
                "cents": one.cents,
                "vat_rate_bp": one.vat_rate_bp,
                "account": one.account,
            }
            for one in row.prices
        ],
    }
