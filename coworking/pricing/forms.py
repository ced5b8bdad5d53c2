"""Reading prices as managers type them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from coworking.core.formats import decimal
from coworking.core.forms import Form
from coworking.pricing.models import Tariff
from coworking.pricing.rules import BASES, KINDS, Basis, cents_of, day_cents_of, rate_of
from coworking.spaces.models import DESK, Resource


@dataclass(frozen=True, slots=True)
class TariffForm:
    """A tariff as typed: cents by kind and by a resource's public id; of a whole day at a desk, where it is said."""

    valid_from: date
    basis: Basis
    vat_rate_bp: int
    by_kind: dict[str, int]
    by_resource: dict[str, int]
    day_by_kind: dict[str, int]
    day_by_resource: dict[str, int]


def cents(form: Form, name: str, *, required: bool = False) -> int | None:
    """A price; None when left empty."""
    return form.check(name, cents_of) if required else form.maybe(name, cents_of)


def basis(form: Form, *, taxable: bool) -> Basis:
    """``ttc`` or ``ht``; who charges no VAT is not asked."""
    return "ht" if taxable and form.choice("basis", BASES) == "ht" else "ttc"


def vat_rate(form: Form, *, taxable: bool) -> int:
    """Basis points; 0 and not asked where no VAT is charged."""
    return (form.check("vat_rate", rate_of) or 0) if taxable else 0


def read_tariff(form: Form, resources: list[Resource], *, taxable: bool) -> TariffForm:
    """``valid_from``, ``basis``, ``vat_rate``, a price per kind and, where typed, per resource (``r-<public id>``); of desks
    also of a whole day (the same name and ``-day``)."""
    by_kind = {kind: cents(form, kind) for kind in KINDS}
    by_resource = {row.public_id: cents(form, f"r-{row.public_id}") for row in resources}
    desks = [row.public_id for row in resources if row.kind == DESK]
    day_by_kind = {DESK: form.maybe(f"{DESK}-day", day_cents_of, by_kind[DESK] or 0)}
    day_by_resource = {key: form.maybe(f"r-{key}-day", day_cents_of, by_resource[key] or 0) for key in desks}
    return TariffForm(
        valid_from=form.day("valid_from"),
        basis=basis(form, taxable=taxable),
        vat_rate_bp=vat_rate(form, taxable=taxable),
        by_kind={kind: price for kind, price in by_kind.items() if price is not None},
        by_resource={key: price for key, price in by_resource.items() if price is not None},
        day_by_kind={kind: price for kind, price in day_by_kind.items() if price is not None},
        day_by_resource={key: price for key, price in day_by_resource.items() if price is not None},
    )


def tariff_fields(tariff: Tariff | None, resources: list[Resource]) -> dict[str, str]:
    """The inputs of a new tariff, filled with the one that rules now."""
    if tariff is None:
        return {"basis": "ttc", "vat_rate": "20"}
    keys = {row.id: row.public_id for row in resources}
    fields = {"basis": tariff.basis, "vat_rate": decimal(tariff.vat_rate_bp)}
    for price in tariff.prices:
        if price.resource_id is not None and price.resource_id not in keys:
            continue
        name = price.kind if price.resource_id is None else f"r-{keys[price.resource_id]}"
        fields[name] = decimal(price.cents)
        if price.day_cents is not None:
            fields[f"{name}-day"] = decimal(price.day_cents)
    return fields
