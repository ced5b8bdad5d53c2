"""Adding up the returns of several lieux, and which revisions are refused.

A network's rate is Σ numerators ÷ Σ denominators of the lieux that know both, never a mean of rates; people are never
added to distinct people. No Flask, no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from coworking.core.errors import N_, DomainError
from coworking.core.months import write_month
from coworking.network.exchange.rules import NetworkLoop
from coworking.statistics.pairs import RATES, Pair, Pooled, known_enough, pooled, rate
from coworking.statistics.schema import COUNTS, PROVISIONAL, RESTATEMENT, STATUSES

AGGREGATE_SCHEMA = "network-return/1"

PEOPLE = ("distinct_people", "distinct_people_ytd", "newcomers", "returning_people")
"""Figures that count persons: one person may come to several lieux, so their sum is no number of people."""
NOT_ADDED = frozenset({*PEOPLE, "peak_seats", "peak_seats_in_service", "days_over_80_percent"})
"""Figures whose sum over lieux means nothing: persons, and moments that were not the same moment."""
SUMS = tuple(name for name in COUNTS if name not in NOT_ADDED)
"""Figures that may be added over lieux."""
NETWORK_RATES = tuple(name for name in RATES if name != "peak")
"""Rates of `coworking.statistics.pairs.RATES` that several lieux have together."""


class CountedTwice(DomainError):
    """A lieu stands twice among those that are added up."""

    code = "counted_twice"
    status = 409
    message = N_("The same place cannot be counted twice.")


class RevisionConflict(DomainError):
    """Another document of this revision, or a later one, is already here; ``extra`` says which is the highest."""

    code = "revision_conflict"
    status = 409
    message = N_("Revision %(highest)s of this month is already here, with other figures: continue after it.")
    field = "return.revision"


class StatusImpossible(DomainError):
    """A month's life has one direction: provisional, final, then restatements."""

    code = "status_impossible"
    status = 422
    message = N_("This month is final here: what changes it is a restatement, with a reason.")
    field = "return.status"


@dataclass(frozen=True, slots=True)
class Reported:
    """What one lieu said of one month: the ``revision`` that counts, with the ``digest`` of its ``figures``."""

    lieu_id: str
    revision: int
    status: str
    digest: str
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a figure over the ``lieux`` that know it; ``value`` None where none does. ``left_out`` do not."""

    value: int | None
    lieux: int
    left_out: int


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """A month of several lieux. ``statuses``: how many returns are of which status.

    ``people`` adds each lieu's distinct people: people may count twice, and whoever shows it says so. ``rates`` are those
    of `NETWORK_RATES`.
    """

    lieux: int
    statuses: Mapping[str, int]
    rates: Mapping[str, Pooled]
    people: Total


def summary(rows: Iterable[Reported]) -> MonthSummary:
    """Add up the returns ``rows``, one per lieu; raises `CountedTwice`."""
    kept = list(rows)
    _check_members(kept)
    figures = [row.figures for row in kept]
    return MonthSummary(
        lieux=len(kept),
        statuses={status: sum(row.status == status for row in kept) for status in STATUSES},
        rates={name: pooled(pair(one, name) for one in figures) for name in NETWORK_RATES},
        people=_total(figures, "distinct_people"),
    )


def totals(rows: Sequence[Reported]) -> dict[str, Total]:
    """The sums of `SUMS` over ``rows``, which hold all figures."""
    figures = [row.figures for row in rows]
    return {name: _total(figures, name) for name in SUMS}


def pair(figures: Mapping[str, Any], name: str) -> Pair | None:
    """One lieu's part in the rate ``name``; None where it must be left out, numerator *and* denominator.

    That is where either number is unknown, and for attendance and no-shows where the outcome of fewer than 80 % of what
    was booked is.
    """
    if name in {"desk_attended", "desk_no_show"}:
        known, booked = figures["desk_known_halfdays"], figures["desk_booked_halfdays"]
        if known is not None and booked is not None and not known_enough(known, booked):
            return None
    return rate(figures, name)


def aggregate(
    returns: Sequence[Reported], *, head_id: str, month: date, set_aside: Sequence[tuple[Reported, str]] = ()
) -> dict[str, Any]:
    """The ``network-return/1`` of the head ``head_id``: who is in it by id, revision and digest, and what adds up.

    ``set_aside``: the returns that were left out whole, each with the reason.
    People are null with their reason, because nobody can tell who came to two lieux. Raises `NetworkLoop` where the head
    itself is among the members and `CountedTwice` where a member is there twice.
    """
    if any(row.lieu_id == head_id for row in returns):
        raise NetworkLoop()
    found = summary(returns)
    return {
        "schema": AGGREGATE_SCHEMA,
        "head_id": head_id,
        "month": write_month(month),
        "members": [
            {"lieu_id": row.lieu_id, "revision": row.revision, "digest": row.digest}
            for row in sorted(returns, key=lambda row: row.lieu_id)
        ],
        "set_aside": [
            {"lieu_id": row.lieu_id, "revision": row.revision, "digest": row.digest, "reason": reason}
            for row, reason in sorted(set_aside, key=lambda one: one[0].lieu_id)
        ],
        "sums": {
            name: {"value": total.value, "lieux": total.lieux, "left_out": total.left_out}
            for name, total in totals(returns).items()
        },
        "rates": {
            name: {
                "numerator": one.pair.numerator,
                "denominator": one.pair.denominator,
                "lieux": one.lieux,
                "left_out": one.left_out,
            }
            for name, one in found.rates.items()
        },
        **dict.fromkeys(PEOPLE),
        "null_reasons": dict.fromkeys(PEOPLE, "not_added_over_lieux"),
    }


@dataclass(frozen=True, slots=True)
class Held:
    """A revision as it is kept: its ``status`` and the ``digest`` of its figures."""

    status: str
    digest: str


def is_repeated(revision: int, offered: Held, *, here: Mapping[int, Held]) -> bool:
    """Whether ``revision`` is the highest of those ``here`` and says the same; False: it comes after all of them.

    Raises `RevisionConflict` where it says something else, and where it is below the highest, even when it was received
    then: whoever sends it again does not know what came later (a restored backup) and must not believe that it counts.
    Raises `StatusImpossible` where it is no restatement though the month is final already.
    """
    highest = max(here, default=0)
    if revision > highest:
        if offered.status != RESTATEMENT and any(one.status != PROVISIONAL for one in here.values()):
            raise StatusImpossible()
        return False
    if revision == highest and here[highest] == offered:
        return True
    raise RevisionConflict(highest=highest, extra={"highest": highest, "digest": here[highest].digest})


def _check_members(rows: Sequence[Reported]) -> None:
    if len({row.lieu_id for row in rows}) != len(rows):
        raise CountedTwice()


def _total(figures: Sequence[Mapping[str, Any]], name: str) -> Total:
    known = [one[name] for one in figures if one[name] is not None]
    return Total(sum(known) if known else None, len(known), len(figures) - len(known))
