"""What a bank statement is made of, how a line is known again, and what is refused. Plain values, amounts in cents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold

MOST_CENTS = 2_000_000_000
MOST_LINES = 50_000
MOST_TEXT = 500
FIRST_YEAR, LAST_YEAR = 2000, 2199


class StatementUnreadable(DomainError):
    """Neither XML nor a table that we read; ``what`` says where it went wrong."""

    code = "statement_unreadable"
    message = N_("This file cannot be read as a bank statement: %(what)s")
    field = "file"


class StatementTruncated(DomainError):
    code = "statement_truncated"
    message = N_("This file stops in the middle. Download it from the bank again.")
    field = "file"


class StatementForbidden(DomainError):
    """A document type or entities: no bank sends them, and they can blow up a server."""

    code = "statement_forbidden"
    message = N_("This file defines entities of its own, which no bank does. It was not read.")
    field = "file"


class NotAStatement(DomainError):
    code = "not_a_statement"
    message = N_("This is another kind of file (%(kind)s). Ask the bank for the account statement, CAMT.053 or CSV.")
    field = "file"


class SeveralAccounts(DomainError):
    code = "several_accounts"
    message = N_("This file holds statements of several accounts. Download the lieu's account alone.")
    field = "file"


class StatementTooLong(DomainError):
    code = "statement_too_long"
    message = N_("This statement has more than %(most)s lines. Download a shorter period.")
    field = "file"


class StatementEmpty(DomainError):
    code = "statement_empty"
    message = N_("There is no line in this file.")
    field = "file"


class StatementReadBefore(DomainError):
    code = "statement_read_before"
    status = 409
    message = N_("This very file was read before. Nothing was added.")
    field = "file"


class AnotherAccount(DomainError):
    """``iban``: the statement's; ``ours``: the lieu's, or none."""

    code = "another_account"
    status = 409
    message = N_("This statement is of the account %(iban)s, which is not the one on the lieu's invoices.")
    field = "file"


class AnotherCurrency(DomainError):
    code = "another_currency"
    message = N_("This statement is in %(currency)s, and the lieu's invoices are not.")
    field = "file"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement as the bank states it. ``cents``: above zero money that came.

    ``reference``: a structured one; ``servicer_ref``: the bank's own name of it; ``name`` and ``iban``: the other side's.
    ``is_booked``: no longer pending; ``is_reversal``: it takes another movement back.
    """

    booked_on: date
    cents: int
    currency: str | None
    text: str
    reference: str | None = None
    end_to_end: str | None = None
    servicer_ref: str | None = None
    name: str | None = None
    iban: str | None = None
    is_booked: bool = True
    is_reversal: bool = False


_NO_REFERENCE = {"", "NOTPROVIDED", "NONREF", "NONE", "NOREF", "UNKNOWN"}
"""What banks write where there is none."""


def meaningful(reference: str | None) -> str | None:
    """``reference`` unless it says that there is none."""
    plain = (reference or "").strip()
    return None if plain.replace(" ", "").upper() in _NO_REFERENCE else plain


def compact_iban(text: str | None) -> str | None:
    """An IBAN without spaces, in capitals."""
    plain = re.sub(r"\s", "", text or "").upper()
    return plain or None


def shown_iban(iban: str) -> str:
    """An IBAN by its beginning and end: enough to know it again."""
    return f"{iban[:4]}\u2026{iban[-4:]}" if len(iban) > 8 else iban


def keyed(lines: Iterable[StatementLine]) -> Iterator[tuple[str, StatementLine]]:
    """Each line with the key by which an overlapping statement of the account knows it again.

    The bank's own reference where it gives one; else day, amount and text, and the how-manieth of such it is in its file.
    """
    seen: Counter[bytes] = Counter()
    for line in lines:
        if reference := meaningful(line.servicer_ref):
            said = f"ref\n{line.booked_on}\n{line.cents}\n{reference}"
        else:
            words = re.sub(r"[^a-z0-9]", "", fold(f"{line.text}{line.name or ''}"))
            said = f"text\n{line.booked_on}\n{line.cents}\n{words}"
        digest = sha256(said.encode()).digest()
        seen[digest] += 1
        yield sha256(digest + str(seen[digest]).encode()).hexdigest(), line


def one_line(*parts: str | None, most: int = MOST_TEXT) -> str:
    """``parts`` as one line of printable text."""
    words = " ".join(part for part in parts if part).split()
    return "".join(char for char in " ".join(words) if char.isprintable())[:most].strip()
