"""A line about what is left of a pack that was bought elsewhere: what it says, and what becomes of it. No database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.errors import N_, DomainError
from coworking.core.folding import listed_by
from coworking.core.reading import maybe, words_of
from coworking.imports.day_rules import day_in
from coworking.imports.person_rules import KnownPerson, Verdict
from coworking.imports.table_rules import TableLine
from coworking.imports.who_rules import WhoMeant, the_one, who_of

MAX_PACK = 120

_HOURS = re.compile(r"(\d{1,4})\s*(?:h|:)\s*(\d{1,2})?")
_MINUTES = re.compile(r"(\d{1,5})\s*(?:min|mn|minutes?)")
_NUMBER = re.compile(r"(\d{1,4})(?:[.,](\d{1,2}))?")


class NoSuchPack(DomainError):
    code = "no_such_pack"
    message = N_(
        "There is no pack called “%(said)s” that can be bought. Offer it first, or write it as it is called here."
    )


class LeftUnknown(DomainError):
    code = "left_unknown"
    message = N_("“%(said)s” is no number of half-days or of hours: write 4, or for hours 3 h 30.")


class MoreThanPack(DomainError):
    code = "more_than_pack"
    message = N_("This is more than “%(name)s” holds. Look whether it is another pack.")


class PackIsOver(DomainError):
    code = "pack_is_over"
    message = N_("This pack is over: what was left of it ended on the day that the line says.")


class NothingLeft(DomainError):
    """Nothing is to be done."""

    code = "nothing_left"
    message = N_("Nothing is left of it.")


@dataclass(frozen=True, slots=True)
class BalanceEntry:
    """What a line says: who, which pack, what is ``left`` of it as written, and until when (None: as long as such a pack
    lasts from today)."""

    line: int
    who: WhoMeant
    pack: str
    left: str
    until: date | None

    @property
    def name(self) -> str:
        return self.who.said


@dataclass(frozen=True, slots=True)
class PackOffered:
    """A pack that can be bought: half-days, or minutes where its ``unit`` is ``hour``."""

    public_id: str
    name: str
    unit: str
    units: int


@dataclass(frozen=True, slots=True)
class MovedPack:
    """A pack that somebody has and paid nothing for here: it came with an import. ``offer`` is a public id."""

    offer: str
    valid_until: date


def balance_of(line: TableLine, fields: Mapping[str, str]) -> BalanceEntry:
    """What a line says; raises the `DomainError` that its reader should put right."""
    who = who_of(line, fields)
    pack = words_of(fields.get("pack", ""), most=MAX_PACK)
    if not pack:
        raise NoSuchPack(said="")
    left = words_of(fields.get("left", ""), most=40)
    return BalanceEntry(line.number, who, pack, left, maybe(day_in, fields.get("until", "")))


def units_left(text: str, unit: str) -> int:
    """« 4 » half-days; « 3 h 30 », « 3,5 », « 3 » hours or « 210 min », as minutes; raises `LeftUnknown`."""
    plain = text.strip().lower()
    number = _NUMBER.fullmatch(plain)
    if unit == "half_day":
        if number is None or int((number[2] or "0").ljust(2, "0")):
            raise LeftUnknown(said=text)
        return int(number[1])
    if number is not None:
        return int(number[1]) * 60 + (int((number[2] or "0").ljust(2, "0")) * 60 + 50) // 100
    if minutes := _MINUTES.fullmatch(plain):
        return int(minutes[1])
    hours = _HOURS.fullmatch(plain)
    if hours is None or int(hours[2] or 0) > 59:
        raise LeftUnknown(said=text)
    return int(hours[1]) * 60 + int(hours[2] or 0)


def judge_balance(
    entry: BalanceEntry,
    *,
    people: Sequence[KnownPerson],
    offers: Mapping[str, PackOffered],
    moved: Sequence[MovedPack],
    today: date,
) -> Verdict:
    """What becomes of a line: ``people`` whom it may mean, ``offers`` by name as `listed_by` has it, packs that ``moved`` in
    with an earlier line or file."""
    try:
        person = the_one(entry.who, people)
    except DomainError as nobody:
        return Verdict("left_out", why=nobody)
    offer = offers.get(listed_by(entry.pack))
    if offer is None:
        return Verdict("left_out", person, why=NoSuchPack(said=entry.pack))
    try:
        left = units_left(entry.left, offer.unit)
    except LeftUnknown as unknown:
        return Verdict("left_out", person, why=unknown)
    if left > offer.units:
        return Verdict("left_out", person, why=MoreThanPack(name=offer.name))
    if any(one.offer == offer.public_id and entry.until in (None, one.valid_until) for one in moved):
        return Verdict("same", person)
    if entry.until is not None and entry.until < today:
        return Verdict("left_out", person, why=PackIsOver())
    if left == 0:
        return Verdict("same", person, why=NothingLeft())
    return Verdict("added", person)
