"""Reduced prices: what a group of people gets, and which reduction costs a person least. Plain decisions.

A group gets a percentage off, or a price of its own. Only one reduction counts at a time, and nobody ever pays more than
everyone does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from coworking.core.errors import N_, DomainError
from coworking.core.money import Cents, divide_half_up
from coworking.pricing.rules import PriceInvalid, Prices, RateInvalid, cents_of, rate_of

ANY = 0
"""In place of the id of one plan or pack: every one of them."""

REDUCED_KINDS = ("desk", "room", "office", "adhesion", "plan", "pack")
"""What a group can pay less for."""

MAX_NAME = 40
MAX_PROOF = 120

STARTERS = (
    N_("jobseeker"),
    N_("student"),
    N_("on minimum benefits"),
    N_("member of the association"),
    N_("resident of the town"),
    N_("non-profit"),
)
"""Names that are offered as a start; the manager decides."""


class GroupPricesInPast(DomainError):
    code = "group_prices_in_past"
    message = N_("Reduced prices that have applied stay as they were. Choose today or a later day.")
    field = "valid_from"


class GroupNameInvalid(DomainError):
    code = "group_name_invalid"
    message = N_("Write who pays less, in %(most)s characters at most.")
    field = "name"


class GroupNameTaken(DomainError):
    code = "group_name_taken"
    status = 409
    message = N_("There is a group of this name already.")
    field = "name"


class ReductionInvalid(DomainError):
    code = "reduction_invalid"
    message = N_("Write a percentage off, like 50 %, or the price itself, like 4.50.")


class PercentageOnly(DomainError):
    """One price for every plan, or every pack, would say nothing: they differ in what they hold."""

    code = "percentage_only"
    message = N_("Write a percentage off, like 50 %: a price of its own belongs to one plan or pack.")


class ReductionDearer(DomainError):
    """Nobody would pay it: the full price is lower."""

    code = "reduction_dearer"
    message = N_("Everyone else pays %(full)s. A reduced price is not higher.")


class GroupClosed(DomainError):
    code = "group_closed"
    status = 409
    message = N_("This reduced price is no longer given.")
    field = "group"


class GivenInPast(DomainError):
    code = "given_in_past"
    message = N_("A reduced price begins today or later.")
    field = "valid_from"


class ProofNotSeen(DomainError):
    code = "proof_not_seen"
    message = N_("Say on which day the proof was seen: today or before.")
    field = "seen_on"


class GivenAlready(DomainError):
    code = "given_already"
    status = 409
    message = N_("The person has this reduced price until %(last)s already. Let the next one begin after that.")
    field = "valid_from"


@dataclass(frozen=True, slots=True)
class Reduction:
    """What a group gets of one thing: ``percent_bp`` off (50 % = 5000), or ``cents``, a price of its own."""

    percent_bp: int | None = None
    cents: int | None = None

    def of(self, full_cents: int) -> int:
        """The price in cents instead of ``full_cents``, rounded once, half up."""
        if self.cents is not None:
            return self.cents
        return divide_half_up(full_cents * (10_000 - (self.percent_bp or 0)), 10_000)


@dataclass(frozen=True, slots=True)
class GroupPrices:
    """What a group gets on a day: reductions by kind and the id of a plan or pack (`ANY`: every one of its kind)."""

    group_id: int
    name: str
    reductions: Mapping[tuple[str, int], Reduction]

    def of(self, kind: str, of_id: int = ANY) -> Reduction | None:
        """Its reduction on one thing: what is said of just that, else of its kind."""
        return self.reductions.get((kind, of_id), self.reductions.get((kind, ANY)))


@dataclass(frozen=True, slots=True)
class PriceFor:
    """What one person pays, in ``cents`` instead of ``full_cents``; by the reduction of which group (its id and name)."""

    cents: int
    full_cents: int
    group_id: int | None = None
    group: str | None = None


def least(full_cents: int, reduced: Iterable[tuple[GroupPrices, Reduction | None]]) -> PriceFor:
    """The price that costs the person least; the full one where no reduction is lower."""
    best = PriceFor(full_cents, full_cents)
    for group, reduction in reduced:
        if reduction is not None and (cents := reduction.of(full_cents)) < best.cents:
            best = PriceFor(cents, full_cents, group.group_id, group.name)
    return best


def price_for(groups: Iterable[GroupPrices], kind: str, full_cents: int, of_id: int = ANY) -> PriceFor:
    """What an adhesion, a plan or a pack costs who belongs to ``groups``."""
    return least(full_cents, ((group, group.of(kind, of_id)) for group in groups))


def unit_price_for(groups: Iterable[GroupPrices], prices: Prices, kind: str, resource_id: int) -> PriceFor:
    """What a half-day or an hour of a place costs who belongs to ``groups``.

    A percentage comes off every place; a price of its own stands in place of the kind's, so that a place with a price of
    its own keeps that.
    """
    has_its_own = resource_id in prices.by_resource
    reduced = ((group, group.of(kind)) for group in groups)
    kept = ((group, one) for group, one in reduced if one is not None and not (has_its_own and one.cents is not None))
    return least(prices.price_of(kind, resource_id), kept)


def day_price_for(groups: Iterable[GroupPrices], prices: Prices, kind: str, resource_id: int) -> int | None:
    """What both half-days of a day come to for who belongs to ``groups``; None where there is no day rate.

    A percentage comes off it too; a price of its own is one of a half-day and says nothing of a day.
    """
    full_cents = prices.day_price_of(kind, resource_id)
    if full_cents is None:
        return None
    reduced = ((group, group.of(kind)) for group in groups)
    return least(full_cents, ((group, one) for group, one in reduced if one is not None and one.cents is None)).cents


def reduction_of(text: str, *, only_percentage: bool = False) -> Reduction:
    """« 50 % » as a percentage off, « 4,50 » as a price; raises `ReductionInvalid`, `PercentageOnly`."""
    try:
        plain = text.strip()
        if plain.endswith("%"):
            rate = rate_of(plain[:-1])
            if rate == 0:
                raise ReductionInvalid()
            return Reduction(percent_bp=rate)
        price = Reduction(cents=cents_of(plain))
    except (PriceInvalid, RateInvalid):
        raise ReductionInvalid() from None
    if only_percentage:
        raise PercentageOnly()
    return price


def check_reduced(reduction: Reduction, full_cents: int | None) -> None:
    """Raise `ReductionDearer` where it is a price above ``full_cents``, which everyone pays (None: that differs)."""
    if reduction.cents is not None and full_cents is not None and reduction.cents > full_cents:
        raise ReductionDearer(full=Cents(full_cents))


def group_name_of(text: str) -> str:
    """``text`` trimmed; raises `GroupNameInvalid`."""
    name = " ".join(text.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise GroupNameInvalid(most=MAX_NAME)
    return name


def check_given(valid_from: date, seen_on: date, today: date) -> None:
    """Raise `GivenInPast` or `ProofNotSeen` unless one may begin on ``valid_from``, by a proof seen on ``seen_on``."""
    if valid_from < today:
        raise GivenInPast()
    if seen_on > today:
        raise ProofNotSeen()
