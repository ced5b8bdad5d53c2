"""The PDF of a document: drawn once from its snapshot, stored, and given out as it is ever after."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

import segno.helpers

from coworking.billing import queries
from coworking.billing.models import Invoice, InvoicePaper
from coworking.core import papers
from coworking.core.clock import now
from coworking.core.sql import inserted
from coworking.core.units import end_read, write_unit

LANGUAGE = "fr"
"""Papers are French whoever reads: they go into French books."""


def readable(content: dict[str, Any]) -> dict[str, Any]:
    """A snapshot with its dates as dates, for templates."""
    day = date.fromisoformat
    corrects = content["corrects"]
    return content | {
        "issued_on": day(content["issued_on"]),
        "due_on": day(content["due_on"]),
        "period": {name: day(text) for name, text in content["period"].items()},
        "lines": [
            line | {"days": [day(text) for text in line["days"]], "month": day(f"{line['month']}-01")}
            for line in content["lines"]
        ],
        "corrects": corrects and corrects | {"issued_on": day(corrects["issued_on"])},
    }


def paper(invoice: Invoice) -> bytes:
    """The PDF, drawn and stored at the first call; when two draw at once the first one stored counts.

    Not inside a write unit. Raises `core.papers.PapersUnavailable`.
    """
    invoice_id, content = invoice.id, readable(queries.content(invoice))
    stored = queries.paper_of(invoice_id)
    if stored is not None:
        return stored.content
    end_read()
    drawn = papers.pdf("billing/paper.html", locale=LANGUAGE, doc=content, place=content["seller"], qr=_qr(content))
    with write_unit():
        digest = sha256(drawn).hexdigest()
        inserted(InvoicePaper, invoice_id=invoice_id, sha256=digest, content=drawn, rendered_at=now())
    kept = queries.paper_of(invoice_id)
    assert kept is not None, "it was stored a moment ago, by us or by another"
    return kept.content


def file_name(invoice: Invoice) -> str:
    return f"{invoice.number}.pdf"


def _qr(content: dict[str, Any]) -> str | None:
    """A transfer to scan (EPC069-12), where the lieu has an IBAN and something is to be paid in euros."""
    seller = content["seller"]
    if not seller["iban"] or content["kind"] != "invoice" or content["currency"] != "EUR":
        return None
    code = segno.helpers.make_epc_qr(
        name=seller["name"][:70],
        iban=seller["iban"],
        bic=seller["bic"],
        amount=content["payable_cents"] / 100,
        reference=None,
        text=content["number"],
        encoding="utf-8",
    )
    return code.svg_data_uri(border=0)
