"""CAMT.053, the bank statement of ISO 20022, read as a stream: versions 02 to 13 of camt.053.001.

Memory does not grow with the file: what a line needs is kept, every element is dropped as soon as it ends. Entities and
document types are refused before they can expand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from coworking.accounting.statement_rules import (
    FIRST_YEAR,
    LAST_YEAR,
    MOST_CENTS,
    NotAStatement,
    SeveralAccounts,
    StatementForbidden,
    StatementLine,
    StatementTruncated,
    StatementUnreadable,
    compact_iban,
    meaningful,
    one_line,
)

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d\d)\}Document")
_OTHER = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3})[.\d]*\}")
_AMOUNT = re.compile(r"(\d{1,13})(?:\.(\d{1,2})0*)?", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:$|[TZ+-])", re.ASCII)
_CUT = {3, 5, 6, 20}
"""expat's errors for a file that ends too early."""
_DEEP, _WIDE = 40, 5_000
"""How deep elements may nest, and how many may stand between two movements: no bank comes near."""


@dataclass(slots=True)
class CamtStatement:
    """The account that a file is of, known once its first line was read."""

    iban: str | None = None
    currency: str | None = None


@dataclass(slots=True)
class _Movement:
    """One ``TxDtls``: a payment of a batch, or the details of a single one."""

    cents: int | None
    is_credit: bool | None
    text: str
    reference: str | None
    end_to_end: str | None
    servicer_ref: str | None
    debtor: tuple[str | None, str | None]
    creditor: tuple[str | None, str | None]


@dataclass(slots=True)
class _Reader:
    """The state between two events."""

    said: CamtStatement
    path: list[str] = field(default_factory=list[str])
    above: list[Element] = field(default_factory=list[Element])
    movements: list[_Movement] = field(default_factory=list[_Movement])
    width: int = 0


def read_camt(file: IO[bytes], said: CamtStatement) -> Iterator[StatementLine]:
    """The lines of a CAMT.053 file, in its order; fills in ``said``.

    Raises `StatementTruncated`, `StatementForbidden`, `NotAStatement`, `SeveralAccounts`, `StatementUnreadable`.
    """
    reader = _Reader(said)
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                _begin(reader, element)
            else:
                yield from _end(reader, element)
    except DefusedXmlException as error:
        raise StatementForbidden() from error
    except ParseError as error:
        if error.code in _CUT:
            raise StatementTruncated() from error
        raise StatementUnreadable(what=str(error)) from error
    except (UnicodeError, LookupError) as error:
        raise StatementUnreadable(what=str(error)) from error
    except ValueError as error:  # an encoding that the parser does not know
        raise StatementUnreadable(what=str(error)) from error


def _begin(reader: _Reader, element: Element) -> None:
    if not reader.path and not _NAMESPACE.fullmatch(element.tag):
        other = _OTHER.match(element.tag)
        raise NotAStatement(kind=other[1] if other else f"XML, {_name(element)[:40]}")
    reader.path.append(_name(element))
    reader.above.append(element)
    reader.width += 1
    if len(reader.path) > _DEEP or reader.width > _WIDE:
        raise StatementUnreadable(what="XML")
    if reader.path[-1] == "Ntry":
        reader.movements = []


def _end(reader: _Reader, element: Element) -> Iterator[StatementLine]:
    name = reader.path.pop()
    reader.above.pop()
    if name == "TxDtls":
        reader.movements.append(_movement(element))
        reader.width = 0
        _drop(reader, element)
    elif name == "Ntry":
        yield from _lines(element, reader.movements, reader.said)
        reader.movements, reader.width = [], 0
        _drop(reader, element)
    elif name == "Acct" and reader.path[-1:] == ["Stmt"]:
        _account(element, reader.said)
        _drop(reader, element)
    elif not {"Ntry", "Acct"} & set(reader.path) and reader.path:
        _drop(reader, element)


def _drop(reader: _Reader, element: Element) -> None:
    element.clear()
    if reader.above:
        reader.above[-1].remove(element)


def _account(element: Element, said: CamtStatement) -> None:
    iban = compact_iban(_text(element, "Id", "IBAN") or _text(element, "Id", "Othr", "Id"))
    if said.iban is not None and iban != said.iban:
        raise SeveralAccounts()
    said.iban, said.currency = iban, _text(element, "Ccy") or said.currency


