"""Bank statements as banks write them, made for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape

OURS = "FR7630006000011234567890189"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a CAMT.053 file; ``batch``: (cents, text) of each payment in it."""

    day: str
    cents: int
    text: str = ""
    name: str = ""
    iban: str = ""
    ref: str = ""
    reference: str = ""
    end_to_end: str = ""
    status: str = "BOOK"
    reversal: bool = False
    batch: tuple[tuple[int, str], ...] = ()


def _amount(cents: int) -> str:
    return f"{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _side(cents: int) -> str:
    return "CRDT" if cents > 0 else "DBIT"


def _details(entry: Entry, cents: int, text: str, version: str) -> str:
    party = f"<Pty><Nm>{escape(entry.name)}</Nm></Pty>" if version == "08" else f"<Nm>{escape(entry.name)}</Nm>"
    role = "Dbtr" if cents > 0 else "Cdtr"
    account = f"<{role}Acct><Id><IBAN>{entry.iban}</IBAN></Id></{role}Acct>" if entry.iban else ""
    parties = f"<RltdPties><{role}>{party}</{role}>{account}</RltdPties>" if entry.name else ""
    money = f'<Amt Ccy="EUR">{_amount(cents)}</Amt>'
    amount = (
        f"{money}<CdtDbtInd>{_side(cents)}</CdtDbtInd>"
        if version == "08"
        else f"<AmtDtls><TxAmt>{money}</TxAmt></AmtDtls>"
    )
    strd = f"<Strd><CdtrRefInf><Ref>{entry.reference}</Ref></CdtrRefInf></Strd>" if entry.reference else ""
    remittance = f"<RmtInf>{f'<Ustrd>{escape(text)}</Ustrd>' if text else ''}{strd}</RmtInf>"
    return (
        f"<TxDtls><Refs><EndToEndId>{entry.end_to_end or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"{amount}{parties}{remittance}</TxDtls>"
    )


def _entry(entry: Entry, version: str) -> str:
    status = f"<Sts><Cd>{entry.status}</Cd></Sts>" if version == "08" else f"<Sts>{entry.status}</Sts>"
    parts = entry.batch or ((entry.cents, entry.text),)
    details = "".join(_details(entry, cents, text, version) for cents, text in parts)
    return (
        f'<Ntry><Amt Ccy="EUR">{_amount(entry.cents)}</Amt><CdtDbtInd>{_side(entry.cents)}</CdtDbtInd>'
        f"{'<RvslInd>true</RvslInd>' if entry.reversal else ''}{status}<BookgDt><Dt>{entry.day}</Dt></BookgDt>"
        f"{f'<AcctSvcrRef>{entry.ref}</AcctSvcrRef>' if entry.ref else ''}"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def camt_pieces(
    entries: Iterable[Entry], *, version: str = "02", iban: str = OURS, currency: str = "EUR"
) -> Iterator[str]:
    """The file, piece by piece."""
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct><Bal><Amt Ccy='EUR'>1.00</Amt></Bal>"
    )
    for entry in entries:
        yield _entry(entry, version)
    yield "</Stmt></BkToCstmrStmt></Document>"


def camt(*entries: Entry, **options: str) -> BytesIO:
    return BytesIO("".join(camt_pieces(entries, **options)).encode())
