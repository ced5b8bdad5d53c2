"""Reading reduced prices as managers type them, and who gets one as the team does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.formats import decimal
from coworking.core.forms import Form
from coworking.pricing.group_models import GroupTariff
from coworking.pricing.group_rules import ANY, MAX_PROOF, Reduction, check_reduced, reduction_of


@dataclass(frozen=True, slots=True)
class ReducedField:
    """One input: what it reduces (``kind``, and one plan or pack), its label, and what everyone pays, in words."""

    kind: str
    of_id: int
    label: str
    full: str | None = None
    only_percentage: bool = False

    @property
    def name(self) -> str:
        return self.kind if self.of_id == ANY else f"{self.kind}-{self.of_id}"


def read_reductions(
    form: Form, inputs: Sequence[ReducedField], full: Mapping[tuple[str, int], int]
) -> dict[tuple[str, int], Reduction]:
    """What is typed in ``inputs``; what is left empty costs the price in ``full``, which no reduction exceeds."""
    found: dict[tuple[str, int], Reduction] = {}
    for one in inputs:
        full_cents = full.get((one.kind, one.of_id))
        reduction = form.maybe(one.name, _lower, full_cents, only_percentage=one.only_percentage)
        if reduction is not None:
            found[one.kind, one.of_id] = reduction
    return found


def _lower(text: str, full_cents: int | None, *, only_percentage: bool) -> Reduction:
    reduction = reduction_of(text, only_percentage=only_percentage)
    check_reduced(reduction, full_cents)
    return reduction


def reduction_fields(tariff: GroupTariff | None, inputs: Sequence[ReducedField]) -> dict[str, str]:
    """The inputs, filled with what the group gets now."""
    given = {(price.kind, price.of_id): price for price in tariff.prices} if tariff is not None else {}
    return {
        one.name: f"{decimal(price.percent_bp)} %" if price.percent_bp is not None else decimal(price.cents or 0)
        for one in inputs
        if (price := given.get((one.kind, one.of_id))) is not None
    }


@dataclass(frozen=True, slots=True)
class GivenForm:
    """Which group somebody gets, from when until when, and the proof that was seen."""

    group: str
    valid_from: date
    valid_until: date
    proof: str
    seen_on: date


def read_given(form: Form, groups: Mapping[str, str]) -> GivenForm:
    """``groups``: names by public id."""
    return GivenForm(
        group=form.choice("group", tuple(groups) or ("",)),
        valid_from=form.day("valid_from"),
        valid_until=form.day("valid_until"),
        proof=form.text("proof", most=MAX_PROOF),
        seen_on=form.day("seen_on"),
    )
