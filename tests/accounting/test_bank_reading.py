"""A bank statement is read once, a movement once per account, and another account's only when a person says so."""

from __future__ import annotations

from io import BytesIO

import pytest
from sqlalchemy import func, select

from coworking.accounting import bank_queries, bank_reading
from coworking.accounting.bank_models import BankLine, BankStatement, BankUpload
from coworking.accounting.statement_rules import (
    AnotherAccount,
    AnotherCurrency,
    NotAStatement,
    StatementEmpty,
    StatementReadBefore,
    StatementUnreadable,
)
from coworking.billing import services
from coworking.core.db import db
from coworking.core.errors import Forbidden
from tests.accounting.statements import OURS, Entry, camt
from tests.support.threads import at_once

FIRST = [Entry("2026-11-18", 900, "Un", ref="R1"), Entry("2026-11-19", 900, "Deux"), Entry("2026-11-19", 900, "Deux")]
SECOND = [*FIRST[1:], Entry("2026-11-20", 900, "Deux"), Entry("2026-11-20", -300, "Frais")]


@pytest.fixture
def manager(billing_lieu, inside):
    services.update_settings(billing_lieu.manager, iban=OURS)
    return billing_lieu.manager


def lines() -> int:
    return db.session.scalar(select(func.count(BankLine.id))) or 0


def test_the_same_file_is_read_once(manager):
    bank_reading.read_file(manager, camt(*FIRST))
    with pytest.raises(StatementReadBefore):
        bank_reading.read_file(manager, camt(*FIRST))
    assert lines() == 3


def test_an_overlapping_statement_adds_only_what_is_new(manager):
    """Two equal transfers of one day are two, and stay two."""
    bank_reading.read_file(manager, camt(*FIRST))
    read = bank_reading.read_file(manager, camt(*SECOND))
    assert isinstance(read, BankStatement) and (read.added, read.known) == (2, 2)
    assert lines() == 5


def test_a_line_is_known_by_the_bank_s_reference_whatever_its_text(manager):
    bank_reading.read_file(
        manager, camt(Entry("2026-11-18", 900, "VIR", ref="R1"), Entry("2026-11-18", 900, "VIR", ref="R2"))
    )
    read = bank_reading.read_file(manager, camt(Entry("2026-11-18", 900, "Virement de Lise", ref="R1")))
    assert isinstance(read, BankStatement) and (read.added, read.known) == (0, 1)


def test_what_is_pending_waits_for_a_later_statement(manager):
    read = bank_reading.read_file(manager, camt(FIRST[0], Entry("2026-11-24", 500, "Trois", status="PDNG")))
    assert isinstance(read, BankStatement) and (read.added, read.pending) == (1, 1)
    later = bank_reading.read_file(manager, camt(Entry("2026-11-24", 500, "Trois")))
    assert isinstance(later, BankStatement) and later.added == 1


def test_another_account_is_read_only_when_a_person_says_so(manager):
    other = "FR7610107001011234567890129"
    with pytest.raises(AnotherAccount) as refused:
        bank_reading.read_file(manager, camt(*FIRST, iban=other))
    assert "FR76" in str(refused.value) and other not in str(refused.value)
    assert lines() == 0
    bank_reading.read_file(manager, camt(*FIRST, iban=other), other_account=True)
    read = bank_reading.read_file(manager, camt(*SECOND, iban=other))  # it is the lieu's from then on
    assert isinstance(read, BankStatement) and read.added == 2
    bank_reading.read_file(manager, camt(*FIRST, Entry("2026-11-24", 1)))
    assert lines() == 9, "the same words on two accounts are two movements"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", StatementEmpty),
        (b"%PDF-1.7", NotAStatement),
        (b"PK\x03\x04", NotAStatement),
        (b"<html></html>", NotAStatement),
        (b"bonjour", StatementEmpty),
        (b"a;b\x00;c", StatementUnreadable),
        (camt().getvalue(), StatementEmpty),
        (camt(*FIRST, currency="CHF").getvalue().replace(b'Ccy="EUR"', b'Ccy="CHF"'), AnotherCurrency),
    ],
)
def test_what_is_no_statement_changes_nothing(manager, content, error):
    with pytest.raises(error):
        bank_reading.read_file(manager, BytesIO(content))
    assert (lines(), db.session.scalar(select(func.count(BankUpload.id)))) == (0, 0)


