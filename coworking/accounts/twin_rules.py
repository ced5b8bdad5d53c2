"""Which records may be one person: what is proposed to a manager, who alone decides. No Flask, no database.

Two records are proposed where their addresses are one mailbox (case, accents and what stands behind a plus do not count),
where their telephone numbers are the same, or where their names are the same words in any order, without case and accents.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from coworking.core.errors import N_, DomainError
from coworking.core.folding import address_key, fold

EMAIL, PHONE, NAME = "email", "phone", "name"
"""Why two records may be one person, the surest first."""
FIELDS = ("name", "email", "phone", "postal", "status", "commune")
"""What of two records can be chosen; ``email`` takes along how one signs in."""
_MOST_OF_A_KIND = 20
"""More records than that with one telephone (a company's) or one name say nothing about each other."""
_LEAST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class TwinCandidate:
    """What of a record is compared."""

    id: int
    name: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class TwinPair:
    """Two ids, the lower first, and why they may be one person."""

    one: int
    other: int
    reasons: Sequence[str]


class AlreadyMerged(DomainError):
    code = "already_merged"
    status = 409
    message = N_("One of these records was merged in the meantime. Look at the list again.")


class RecordChanged(DomainError):
    code = "record_changed"
    status = 409
    message = N_("One of these records has changed since this page was shown. Look at both again.")


class CannotMerge(DomainError):
    """Something must be done first: ``first`` says what."""

    code = "cannot_merge"
    status = 409
    message = N_("Some things must be done first.")


def possible_twins(records: Iterable[TwinCandidate], apart: Collection[tuple[int, int]] = ()) -> list[TwinPair]:
    """The pairs that may be one person, the surest first; without those known to be ``apart``."""
    groups: Mapping[tuple[str, str], list[int]] = defaultdict(list)
    for record in records:
        for key in _keys(record):
            groups[key].append(record.id)
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for (reason, _value), ids in groups.items():
        if len(ids) <= _MOST_OF_A_KIND:
            for one, other in combinations(sorted(ids), 2):
                found[one, other].append(reason)
    order = (EMAIL, PHONE, NAME)
    pairs = [
        TwinPair(one, other, tuple(sorted(reasons, key=order.index)))
        for (one, other), reasons in found.items()
        if (one, other) not in apart
    ]
    return sorted(pairs, key=lambda pair: (order.index(pair.reasons[0]), -len(pair.reasons), pair.one, pair.other))


def _keys(record: TwinCandidate) -> Iterable[tuple[str, str]]:
    if record.email:
        yield EMAIL, address_key(record.email)
    if record.phone and len(number := national(record.phone)) >= _LEAST_DIGITS:
        yield PHONE, number
    words = sorted(re.findall(r"\w+", fold(record.name)))
    if len(words) > 1:  # a first name alone is many people's
        yield NAME, " ".join(words)


def national(phone: str) -> str:
    """The digits of a telephone number, alike for « +33 6 12 … », « 0033 6 12 … » and « 06 12 … »."""
    digits = re.sub(r"\D", "", phone)
    if digits.startswith("00"):
        digits = digits[2:]
    if digits.startswith("33") and len(digits) in (11, 12):
        digits = digits[2:].removeprefix("0")
        return f"0{digits}"
    return digits


def taken(name: str, *, kept: object, gone: object, chosen: Collection[str]) -> bool:
    """Whether the record that stays takes ``name`` from the one that goes: what it lacks, or what was ``chosen``."""
    return bool(gone) and gone != kept and (not kept or name in chosen)
