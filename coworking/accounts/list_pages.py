"""The lists of people and of security events, as files."""

from __future__ import annotations

from collections.abc import Mapping

from coworking.accounts.labels import STATUS_WORDS
from coworking.accounts.queries import PersonLine
from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _
from coworking.core.security import SecurityEvent

_NAMES: list[Column[PersonLine]] = [
    Column(N_("First name"), lambda row: row.first_name),
    Column(N_("Last name"), lambda row: row.last_name),
    Column(N_("E-mail"), lambda row: row.email),
    Column(N_("Phone"), lambda row: row.phone),
    Column(N_("Status"), lambda row: _(STATUS_WORDS[row.status]) if row.status else ""),
    Column(N_("Town where they live"), lambda row: row.commune),
]
_POSTAL: list[Column[PersonLine]] = [
    Column(N_("Address"), lambda row: row.address),
    Column(N_("Postcode"), lambda row: row.postcode),
    Column(N_("Town"), lambda row: row.city),
]
_SINCE: list[Column[PersonLine]] = [
    Column(N_("Known since"), lambda row: row.created_at),
    Column(N_("Account closed on"), lambda row: row.deactivated_at),
    Column(N_("General terms accepted on"), lambda row: row.terms_on),
    Column(N_("House rules accepted on"), lambda row: row.rules_on),
]


def people_columns(*, is_manager: bool) -> list[Column[PersonLine]]:
    """What a file of people holds; postal addresses are for managers, as on a person's page."""
    return [*_NAMES, *(_POSTAL if is_manager else ()), *_SINCE]


def event_columns(kinds: Mapping[str, str], names: Mapping[int, str]) -> list[Column[SecurityEvent]]:
    """What a file of the security log holds; ``kinds`` words each kind, ``names`` names people by id."""

    def named(person_id: int | None) -> str:
        return "" if person_id is None else names.get(person_id) or _("Unknown person")

    return [
        Column(N_("Time"), lambda row: row.occurred_at),
        Column(N_("What"), lambda row: _(kinds[row.kind]) if row.kind in kinds else row.kind),
        Column(N_("Person"), lambda row: named(row.person_id)),
        Column(N_("Done by"), lambda row: named(row.actor_id)),
        Column(N_("Internet address"), lambda row: row.address),
    ]
