"""What the register of processing and the public page about data show, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from coworking.core import legal, processing, retention
from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _
from coworking.core.processing import WHO, Activity
from coworking.frontdesk.keeping_pages import how_long


@dataclass(frozen=True, slots=True)
class ProcessingLine:
    """One activity, every word of it in the reader's language; ``times``: [(what, how long)]."""

    key: str
    title: str
    purpose: str
    bases: list[str]
    what: list[str]
    inside: list[str]
    outside: list[str]
    times: list[tuple[str, str]]
    stays: str


def lines() -> list[ProcessingLine]:
    """Every activity, made anew from what the packages declare."""
    chosen, host = retention.chosen(), legal.legal_settings().host_name
    return [_line(one, chosen, host) for one in processing.declared()]


def _line(one: Activity, chosen: dict[str, int], host: str | None) -> ProcessingLine:
    server = _("the host of the server: %(name)s", name=host) if host else _("the host of the server")
    return ProcessingLine(
        one.key,
        _(one.title),
        _(one.purpose),
        [_(basis) for basis in one.bases],
        [_(held.title) for held in one.holds()],
        [_(WHO[who]) for who in one.seen_by()],
        [server, *(_(who) for who in one.outside)],
        [
            (_(kept.title), how_long(retention.days_of(chosen, kept), may_stay=bool(kept.choices)))
            for kept in one.keeps()
        ],
        _(one.stays),
    )


REGISTER: list[Column[ProcessingLine]] = [
    Column(N_("Activity"), lambda row: row.title),
    Column(N_("Purpose"), lambda row: row.purpose),
    Column(N_("Legal basis"), lambda row: "; ".join(row.bases)),
    Column(N_("Whose data"), lambda row: _("members, people who come, and who pays for them")),
    Column(N_("Which data"), lambda row: "; ".join(row.what)),
    Column(N_("Who sees them at the lieu"), lambda row: "; ".join(row.inside)),
    Column(N_("Who receives them outside"), lambda row: "; ".join(row.outside)),
    Column(N_("Sent outside the European Union"), lambda row: _("not by this software")),
    Column(N_("How long"), lambda row: "; ".join([*(" – ".join(time) for time in row.times), row.stays])),
    Column(N_("How they are protected"), lambda row: _("roles, signing in, encrypted connections, log, backups")),
]
"""The register as a file (`core.exports`): what article 30 of the RGPD asks for."""