CSV = "Date;Libellé;Débit;Crédit\n18/11/2026;Un;;9,00\n19/11/2026;Deux;;9,00\n19/11/2026;Deux;;9,00\n".encode("latin-1")
COLUMNS = ["day", "text", "debit", "credit"]


def test_a_csv_waits_for_its_columns_which_are_remembered(manager):
    kept = bank_reading.read_file(manager, BytesIO(CSV))
    assert isinstance(kept, BankUpload) and lines() == 0
    read = bank_reading.read_upload(manager, kept.public_id, COLUMNS)
    assert (read.added, read.account, lines()) == (3, OURS, 3)
    assert db.session.scalar(select(func.count(BankUpload.id))) == 0
    table = bank_reading.read_table(CSV + b"20/11/2026;Trois;;1,00\n")
    assert bank_reading.proposed_columns(table) == COLUMNS
    again = bank_reading.read_file(manager, BytesIO(CSV + b"20/11/2026;Trois;;1,00\n"))
    assert isinstance(again, BankUpload)
    assert bank_reading.read_upload(manager, again.public_id, COLUMNS).known == 3
    with pytest.raises(StatementReadBefore):
        bank_reading.read_file(manager, BytesIO(CSV))


def test_a_file_whose_columns_nobody_chose_is_deleted_a_day_later(manager, clock):
    bank_reading.read_file(manager, BytesIO(CSV))
    clock.advance(hours=25)
    bank_reading.read_file(manager, BytesIO(CSV + b"20/11/2026;Trois;;1,00\n"))
    assert db.session.scalar(select(func.count(BankUpload.id))) == 1


def test_sixteen_who_read_one_statement_at_once_read_it_once(app, manager):
    content = camt(*FIRST).getvalue()

    def read() -> str:
        with app.app_context():
            try:
                bank_reading.read_file(manager, BytesIO(content))
                return "read"
            except StatementReadBefore:
                return "before"
            finally:
                db.session.remove()

    assert sorted(at_once([read] * 16)) == ["before"] * 15 + ["read"]
    db.session.rollback()
    assert lines() == 3


def test_two_overlapping_statements_at_once_double_nothing(app, manager):
    contents = [camt(*FIRST).getvalue(), camt(*SECOND).getvalue()] * 2

    def read(content: bytes) -> None:
        with app.app_context():
            try:
                bank_reading.read_file(manager, BytesIO(content))
            except StatementReadBefore:
                pass
            finally:
                db.session.remove()

    at_once([lambda content=content: read(content) for content in contents])
    db.session.rollback()
    assert lines() == 5


@pytest.mark.parametrize("who", ["host", "accountant", "member"])
def test_only_a_manager_reads_a_statement(billing_lieu, manager, who):
    with pytest.raises(Forbidden):
        bank_reading.read_file(getattr(billing_lieu.cast, who).actor(), camt(*FIRST))


def test_many_lines_are_matched_in_as_many_statements_as_few(manager, count_statements):
    def asked() -> int:
        db.session.rollback()
        with count_statements() as statements:
            bank_queries.proposals(bank_queries.waiting())
        return len(statements)

    bank_reading.read_file(manager, camt(*FIRST))
    few = asked()
    many = [Entry("2026-11-20", 900 + at, f"Texte {at}", name=f"NOM {at}") for at in range(400)]
    bank_reading.read_file(manager, camt(*many))
    assert asked() <= few + 1, "one more, for who has a bank account"
