"""A place that somebody has, or will have, stands in the way of erasing their account: it is invoiced."""

from __future__ import annotations

from collections.abc import Iterator

from coworking.core import erasing
from coworking.core.erasing import Hindrance
from coworking.core.formats import day_year
from coworking.core.i18n import _
from coworking.residents import queries
from coworking.spaces import queries as spaces


@erasing.hindered_by
def _has_a_place(person_id: int) -> Iterator[Hindrance]:
    for row in queries.of_person(person_id, spaces.today()):
        if row.last_day is None:
            yield Hindrance(
                _("A desk or an office is assigned to this account: ask the team to end that."), "residents.mine"
            )
        else:
            yield Hindrance(
                _(
                    "A desk or an office is assigned to this account until %(day)s: erase it after that.",
                    day=day_year(row.last_day),
                ),
                "residents.mine",
            )
