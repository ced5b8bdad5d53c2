"""CAMT.053 as a stream: what is kept, what is refused, and that memory does not grow with the file."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest

from coworking.accounting.camt_rules import CamtStatement, read_camt
from coworking.accounting.statement_rules import (
    NotAStatement,
    SeveralAccounts,
    StatementForbidden,
    StatementTruncated,
    StatementUnreadable,
    keyed,
)
from tests.accounting.statements import OURS, Entry, camt, camt_pieces

RICH = Entry(
    "2026-11-20",
    6600,
    text="Facture F2026-0001 & merci",
    name="VIDAL LISE",
    iban="FR7611111111111111111111111",
    ref="ABC123",
    reference="RF18539007547034",
    end_to_end="E2E-7",
)


def read(file: BytesIO):
    said = CamtStatement()
    return list(read_camt(file, said)), said


@pytest.mark.parametrize("version", ["02", "08"])
def test_everything_that_names_a_payment_is_kept(version):
    (line,), said = read(camt(RICH, version=version))
    assert (line.booked_on, line.cents, line.currency) == (date(2026, 11, 20), 6600, "EUR")
    assert (line.text, line.reference, line.end_to_end) == ("Facture F2026-0001 & merci", "RF18539007547034", "E2E-7")
    assert (line.name, line.iban, line.servicer_ref) == ("VIDAL LISE", "FR7611111111111111111111111", "ABC123")
    assert (line.is_booked, line.is_reversal, said.iban) == (True, False, OURS)


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_batch_is_split_into_its_payments(version):
    batch = Entry("2026-11-20", 10000, batch=((6600, "F2026-0001"), (3400, "F2026-0002")), ref="LOT")
    lines, _said = read(camt(batch, version=version))
    assert [(line.cents, line.text) for line in lines] == [(6600, "F2026-0001"), (3400, "F2026-0002")]
    assert len({key for key, _line in keyed(lines)}) == 2


def test_a_batch_that_does_not_add_up_stays_one_line():
    lines, _said = read(camt(Entry("2026-11-20", 9900, batch=((6600, "F2026-0001"), (3400, "F2026-0002")))))
    assert [line.cents for line in lines] == [9900] and "F2026-0001" in lines[0].text


@pytest.mark.parametrize("version", ["02", "08"])
def test_debits_reversals_and_pending_ones_are_told_apart(version):
    lines, _said = read(
        camt(
            Entry("2026-11-20", -1200, name="EDF"),
            Entry("2026-11-21", -6600, reversal=True),
            Entry("2026-11-22", 500, status="PDNG"),
            version=version,
        )
    )
    assert [(line.cents, line.is_reversal, line.is_booked) for line in lines] == [
        (-1200, False, True),
        (-6600, True, True),
        (500, False, False),
    ]
    assert lines[0].name == "EDF"


def test_a_truncated_file_says_so():
    whole = camt(*[RICH] * 5).getvalue()
    for cut in (len(whole) - 10, len(whole) // 2, 120):
        with pytest.raises(StatementTruncated):
            read(BytesIO(whole[:cut]))


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><x>&b;</x></Document>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "/etc/passwd">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><x>&a;</x></Document>"""


@pytest.mark.parametrize("content", [BOMB, OUTSIDE, b'<!DOCTYPE Document SYSTEM "http://127.0.0.1/x.dtd"><Document/>'])
def test_entities_and_document_types_are_refused(content):
    with pytest.raises(StatementForbidden):
        read(BytesIO(content))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"<html><body>Session expired</body></html>", NotAStatement),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"/>', NotAStatement),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.052.001.02"/>', NotAStatement),
        (b"<a><b></a>", NotAStatement),
        (camt(RICH).getvalue().replace(b"66.00", b"sixty"), StatementUnreadable),
        (camt(RICH).getvalue().replace(b"2026-11-20", b"2026-13-20"), StatementUnreadable),
        (camt(RICH).getvalue().replace(b"</Refs>", b"</Rfs>"), StatementUnreadable),
        (camt(RICH).getvalue().replace(b"UTF-8", b"KLINGON"), StatementUnreadable),
    ],
)
def test_what_is_no_statement_is_refused_with_a_reason(content, error):
    with pytest.raises(error) as refused:
        read(BytesIO(content))
    assert str(refused.value)


def test_several_accounts_in_one_file_are_refused():
    one = camt(RICH).getvalue().decode().replace("</BkToCstmrStmt></Document>", "")
    two = camt(RICH, iban="FR7610107001011234567890129").getvalue().decode().partition("</GrpHdr>")[2]
    with pytest.raises(SeveralAccounts):
        read(BytesIO((one + two).encode()))


def test_depth_and_width_have_bounds():
    deep = camt(RICH).getvalue().replace(b"<Bal>", b"<a>" * 60 + b"</a>" * 60 + b"<Bal>")
    wide = camt(RICH).getvalue().replace(b"<NtryDtls>", b"<a/>" * 6000 + b"<NtryDtls>")
    for content in (deep, wide):
        with pytest.raises(StatementUnreadable):
            read(BytesIO(content))


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Twenty megabytes; the reader holds a few hundred kilobytes at any moment, as for one."""
    peaks = {}
    for megabytes in (1, 20):
        file = tmp_path / f"{megabytes}.xml"
        with file.open("w") as out:
            out.writelines(camt_pieces(replace(RICH, text="F2026-0001 " * 200) for _ in range(megabytes * 400)))
        assert file.stat().st_size > megabytes * 1_000_000
        tracemalloc.start()
        with file.open("rb") as content:
            count = sum(1 for _line in read_camt(content, CamtStatement()))
        peaks[megabytes] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == megabytes * 400
    assert peaks[20] < peaks[1] + 100_000
