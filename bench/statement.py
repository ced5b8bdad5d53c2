"""A bank statement of 2,000 lines against 5,000 open invoices: sent by the manager, then the page of what each pays."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from bench import servers
from bench.clients import Client
from bench.ground import FULL, Ground, signed_in
from bench.payers import invoiced
from bench.report import Line
from config import Config
from coworking.accounting import bank_queries
from coworking.accounting.bank_models import BankLine
from coworking.app import create_app
from coworking.core.db import db
from coworking.core.units import end_read
from tests.accounting.statements import Entry, camt

LINES, INVOICES = 2000, 5000
MOST_SECONDS, MOST_GROWTH_MB = 2.0, 8.0
BOUNDARY = "statement-of-the-bench"

Owed = tuple[str, str, int]
"""An invoice's number, its payer's name, what is owed in cents."""


def measure(ground: Ground) -> Iterator[Line]:
    """Seconds from the file to its page, and by how much more memory a file of 2,000 lines needs than one of 200."""
    share = 1 if ground.effort is FULL else 10
    lines, invoices = LINES // share, INVOICES // share
    app = create_app(Config.from_env({**ground.environ, "BASE_URL": "http://localhost"}))
    with app.app_context():
        invoiced(invoices)
        owed = [(one.number, one.payer_name, one.open_cents) for one in bank_queries.open_invoices()]
        end_read()
        with servers.running(ground.environ, "web", workers=1) as (port, web):
            manager, worker = signed_in(port, 0), servers.family(web.pid)[1]
            _sent(manager, _statement(owed, 20, "first"))  # what a worker loads once
            _few, _page, few_mb = _timed(manager, worker, _statement(owed, lines // 10, "few"))
            sent, page, many_mb = _timed(manager, worker, _statement(owed, lines, "many"))
        kept = db.session.scalar(select(func.count()).select_from(BankLine))
        assert kept == 20 + lines // 10 + lines, kept
        db.session.remove()
        db.engine.dispose()
    yield Line(
        ground.engine,
        f"a statement of {lines} lines, {invoices} open invoices",
        f"{sent + page:.2f} s: read {sent:.2f}, its page {page:.2f}",
        "",
        None,
        f"≤ {MOST_SECONDS:.0f} s",
        sent + page <= MOST_SECONDS,
    )
    yield Line(
        ground.engine,
        f"memory that {lines} lines need beyond {lines // 10}, at its peak",
        f"{many_mb - few_mb:.1f} MB",
        f"peak {many_mb:.0f} MB",
        None,
        f"≤ {MOST_GROWTH_MB:.0f} MB",
        many_mb - few_mb <= MOST_GROWTH_MB,
    )


def _timed(manager: Client, worker: int, content: bytes) -> tuple[float, float, float]:
    """Seconds to send a statement and to get the page after it, and the web worker's peak of memory meanwhile (MB)."""
    _forget_peak(worker)
    sent, peak = _sent(manager, content), _peak_mb(worker)
    started = time.perf_counter()
    page = manager.get("/bank")
    assert page.status == 200, page.body[:500]
    return sent, time.perf_counter() - started, peak


def _sent(manager: Client, content: bytes) -> float:
    """Send a statement as a browser does; the seconds until it was answered."""
    token = re.search(rb'name="csrf_token" value="([^"]+)"', manager.get("/bank").body)
    assert token is not None
    body = b"".join(
        (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n'.encode(),
            token[1],
            f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="releve.xml"\r\n'.encode(),
            b"Content-Type: text/xml\r\n\r\n",
            content,
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        )
    )
    answer = manager.ask("POST", "/bank", body, **{"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    assert answer.status == 303, (answer.status, answer.body[:2000])
    return answer.seconds


def _statement(owed: Sequence[Owed], lines: int, mark: str) -> bytes:
    """A month of a lieu's account: most transfers name their invoice, some their sender, some neither; some money leaves."""
    draw = Random(mark)
    return camt(*(_entry(draw, draw.choice(owed), f"{mark}-{at}") for at in range(lines)), version="08").getvalue()


def _entry(draw: Random, owed: Owed, ref: str) -> Entry:
    number, name, cents = owed
    day, iban = f"2026-11-{draw.randint(1, 28):02d}", f"FR76{draw.randrange(10**23):023d}"
    kind = draw.random()
    if kind < 0.60:
        return Entry(day, cents, f"VIR SEPA facture {number} merci", name, iban, ref)
    if kind < 0.75:
        return Entry(day, cents, "virement coworking", name, iban, ref)
    if kind < 0.85:
        return Entry(day, cents, "VIREMENT", "", "", ref)
    if kind < 0.90:
        return Entry(day, cents + 500, f"reglement {number}", name, iban, ref)
    return Entry(day, -draw.randint(500, 90_000), "PRLV SEPA ELECTRICITE", "Fournisseur", iban, ref)


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak_mb(pid: int) -> float:
    """The most memory that a process held since `_forget_peak`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
