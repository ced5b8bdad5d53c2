"""Prices and their sums: integer cents in, integer cents out, every rounding through `core.money`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up

ResourceKind = Literal["desk", "room", "office"]
KINDS: tuple[ResourceKind, ...] = ("desk", "room", "office")
Basis = Literal["ttc", "ht"]
BASES: tuple[Basis, ...] = ("ttc", "ht")
Unit = Literal["half_day", "hour"]
UNITS: tuple[Unit, ...] = ("half_day", "hour")

MAX_CENTS = 10_000_000
"""The highest price that may be typed: beyond 100,000 a point has slipped."""


class TariffInPast(DomainError):
    code = "tariff_in_past"
    status = 422
    message = N_("Prices that have applied stay as they were. Choose today or a later day.")
    field = "valid_from"


class PriceInvalid(DomainError):
    code = "price_invalid"
    status = 422
    message = N_("This is not a price. Write it like 9 or 12.50.")


class DayPriceInvalid(DomainError):
    """Less than one half-day, or no less than two."""

    code = "day_price_invalid"
    status = 422
    message = N_("A day costs at least a half-day and less than two. Leave it empty where it costs twice a half-day.")


class DayPriceOfDesks(DomainError):
    """A room or an office is sold by the hour, whatever the day."""

    code = "day_price_of_desks"
    status = 422
    message = N_("Only desks have a price for the whole day.")


class RateInvalid(DomainError):
    code = "rate_invalid"
    status = 422
    message = N_("This is not a VAT rate. Write a percentage, like 20 or 5.5.")
    field = "vat_rate"


@dataclass(frozen=True, slots=True)
class Prices:
    """One tariff as plain values, in cents per unit. What is in neither mapping is free of charge.

    ``vat_rate_bp`` is what applies: 0 where the lieu charges no VAT, whatever the tariff says. ``day_by_kind`` and
    ``day_by_resource``: both half-days of a day at a desk, where that is less than twice the half-day.
    """

    by_kind: Mapping[str, int]
    by_resource: Mapping[int, int]
    basis: Basis = "ttc"
    vat_rate_bp: int = 0
    day_by_kind: Mapping[str, int] = field(default_factory=dict)
    day_by_resource: Mapping[int, int] = field(default_factory=dict)

    @property
    def has_day_rate(self) -> bool:
        return bool(self.day_by_kind or self.day_by_resource)

    def day_price_of(self, kind: str, resource_id: int) -> int | None:
        """Cents for both half-days of a day at a desk; None where that is twice the half-day. A desk with a price of its own
        has a day rate of its own or none."""
        return self.day_by_resource.get(resource_id) if resource_id in self.by_resource else self.day_by_kind.get(kind)

    def price_of(self, kind: str, resource_id: int) -> int:
        """Cents per half-day of a desk, or per hour of a room or office: its own price, else its kind's, else 0."""
        return self.by_resource.get(resource_id, self.by_kind.get(kind, 0))


NO_PRICES = Prices({}, {})
"""Before the first tariff everything is free."""


def check_day_price(day_cents: int, half_cents: int) -> None:
    """Raise `DayPriceInvalid` unless a day costs at least a half-day, and less than two."""
    if not half_cents <= day_cents < 2 * half_cents:
        raise DayPriceInvalid()


def day_cents_of(text: str, half_cents: int) -> int | None:
    """What a whole day costs where a half-day costs ``half_cents``; None where it is twice that, which needs no saying.

    Raises `PriceInvalid`, `DayPriceInvalid`.
    """
    cents = cents_of(text)
    if cents == 2 * half_cents:
        return None
    check_day_price(cents, half_cents)
    return cents


def unit_of(kind: str) -> Unit:
    """What a ``kind`` of resource is sold by."""
    return "half_day" if kind == "desk" else "hour"


def vat_rate(rate_bp: int, vat_status: str) -> int:
    """``rate_bp`` where the lieu is taxable; 0 under the franchise and where it is exempt."""
    return rate_bp if vat_status == "taxable" else 0


def room_amount(hour_cents: int, minutes: int) -> int:
    """Cents for ``minutes`` at ``hour_cents`` an hour, halves up."""
    return divide_half_up(hour_cents * minutes, 60)


def vat_of(net_cents: int, rate_bp: int) -> int:
    """The VAT on ``net_cents``, halves away from zero."""
    return divide_half_up(net_cents * rate_bp, 10_000)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """An amount in cents as it was quoted: with its VAT (``ttc``) or without (``ht``); negative on a credit note."""

    amount_cents: int
    vat_rate_bp: int
    basis: Basis = "ttc"