def _lines(entry: Element, movements: list[_Movement], said: CamtStatement) -> Iterator[StatementLine]:
    """An entry as one line, or as one for each payment of a batch whose amounts add up to it."""
    amount = _child(entry, "Amt")
    cents, is_credit = _cents(amount), _text(entry, "CdtDbtInd") == "CRDT"
    if cents is None:
        raise StatementUnreadable(what="Ntry/Amt")
    common: dict[str, Any] = {
        "booked_on": _day_of(entry),
        "currency": (amount.get("Ccy") if amount is not None else None) or said.currency,
        "is_booked": (_text(entry, "Sts", "Cd") or _text(entry, "Sts") or "BOOK") == "BOOK",
        "is_reversal": _text(entry, "RvslInd") in {"true", "1"},
    }
    own_ref, words = meaningful(_text(entry, "AcctSvcrRef")), _text(entry, "AddtlNtryInf")
    signs = [1 if (one.is_credit if one.is_credit is not None else is_credit) else -1 for one in movements]
    each = [one.cents * sign for one, sign in zip(movements, signs, strict=True) if one.cents is not None]
    if len(each) == len(movements) > 1 and sum(each) == (cents if is_credit else -cents):
        for one, signed in zip(movements, each, strict=True):
            if signed:
                yield _line(one, signed, one.servicer_ref or own_ref, words if not one.text else None, common)
        return
    if cents == 0:
        return
    signed = cents if is_credit else -cents
    if len(movements) == 1:
        one = movements[0]
        yield _line(one, signed, own_ref or one.servicer_ref, words if not one.text else None, common)
        return
    text = one_line(words, *(one.text for one in movements[:20]))
    yield StatementLine(cents=signed, text=text, servicer_ref=own_ref, **common)


def _line(
    one: _Movement, cents: int, servicer_ref: str | None, words: str | None, common: dict[str, Any]
) -> StatementLine:
    name, iban = one.debtor if cents > 0 else one.creditor
    return StatementLine(
        cents=cents,
        text=one_line(one.text, words),
        reference=one.reference,
        end_to_end=one.end_to_end,
        servicer_ref=servicer_ref,
        name=name,
        iban=iban,
        **common,
    )


def _movement(element: Element) -> _Movement:
    amount = _child(element, "Amt")
    if amount is None:
        amount = _child(element, "AmtDtls", "TxAmt", "Amt")
    sign, parties = _text(element, "CdtDbtInd"), _child(element, "RltdPties")
    remittance = _child(element, "RmtInf")
    unstructured = [one.text for one in _children(remittance, "Ustrd")]
    structured = [_text(one, "CdtrRefInf", "Ref") for one in _children(remittance, "Strd")]
    more = [one.text for strd in _children(remittance, "Strd") for one in _children(strd, "AddtlRmtInf")]
    return _Movement(
        cents=_cents(amount),
        is_credit=None if sign is None else sign == "CRDT",
        text=one_line(*unstructured, *more) or one_line(_text(element, "AddtlTxInf")),
        reference=one_line(*structured, most=140) or None,
        end_to_end=meaningful(one_line(_text(element, "Refs", "EndToEndId"), most=140)),
        servicer_ref=meaningful(one_line(_text(element, "Refs", "AcctSvcrRef"), most=140)),
        debtor=_party(parties, "Dbtr", "UltmtDbtr"),
        creditor=_party(parties, "Cdtr", "UltmtCdtr"),
    )


def _party(parties: Element | None, *roles: str) -> tuple[str | None, str | None]:
    """Name and IBAN of one side: since version 08 the name stands one element deeper."""
    if parties is None:
        return None, None
    names = [_text(parties, role, "Pty", "Nm") or _text(parties, role, "Nm") for role in roles]
    iban = compact_iban(_text(parties, f"{roles[0]}Acct", "Id", "IBAN"))
    return one_line(next((name for name in names if name), None), most=140) or None, iban


def _cents(amount: Element | None) -> int | None:
    """An ``Amt`` in cents; raises `StatementUnreadable` where it is none."""
    if amount is None:
        return None
    found = _AMOUNT.fullmatch((amount.text or "").strip())
    cents = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else MOST_CENTS + 1
    if cents > MOST_CENTS:
        raise StatementUnreadable(what=f"Amt {(amount.text or '')[:20]}")
    return cents


def _day_of(entry: Element) -> date:
    for name in ("BookgDt", "ValDt"):
        said = _text(entry, name, "Dt") or _text(entry, name, "DtTm")
        if said is None:
            continue
        found = _DAY.match(said)
        try:
            day = date(int(found[1]), int(found[2]), int(found[3])) if found else None
        except ValueError:
            day = None
        if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise StatementUnreadable(what=f"{name} {said[:20]}")
        return day
    raise StatementUnreadable(what="BookgDt")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [child for child in element if _name(child) == name]


def _child(element: Element | None, *path: str) -> Element | None:
    for name in path:
        element = next(iter(_children(element, name)), None)
    return element


def _text(element: Element | None, *path: str) -> str | None:
    found = _child(element, *path)
    return (found.text or "").strip() or None if found is not None else None
