"""The months that a lieu without the software types in through its link, stored like signed returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from coworking.core.clock import now
from coworking.core.errors import N_, DomainError, Gone
from coworking.core.months import month_before, write_month
from coworking.core.units import write_unit
from coworking.core.version import VERSION
from coworking.network.head import enrolment, queries, receiving
from coworking.network.head.models import FIGURES, Enrolment, NetworkLieu
from coworking.network.head.overview import last_month
from coworking.network.head.six_figures_rules import figures_of
from coworking.statistics.return_rules import check_return
from coworking.statistics.schema import FINAL, RESTATEMENT, SCHEMA, canonical, digest

REACH = 12
"""Months that can be typed in or corrected: the last ones that are over."""
MOST_NAME = 200


class MonthStillRunning(DomainError):
    code = "month_not_over"
    message = N_("This month is not over yet: its figures can be given from the first day of the next.")
    field = "month"


class MonthTooOld(DomainError):
    code = "month_too_old"
    message = N_("This month is too long ago to be given here. Write to the person who gave you the link.")
    field = "month"


class CorrectionReasonMissing(DomainError):
    """The month is here with other figures, and nothing says why these differ."""

    code = "reason_missing"
    message = N_("Other figures of this month are already here. Say why these differ.")
    field = "reason"


@dataclass(frozen=True, slots=True)
class Sent:
    """One revision of a month, as its lieu sees it again."""

    month: date
    revision: int
    reason: str | None
    received_at: datetime
    figures: Mapping[str, Any]


def opened(token: str, address: str | None) -> tuple[Enrolment, NetworkLieu]:
    """The link of ``token`` and whose it is.

    Raises `Gone` for any other, which counts in the throttle of the internet ``address``, and `TooManyLinks`.
    """
    try:
        return enrolment.opened(token, FIGURES)
    except Gone:
        enrolment.refused(address)
        raise


def reach() -> list[date]:
    """The first days of the months that can be typed in, the latest first."""
    latest = last_month()
    return [month_before(latest, back) for back in range(REACH)]


def check_month(month: date) -> date:
    """``month`` when it can be typed in; raises `MonthStillRunning`, `MonthTooOld`."""
    months = reach()
    if month > months[0]:
        raise MonthStillRunning()
    if month < months[-1]:
        raise MonthTooOld()
    return month


def sent(lieu: NetworkLieu) -> list[Sent]:
    """What the lieu sent so far, the latest month and revision first."""
    return [
        Sent(row.month, row.revision, row.reason, row.received_at, figures)
        for row, figures in queries.revisions_whole(lieu.id)
    ]


def send(token: str, month: date, six: Mapping[str, int | None], reason: str | None = None) -> int:
    """Keep ``six`` (figures by name, None where unknown) as the next revision of ``month``; return its number.

    The same figures again are the same revision. Raises `Gone` where the link opens nothing (any more),
    `MonthStillRunning`, `MonthTooOld`, `CorrectionReasonMissing` where the month has other figures and there is no
    ``reason``, and `ReturnInvalid` for figures that cannot be true.
    """
    check_month(month)
    figures = figures_of(six)
    sha = digest(canonical(figures))
    with write_unit() as unit:
        _link, lieu = enrolment.opened_locked(token, FIGURES)
        here, _before = queries.held_and_before(lieu.id, month)
        highest = max(here, default=0)
        if highest and here[highest].digest == sha:
            return highest
        if highest and not reason:
            raise CorrectionReasonMissing()
        document = {
            "schema": SCHEMA,
            "lieu_id": lieu.lieu_uuid,
            "siret": lieu.siret,
            "name": _line(lieu.name),
            "code_insee": lieu.code_insee,
            "month": write_month(month),
            "status": RESTATEMENT if highest else FINAL,
            "revision": highest + 1,
            "reason": reason if highest else None,
            "generated_at": now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "software_version": VERSION,
            "figures_sha256": sha,
            "figures": figures,
        }
        zone = receiving.zone_of(lieu.postcode, lieu.code_insee)
        receiving.keep(lieu, receiving.Filed.of(check_return(document, at=now(), zone=zone)))
        unit.result = f"{lieu.public_id}:{document['month']}:{document['revision']}"
    return highest + 1


def _line(name: str) -> str:
    """A name of the directory as a return may hold it."""
    text = "".join(char if char.isprintable() else " " for char in name)
    return " ".join(text.split())[:MOST_NAME].strip()
