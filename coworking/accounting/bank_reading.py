"""Reading a bank statement: once per file, each movement once per account.

A file is parsed before the unit of work begins and waits in a temporary file meanwhile, so that memory stays flat and
nobody waits for a parser's lock.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import IO

from sqlalchemy import delete, select

from coworking.accounting import bank_queries
from coworking.accounting.bank_models import BankLine, BankStatement, BankUpload
from coworking.accounting.camt_rules import CamtStatement, read_camt
from coworking.accounting.csv_rules import Field, Table, csv_lines, guessed, read_table, remembered_columns
from coworking.accounting.statement_rules import (
    MOST_LINES,
    AnotherAccount,
    AnotherCurrency,
    NotAStatement,
    StatementEmpty,
    StatementLine,
    StatementReadBefore,
    StatementTooLong,
    compact_iban,
    keyed,
    shown_iban,
)
from coworking.billing import queries as billing
from coworking.billing.charges import check_manager
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.sql import insert_missing
from coworking.core.types import public_id
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.calendar import lock_lieu

MOST_CSV_BYTES = 4 * 1024 * 1024
KEPT_FOR = timedelta(days=1)
"""How long a file waits for its columns to be chosen."""
_AT_ONCE = 500
_OTHER_FILES = {b"%PDF": "PDF", b"PK\x03\x04": "Excel, ODS or ZIP", b"\xd0\xcf\x11\xe0": "Excel"}


def read_file(actor: Actor, file: IO[bytes], *, other_account: bool = False) -> BankStatement | BankUpload:
    """Read a statement; a CSV is kept, for a person to say which column is what (`read_upload`).

    ``other_account``: the person says that its account is the lieu's too. Raises what `statement_rules` names.
    """
    check_manager(actor)
    digest = _digest(file)
    _check_new(digest)
    start = file.read(512)
    file.seek(0)
    kind = next((name for magic, name in _OTHER_FILES.items() if start.startswith(magic)), None)
    if kind is not None:
        raise NotAStatement(kind=kind)
    if not _is_xml(start):
        return _keep_upload(actor, file)
    said = CamtStatement()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as spool:
        counts = _spool(read_camt(file, said), spool)
        return _store(actor, digest, "camt", said.iban or "", counts, spool, other_account=other_account)


def read_upload(
    actor: Actor, upload_id: str, columns: Sequence[Field], *, other_account: bool = False
) -> BankStatement:
    """Read a CSV that was kept, its ``columns`` chosen. Raises what `csv_rules` and `statement_rules` name."""
    check_manager(actor)
    content = bank_queries.upload_named(upload_id).content
    digest = sha256(content).hexdigest()
    _check_new(digest)
    table = read_table(content)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as spool:
        counts = _spool(csv_lines(table, columns, spaces.lieu().currency), spool)
        account = table.iban or compact_iban(billing.settings_row().iban) or ""
        return _store(
            actor,
            digest,
            "csv",
            account,
            counts,
            spool,
            other_account=other_account,
            layout=table.layout,
            columns=",".join(columns),
            upload_id=upload_id,
        )


def proposed_columns(table: Table) -> list[Field]:
    """What each column was in the last file that looked the same, else a guess."""
    return remembered_columns(bank_queries.columns_before(table.layout), len(table.head)) or guessed(table)


def _keep_upload(actor: Actor, file: IO[bytes]) -> BankUpload:
    content = file.read(MOST_CSV_BYTES + 1)
    if len(content) > MOST_CSV_BYTES:
        raise StatementTooLong(most=MOST_LINES)
    read_table(content)  # what cannot be read is said now, with the file still at hand
    with write_unit():
        db.session.execute(delete(BankUpload).where(BankUpload.created_at < now() - KEPT_FOR))
        upload = BankUpload(content=content, created_by_id=actor.person_id)
        db.session.add(upload)
        return upload


# Within ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counts:
    """What a file holds."""

    booked: int = 0
    pending: int = 0
    first: date = date.max
    last: date = date.min


def _digest(file: IO[bytes]) -> str:
    digest = sha256()
    while piece := file.read(1 << 16):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _check_new(digest: str) -> None:
    if db.session.scalar(select(BankStatement.id).where(BankStatement.sha256 == digest)) is not None:
        raise StatementReadBefore()


def _is_xml(start: bytes) -> bool:
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        start = start.removeprefix(mark)
    return start.replace(b"\x00", b"").lstrip()[:1] == b"<"


def _spool(lines: Iterable[StatementLine], spool: IO[str]) -> _Counts:
    """Write the booked lines into ``spool``, with their keys; check their currency and their number."""
    counts, currency = _Counts(), spaces.lieu().currency
    end_read()
    for key, line in keyed(lines):
        if line.currency not in {None, currency}:
            raise AnotherCurrency(currency=line.currency)
        if not line.is_booked:
            counts.pending += 1
            continue
        counts.booked += 1
        if counts.booked > MOST_LINES:
            raise StatementTooLong(most=MOST_LINES)
        counts.first, counts.last = min(counts.first, line.booked_on), max(counts.last, line.booked_on)
        row = asdict(line) | {"key": key, "booked_on": line.booked_on.isoformat()}
        spool.write(json.dumps({name: row[name] for name in _COLUMNS}) + "\n")
    if not counts.booked:
        raise StatementEmpty()
    return counts


_COLUMNS = (
    "key",
    "booked_on",
    "cents",
    "text",
    "reference",
    "end_to_end",
    "servicer_ref",
    "name",
    "iban",
    "is_reversal",
)


def _spooled(spool: IO[str]) -> Iterator[list[dict[str, object]]]:
    """The lines in ``spool``, some hundred at a time."""
    spool.seek(0)
    rows: list[dict[str, object]] = []
    for text in spool:
        row = json.loads(text)
        rows.append(row | {"booked_on": date.fromisoformat(row["booked_on"])})
        if len(rows) == _AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def _check_account(account: str, other_account: bool) -> None:
    ours = compact_iban(billing.settings_row().iban)
    if account and account != ours and account not in bank_queries.accounts_read() and not other_account:
        raise AnotherAccount(iban=shown_iban(account))


def _store(
    actor: Actor,
    digest: str,
    kind: str,
    account: str,
    counts: _Counts,
    spool: IO[str],
    *,
    other_account: bool,
    layout: str | None = None,
    columns: str | None = None,
    upload_id: str | None = None,
) -> BankStatement:
    """Keep the statement and its new lines in one unit; two who read at once come one after the other."""
    _check_account(account, other_account)
    with write_unit() as unit:
        lock_lieu()
        _check_new(digest)
        known = sum(_known(account, rows) for rows in _spooled(spool))
        statement = BankStatement(
            sha256=digest,
            format=kind,
            account=account,
            added=counts.booked - known,
            known=known,
            pending=counts.pending,
            first_day=counts.first,
            last_day=counts.last,
            layout=layout,
            columns=columns,
            read_by_id=actor.person_id,
        )
        db.session.add(statement)
        db.session.flush()
        for rows in _spooled(spool):
            common = {"statement_id": statement.id, "account": account}
            insert_missing(BankLine, [row | common | {"public_id": public_id()} for row in rows])
        if upload_id is not None:
            db.session.execute(delete(BankUpload).where(BankUpload.public_id == upload_id))
        audit.record(
            actor, "accounting.statement_read", ("bank_statement", statement.id), added=statement.added, known=known
        )
        unit.result = statement.public_id
        return statement


def _known(account: str, rows: Sequence[dict[str, object]]) -> int:
    keys = [str(row["key"]) for row in rows]
    found = db.session.scalars(select(BankLine.key).where(BankLine.account == account, BankLine.key.in_(keys)))
    return len(found.all())
