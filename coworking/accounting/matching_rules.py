"""Which invoices a bank line probably pays, and why. Pure: nothing is decided here, a person confirms.

Numbers, amounts and names are looked up in indexes made once, so that a line costs the same among 5 or 5,000 invoices.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Literal

from coworking.core.errors import N_
from coworking.core.folding import fold

PayerIds = tuple[int | None, int | None]
Sureness = Literal["certain", "likely", "possible"]

MOST_PROPOSALS = 3

NUMBER_AND_AMOUNT = N_("The invoice's number is in the text, and the amount is the same.")
NUMBERS_AND_AMOUNT = N_("The invoices' numbers are in the text, and together they come to this amount.")
NUMBER_AND_LESS = N_("The invoice's number is in the text. The amount is less than is owed: a part payment.")
NUMBER_AND_MORE = N_("The invoice's number is in the text. The amount is more than is owed.")
NUMBER_AND_OTHERS = N_(
    "An invoice's number is in the text, and with the payer's other invoices it comes to this amount."
)
PAYER_AND_AMOUNT = N_("The payer's name is the same, and so is the amount.")
PAYER_AND_ALL = N_("The payer's name is the same, and all that they owe comes to this amount.")
ACCOUNT_AND_AMOUNT = N_("This bank account has paid for them before, and the amount is the same.")
ACCOUNT_AND_ALL = N_("This bank account has paid for them before, and all that they owe comes to this amount.")
AMOUNT_ALONE = N_("The amount is the same. Nothing in the text says more.")
AMOUNT_OF_SEVERAL = N_("The amount is the same as that of other invoices too.")
PAYER_ALONE = N_("The payer's name is the same, the amount is another: the oldest invoices first.")
ACCOUNT_ALONE = N_("This bank account has paid for them before, the amount is another: the oldest invoices first.")


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice on which something is owed."""

    id: int
    public_id: str
    number: str
    payer: PayerIds
    payer_name: str
    open_cents: int
    issued_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class MoneyIn:
    """What a line still has to give, and what it says of its sender."""

    id: int
    booked_on: date
    cents: int
    words: str
    name: str | None
    iban: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a line would pay an invoice."""

    invoice: OpenInvoice
    cents: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a line may pay. ``rest_cents`` would become the payer's credit. ``why`` in plain words, to be translated."""

    shares: tuple[Share, ...]
    rest_cents: int
    sureness: Sureness
    why: str

    @property
    def payer(self) -> PayerIds:
        return self.shares[0].invoice.payer

    @property
    def payer_name(self) -> str:
        return self.shares[0].invoice.payer_name


@dataclass(slots=True)
class _Index:
    """The open invoices as they are looked for. ``left``: what is owed once the lines before are confirmed."""

    by_number: dict[tuple[int, int], OpenInvoice] = field(default_factory=dict[tuple[int, int], OpenInvoice])
    by_amount: dict[int, list[OpenInvoice]] = field(default_factory=lambda: defaultdict(list))
    by_payer: dict[PayerIds, list[OpenInvoice]] = field(default_factory=lambda: defaultdict(list))
    payers_by_word: dict[str, list[PayerIds]] = field(default_factory=lambda: defaultdict(list))  # by their rarest word
    names: dict[PayerIds, frozenset[str]] = field(default_factory=dict[PayerIds, frozenset[str]])
    left: dict[int, int] = field(default_factory=dict[int, int])


# Numbers --------------------------------------------------------------------------------------------------------------

_SERIES = re.compile(r"\AF(\d{4})-(\d+)\Z")
_WHOLE = re.compile(r"(?<![A-Z])F\s*(20\d\d)\s*0*(\d{1,7})(?!\d)")
_BROKEN = re.compile(r"(?<![A-Z0-9])F ?(2 ?0 ?\d ?\d) ?((?:\d ?){4,7})")
_YEAR_FIRST = re.compile(r"(?<![A-Z0-9])(?<!A )(20\d\d)\s*(0\d{2,5}|\d{4,6})(?!\d)")
_NAMED = re.compile(r"\b(?:FACTURES?|FACT|FAC|FA|INVOICES?|INV)\s*(?:NUMERO|NUM|NO|N)?\s*0*(\d{1,6})(?!\d)")
_FOLLOWING = re.compile(r"\s*(?:ET|AND|PUIS|PLUS)?\s*(0\d{2,5}|\d{4})(?!\d)")


def capitals(words: str) -> str:
    """``words`` in capitals and figures, everything else a single space: dashes, slashes and dots go."""
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", fold(words).upper()).split())


