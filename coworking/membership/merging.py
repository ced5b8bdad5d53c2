"""What was bought stays with the record that it was bought for: none of it may be left when it goes into another one."""

from __future__ import annotations

from collections.abc import Iterator

from coworking.core import merging
from coworking.core.erasing import Hindrance
from coworking.core.formats import day_year
from coworking.core.i18n import _
from coworking.membership import queries
from coworking.pricing.group_queries import belongings_of
from coworking.spaces import queries as spaces


@merging.hindered_by
def _has_bought(gone_id: int, kept_id: int) -> Iterator[Hindrance]:
    today = spaces.today()
    for standing in queries.packs_of(gone_id, today):
        if not standing.is_over(today):
            until = day_year(standing.pack.valid_until)
            yield Hindrance(
                _("%(name)s, until %(day)s: use it up, or give it back.", name=standing.pack.name, day=until)
            )
    last, other = queries.last_adhesion_day(gone_id), queries.last_adhesion_day(kept_id)
    if last is not None and last >= today and (other is None or other < last):
        yield Hindrance(
            _("Its annual membership lasts until %(day)s: let this record stay, or wait.", day=day_year(last))
        )
    here = {one.group_id for one in belongings_of(kept_id) if one.last_day >= today}
    for one in belongings_of(gone_id):
        if one.last_day >= today and not one.never_counted and one.group_id not in here:
            yield Hindrance(
                _(
                    "It has the reduced price “%(group)s”: give it to the record that stays, and end this one.",
                    group=one.group.name,
                )
            )