@dataclass(frozen=True, slots=True)
class SaleLine:
    """One thing that is paid before it counts, as the payer reads it; cents as they were quoted."""

    label: str
    cents: int
    vat_rate_bp: int
    basis: Basis = "ttc"


@dataclass(frozen=True, slots=True)
class Group:
    """What all lines at one rate come to. ``gross_cents`` = net + VAT; ``payable_cents`` = gross + rounding.

    ``vat_cents`` is exactly `vat_of` the net. ``rounding_cents`` (-1, 0 or 1) is what no net can express of a sum that
    was quoted with VAT in it, such as 3.03 at 20 %: 2.52 + 0.50 = 3.02, 2.53 + 0.51 = 3.04.
    """

    vat_rate_bp: int
    net_cents: int
    vat_cents: int
    rounding_cents: int

    @property
    def gross_cents(self) -> int:
        return self.net_cents + self.vat_cents

    @property
    def payable_cents(self) -> int:
        return self.gross_cents + self.rounding_cents


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's sums, by rate (highest first) and together. Rounding is the payable rounding amount (BT-114)."""

    groups: tuple[Group, ...]

    @property
    def net_cents(self) -> int:
        return sum(group.net_cents for group in self.groups)

    @property
    def vat_cents(self) -> int:
        return sum(group.vat_cents for group in self.groups)

    @property
    def gross_cents(self) -> int:
        return sum(group.gross_cents for group in self.groups)

    @property
    def rounding_cents(self) -> int:
        return sum(group.rounding_cents for group in self.groups)

    @property
    def payable_cents(self) -> int:
        """What is owed: to the cent the sum of the lines where they hold VAT."""
        return sum(group.payable_cents for group in self.groups)


def totals(lines: Iterable[PricedLine]) -> Totals:
    """Sum ``lines`` per rate and tax each sum once.

    What is owed at a rate is what was quoted with VAT, and what was quoted without together with the VAT on its sum. Net is
    the amount whose VAT brings it nearest to that; the cent that may be missing is the rounding. Of lines that were all
    quoted without VAT, net is their sum and nothing is missing. A document with every sign turned has every sum turned.
    """
    sums: dict[int, dict[Basis, int]] = {}
    for line in lines:
        at_rate = sums.setdefault(line.vat_rate_bp, {"ttc": 0, "ht": 0})
        at_rate[line.basis] += line.amount_cents
    return Totals(
        tuple(
            _group(at_rate["ttc"] + at_rate["ht"] + vat_of(at_rate["ht"], rate), rate)
            for rate, at_rate in sorted(sums.items(), reverse=True)
        )
    )


def payable_cents(lines: Iterable[PricedLine]) -> int:
    """What ``lines`` come to with their VAT, as an invoice of just them would."""
    return totals(lines).payable_cents


def _group(total: int, rate_bp: int) -> Group:
    sign = -1 if total < 0 else 1
    near = divide_half_up(abs(total) * 10_000, 10_000 + rate_bp)

    def missing(net: int) -> int:
        return abs(total) - net - vat_of(net, rate_bp)

    net = min((near, near + 1, near - 1), key=lambda candidate: abs(missing(candidate)))
    return Group(rate_bp, sign * net, sign * vat_of(net, rate_bp), sign * missing(net))


def cents_of(text: str) -> int:
    """« 9 », « 12,50 », « 1 234.5 € » as cents; raises `PriceInvalid`."""
    plain = "".join(text.replace("\u202f", "").replace("\u00a0", "").replace("€", "").split()).replace(",", ".")
    euros, _point, rest = plain.partition(".")
    if not (euros.isascii() and euros.isdigit()) or (rest and not (rest.isascii() and rest.isdigit())) or len(rest) > 2:
        raise PriceInvalid()
    cents = int(euros[:12]) * 100 + int(rest.ljust(2, "0") or 0)
    if cents > MAX_CENTS or len(euros) > 12:
        raise PriceInvalid()
    return cents


def rate_of(text: str) -> int:
    """« 20 », « 5,5 », « 20 % » as basis points; raises `RateInvalid`."""
    try:
        rate = cents_of(text.replace("%", ""))
    except PriceInvalid:
        raise RateInvalid() from None
    if rate > 10_000:
        raise RateInvalid()
    return rate