def numbers_in(words: str, years: Sequence[int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Invoice numbers that people may mean, as (year, count): those said in full, and those half said.

    In full: « F2026-0012 », « F 2026 12 », « f20260012 », broken by spaces; and what follows one: « F2026-0012 et 0013 ».
    Half: « 2026-0012 », « facture 12 » (of any of ``years``). The text may hold dates and other numbers: only those that
    are open invoices count.
    """
    said = capitals(words)
    full: dict[tuple[int, int], None] = {}
    for found in _WHOLE.finditer(said):
        year = int(found[1])
        full[year, int(found[2])] = None
        end = found.end()
        while following := _FOLLOWING.match(said, end):
            full[year, int(following[1])] = None
            end = following.end()
    for found in _BROKEN.finditer(said):
        year, figures = (part.replace(" ", "") for part in found.groups())
        for width in range(4, 5 if figures[0] == "0" else len(figures) + 1):  # a number is filled up to four figures
            full[int(year), int(figures[:width])] = None
    half: dict[tuple[int, int], None] = {}
    for found in _YEAR_FIRST.finditer(said):
        half[int(found[1]), int(found[2])] = None
    for found in _NAMED.finditer(said):
        for year in years:
            half[year, int(found[1])] = None
    return list(full), [one for one in half if one not in full]


# Names ----------------------------------------------------------------------------------------------------------------

_TITLES = {
    "m", "mr", "mme", "mlle", "monsieur", "madame", "ou", "et", "de", "du", "des", "la", "le", "les", "sa", "sas", "sarl",
    "eurl", "sasu", "association", "asso", "ste", "societe", "vir", "virement", "inst", "sepa", "recu",
}  # fmt: skip


def _words_of(name: str) -> frozenset[str]:
    words = re.sub(r"[^a-z0-9]+", " ", fold(name)).split()
    return frozenset(word for word in words if len(word) > 1 and word not in _TITLES)


# Proposing ------------------------------------------------------------------------------------------------------------


def propose(
    lines: Iterable[MoneyIn], invoices: Iterable[OpenInvoice], accounts: dict[str, PayerIds]
) -> dict[int, list[Proposal]]:
    """By line id what it may pay, the surest first; nothing where nothing fits.

    ``accounts``: the payer for whom a bank account's last confirmed line paid. What a certain proposal pays is not
    proposed to another line.
    """
    ordered = sorted(lines, key=lambda line: (line.booked_on, line.id))
    index = _indexed(invoices)
    said = {line.id: _said(line, index) for line in ordered}
    found: dict[int, list[Proposal]] = {}
    for line in ordered:
        certain = _certain(line, said[line.id][0], index)
        if certain is not None:
            found[line.id] = [certain]
            for share in certain.shares:
                index.left[share.invoice.id] -= share.cents
    for line in ordered:
        if line.id not in found:
            found[line.id] = _guesses(line, said[line.id], index, accounts)
    return {line.id: found[line.id] for line in ordered if found[line.id]}


def _indexed(invoices: Iterable[OpenInvoice]) -> _Index:
    index = _Index()
    for invoice in sorted(invoices, key=lambda one: (one.due_on, one.id)):
        if series := _SERIES.match(invoice.number):
            index.by_number[int(series[1]), int(series[2])] = invoice
        index.by_amount[invoice.open_cents].append(invoice)
        if invoice.payer not in index.by_payer:
            index.names[invoice.payer] = _words_of(invoice.payer_name)
        index.by_payer[invoice.payer].append(invoice)
        index.left[invoice.id] = invoice.open_cents
    common = Counter(word for words in index.names.values() for word in words)
    for payer, words in index.names.items():
        if words:
            index.payers_by_word[min(words, key=lambda word: (common[word], word))].append(payer)
    return index


def _said(line: MoneyIn, index: _Index) -> tuple[list[OpenInvoice], list[OpenInvoice]]:
    """The open invoices whose numbers the line says in full, and half."""
    years = (line.booked_on.year, line.booked_on.year - 1)
    full, half = numbers_in(line.words, years)
    known = [index.by_number[one] for one in full if one in index.by_number]
    return known, [index.by_number[one] for one in half if one in index.by_number]


def _certain(line: MoneyIn, named: Sequence[OpenInvoice], index: _Index) -> Proposal | None:
    """Every number in full, one payer, and just what they come to."""
    owed = [index.left[one.id] for one in named]
    if not named or len({one.payer for one in named}) > 1 or min(owed) <= 0 or sum(owed) != line.cents:
        return None
    why = NUMBER_AND_AMOUNT if len(named) == 1 else NUMBERS_AND_AMOUNT
    return Proposal(_shares(named, line.cents, index), 0, "certain", why)


def _guesses(
    line: MoneyIn, said: tuple[list[OpenInvoice], list[OpenInvoice]], index: _Index, accounts: dict[str, PayerIds]
) -> list[Proposal]:
    full, half = said
    found = [*_by_number(line, full, index, "likely"), *_by_payer(line, index, accounts)]
    found += _by_number(line, [one for one in half if index.left[one.id] == line.cents], index, "likely")
    found += _by_amount(line, index)
    if not found:
        found += _by_number(line, half, index, "possible")
    order = {"certain": 0, "likely": 1, "possible": 2}
    unique: dict[frozenset[int], Proposal] = {}
    for proposal in sorted(found, key=lambda one: order[one.sureness]):
        unique.setdefault(frozenset(share.invoice.id for share in proposal.shares), proposal)
    return list(unique.values())[:MOST_PROPOSALS]


def _by_number(line: MoneyIn, named: Sequence[OpenInvoice], index: _Index, sureness: Sureness) -> list[Proposal]:
    """What the numbers in the text may mean, for each payer that they name."""
    found: list[Proposal] = []
    for payer in dict.fromkeys(one.payer for one in named):
        mine = [one for one in named if one.payer == payer and index.left[one.id] > 0]
        if not mine:
            continue
        owed = sum(index.left[one.id] for one in mine)
        if owed == line.cents:
            why = NUMBER_AND_AMOUNT if len(mine) == 1 else NUMBERS_AND_AMOUNT
            found.append(Proposal(_shares(mine, line.cents, index), 0, sureness, why))
        elif owed > line.cents:
            found.append(Proposal(_shares(mine, line.cents, index), 0, sureness, NUMBER_AND_LESS))
        else:
            others = [one for one in index.by_payer[payer] if one not in mine and index.left[one.id] > 0]
            if others and owed + sum(index.left[one.id] for one in others) == line.cents:
                found.append(Proposal(_shares([*mine, *others], line.cents, index), 0, sureness, NUMBER_AND_OTHERS))
            found.append(Proposal(_shares(mine, owed, index), line.cents - owed, sureness, NUMBER_AND_MORE))
    return found


def _by_payer(line: MoneyIn, index: _Index, accounts: dict[str, PayerIds]) -> list[Proposal]:
    """What the sender owes: known by the bank account, else by the name."""
    known = accounts.get(line.iban) if line.iban else None
    payers = [known] if known in index.by_payer and known is not None else _named(line, index)
    found: list[Proposal] = []
    for payer in payers[:MOST_PROPOSALS]:
        same = payer == known
        owing = [one for one in index.by_payer[payer] if index.left[one.id] > 0]
        exact = [one for one in owing if index.left[one.id] == line.cents]
        owed = sum(index.left[one.id] for one in owing)
        if exact:
            why = ACCOUNT_AND_AMOUNT if same else PAYER_AND_AMOUNT
            found.append(Proposal(_shares(exact[:1], line.cents, index), 0, "likely", why))
        elif owing and owed == line.cents:
            why = ACCOUNT_AND_ALL if same else PAYER_AND_ALL
            found.append(Proposal(_shares(owing, line.cents, index), 0, "likely", why))
        elif owing:
            paid = min(owed, line.cents)
            why = ACCOUNT_ALONE if same else PAYER_ALONE
            found.append(Proposal(_shares(owing, paid, index), line.cents - paid, "possible", why))
    return found


def _named(line: MoneyIn, index: _Index) -> list[PayerIds]:
    """Payers whose whole name stands in the sender's, or, where the bank gives none, in the text."""
    words = _words_of(line.name or line.words)
    candidates = dict.fromkeys(payer for word in sorted(words) for payer in index.payers_by_word.get(word, ()))
    whole = [payer for payer in candidates if index.names[payer] <= words]
    return sorted(whole, key=lambda payer: -len(index.names[payer]))


def _by_amount(line: MoneyIn, index: _Index) -> list[Proposal]:
    same = (one for one in index.by_amount.get(line.cents, ()) if index.left[one.id] == line.cents)
    exact = list(islice(same, MOST_PROPOSALS))
    why = AMOUNT_ALONE if len(exact) == 1 else AMOUNT_OF_SEVERAL
    return [Proposal(_shares([one], line.cents, index), 0, "possible", why) for one in exact]


def _shares(invoices: Sequence[OpenInvoice], cents: int, index: _Index) -> tuple[Share, ...]:
    """``cents`` shared out over ``invoices`` in their order, each at most what it still owes."""
    found: list[Share] = []
    for invoice in invoices:
        part = min(index.left[invoice.id], cents)
        if part > 0:
            found.append(Share(invoice, part))
            cents -= part
    return tuple(found)
