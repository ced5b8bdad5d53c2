"""A line about an organisation: what it says, which one it may be already, and what becomes of it. No database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coworking.accounts.rules import address_line_of
from coworking.core.errors import N_, DomainError
from coworking.core.folding import listed_by
from coworking.core.reading import email_of, maybe, postcode_of, siren_of, siret_of, vat_number_of, words_of
from coworking.imports.person_rules import DoubtDecision, LineTwice, LineUnreadable, Verdict, lenient, with_zero
from coworking.imports.table_rules import TableLine

FILLED = ("name", "siren", "siret", "vat_number", "email", "address", "postcode", "city", "service_code")
"""The columns of an organisation that a line may fill."""
MAX_NAME = 120


class OrganisationNameNeeded(DomainError):
    code = "organisation_name_needed"
    message = N_("There is no name of an organisation on this line.")


class SameCompany(DomainError):
    code = "same_company"
    message = N_("%(known)s has the same SIREN. Say whether it is the same organisation.")


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """What a line says of an organisation; ``remark``: a cell that was left out."""

    line: int
    name: str
    siren: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    email: str | None = None
    address: str | None = None
    postcode: str | None = None
    city: str | None = None
    service_code: str | None = None
    remark: DomainError | None = None


@dataclass(frozen=True, slots=True)
class KnownOrganisation:
    """An organisation that is here already."""

    public_id: str
    name: str
    siren: str | None
    siret: str | None
    vat_number: str | None
    email: str | None
    address: str | None
    postcode: str | None
    city: str | None
    service_code: str | None


def organisation_of(line: TableLine, fields: Mapping[str, str]) -> OrganisationEntry:
    """What a line says; raises the `DomainError` that its reader should put right."""
    if line.cells is None:
        raise LineUnreadable()
    name = words_of(fields.get("name", ""), most=MAX_NAME)
    if not name:
        raise OrganisationNameNeeded()
    siret = maybe(siret_of, with_zero(fields.get("siret", ""), 13))
    siren = maybe(siren_of, with_zero(fields.get("siren", ""), 8)) or (siret[:9] if siret else None)
    postcode, remark = lenient(postcode_of, with_zero(fields.get("postcode", ""), 4))
    return OrganisationEntry(
        line=line.number,
        name=name,
        siren=siren,
        siret=siret,
        vat_number=maybe(vat_number_of, fields.get("vat_number", "")),
        email=maybe(email_of, fields.get("email", "")),
        address=address_line_of(fields.get("address", "")),
        postcode=postcode,
        city=address_line_of(fields.get("city", "")),
        service_code=words_of(fields.get("service_code", ""), most=100) or None,
        remark=remark,
    )


def organisations_twice(entries: Sequence[tuple[int, str, str]]) -> dict[int, tuple[int, bool]]:
    """By line the earlier one with the same name or SIRET, which is certain. ``entries``: (line, name as `listed_by` has it,
    SIRET)."""
    first: dict[str, int] = {}
    found: dict[int, tuple[int, bool]] = {}
    for line, *keys in entries:
        earlier = next((first[key] for key in keys if key and key in first), None)
        if earlier is not None:
            found[line] = (earlier, True)
        for key in keys:
            first.setdefault(key, line)
    return found


def judge_organisation(
    entry: OrganisationEntry,
    *,
    twice: int | None,
    known: Sequence[KnownOrganisation],
    decision: DoubtDecision,
    replaces: bool,
) -> Verdict:
    """What becomes of a line, where ``known`` share its name, SIRET or SIREN."""
    if twice is not None:
        return Verdict("left_out", why=LineTwice(line=twice))
    key = listed_by(entry.name)
    same = next((one for one in known if entry.siret and one.siret == entry.siret), None)
    same = same or next((one for one in known if listed_by(one.name) == key), None)
    if same is None and entry.siren:
        other = next((one for one in known if one.siren == entry.siren and not (one.siret and entry.siret)), None)
        if other is not None and decision == "skip":
            return Verdict("left_out", other, why=SameCompany(known=other.name), is_doubt=True)
        same = other if decision == "same" else None
    if same is None:
        return Verdict("added", why=entry.remark)
    changes: list[str] = []
    for name in FILLED:
        new, old = getattr(entry, name), getattr(same, name)
        if new and new != old and (not old or (replaces and name != "name")):
            changes.append(name)
    return Verdict("changed" if changes else "same", same, tuple(changes), entry.remark)
