"""Which entries of the directory may be one place: what is proposed to the lead, who alone decides. No Flask, no database.

Two entries in one town are proposed where

- their names are the same without case, accents, signs, articles, the name of the town, and words that any such place may
  bear (coworking, fablab…);
- these names differ in one letter, and no digit differs (« Espace 1 » and « Espace 2 » are two places);
- they stand at the same number of the same street, and one name holds every word of the other.

Chains have many places of one name in a large town, so that there the town is the arrondissement; at one address it is not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from coworking.core.folding import fold

_WORD = re.compile(r"[a-z0-9]+")
# fmt: off
_ARTICLES = frozenset(
    {
        "le", "la", "les", "l", "un", "une", "des", "du", "de", "d", "au", "aux", "et", "a", "en", "the",
        "of", "by", "and", "chez"
    }
)
_USUAL = frozenset(
    {
        "coworking", "cowork", "co", "working", "espace", "espaces", "tiers", "lieu", "lieux", "tierslieu",
        "tierslieux", "fablab", "fablabs", "fab", "lab", "centre", "center", "association", "asso", "bureau",
        "bureaux", "teletravail", "telecentre"
    }
)
# fmt: on
_LEAST_LETTERS = 5
"""Shorter names differ in one letter by chance."""
_CITIES = re.compile(r"(75)1\d\d|(6938)\d|(132)\d\d")
"""INSEE codes of the arrondissements of Paris, Lyon and Marseille."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What of an entry is compared."""

    id: int
    name: str
    address: str | None
    postcode: str | None
    city: str | None
    code_insee: str | None


def proposals(entries: Iterable[Listed], apart: Collection[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """Pairs of ids, the lower first, that may be one place; without those known to be ``apart``."""
    rows = {entry.id: entry for entry in entries}
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for entry in rows.values():
        for key in _keys(entry):
            groups[key].append(entry.id)
    pairs = {
        (min(pair), max(pair))
        for (kind, _shared), ids in groups.items()
        for pair in combinations(ids, 2)
        if _alike(kind, rows[pair[0]], rows[pair[1]])
    }
    return sorted(pairs - set(apart))


def _keys(entry: Listed) -> Iterator[tuple[str, str]]:
    """What two entries that may be one have in common: only those are compared, however many there are."""
    yield "letters", "".join(_words(entry.name))
    core = "".join(_core(entry))
    if core:
        yield "core", core
    if len(core) >= _LEAST_LETTERS:
        yield from {("slip", core), *(("slip", core[:at] + core[at + 1 :]) for at in range(len(core)))}
    street = _street(entry)
    if street is not None:
        yield "street", street


def _alike(kind: str, one: Listed, other: Listed) -> bool:
    if kind == "street":
        words = set(_core(one)), set(_core(other))
        return all(words) and (words[0] <= words[1] or words[1] <= words[0]) and _one_town(one, other, wide=True)
    if not _one_town(one, other):
        return False
    return kind != "slip" or _one_letter("".join(_core(one)), "".join(_core(other)))


def _one_letter(one: str, other: str) -> bool:
    """Whether both become the same by changing, adding or leaving out one letter, which is no digit."""
    if [char for char in one if char.isdigit()] != [char for char in other if char.isdigit()]:
        return False
    short, long = sorted((one, other), key=len)
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


def _one_town(one: Listed, other: Listed, *, wide: bool = False) -> bool:
    if one.code_insee and other.code_insee:
        return _commune(one.code_insee, wide) == _commune(other.code_insee, wide)
    if one.postcode and one.postcode == other.postcode:
        return True
    town = "".join(_words(one.city or ""))
    departments = {entry.code_insee or entry.postcode or "" for entry in (one, other)} - {""}
    return bool(town) and town == "".join(_words(other.city or "")) and len({code[:2] for code in departments}) == 1


def _commune(code: str, wide: bool) -> str:
    city = _CITIES.fullmatch(code) if wide else None
    return next(filter(None, city.groups())) if city else code


def _street(entry: Listed) -> str | None:
    words = [word for word in _words(entry.address or "") if word not in _ARTICLES]
    return " ".join(words) if len(words) > 2 and words[0][0].isdigit() else None


def _core(entry: Listed) -> list[str]:
    town = set(_words(entry.city or ""))
    return [word for word in _words(entry.name) if word not in _ARTICLES and word not in _USUAL and word not in town]


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
