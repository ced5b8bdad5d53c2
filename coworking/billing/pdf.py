"""The PDF of a document: made once from its snapshot, stored, and never made again."""

from __future__ import annotations

from datetime import date
from typing import Any

from coworking.billing import queries
from coworking.billing.documents import unit_micros
from coworking.billing.models import Invoice, InvoicePdf
from coworking.billing.transfers import epc_qr
from coworking.core import pdf
from coworking.core.kept_pdfs import kept_pdf
from coworking.core.units import end_read

LANGUAGE = "fr"
"""Invoices are in French for every reader: they go into French accounts."""


def readable(content: dict[str, Any]) -> dict[str, Any]:
    """A snapshot with its dates as dates, for templates."""
    day = date.fromisoformat
    corrects = content["corrects"]
    return content | {
        "issued_on": day(content["issued_on"]),
        "due_on": day(content["due_on"]),
        "period": {name: day(text) for name, text in content["period"].items()},
        "lines": [
            line
            | {
                "days": [day(text) for text in line["days"]],
                "month": day(f"{line['month']}-01"),
                "unit_micros": unit_micros(line),
            }
            for line in content["lines"]
        ],
        "paid": content.get("paid") and content["paid"] | {"on": day(content["paid"]["on"])},
        "corrects": corrects and corrects | {"issued_on": day(corrects["issued_on"])},
    }


def pdf_of(invoice: Invoice) -> bytes:
    """The PDF, drawn and kept at the first call. Not inside a write unit. Raises `core.pdf.PdfUnavailable`."""
    snapshot = queries.content(invoice)

    def page() -> str:
        doc = readable(snapshot)
        return pdf.html("billing/pdf.html", locale=LANGUAGE, doc=doc, place=doc["seller"], qr=_qr(doc))

    return kept_pdf(InvoicePdf, {"invoice_id": invoice.id}, page)


def draft_pdf(content: dict[str, Any]) -> bytes:
    """The PDF of a document that is not issued, marked as a draft and not kept. Raises `core.pdf.PdfUnavailable`."""
    doc = readable(content)
    html = pdf.html("billing/pdf.html", locale=LANGUAGE, doc=doc, place=doc["seller"], qr=None, is_draft=True)
    end_read()
    with pdf.turn() as draw:
        return draw(html)


def file_name(invoice: Invoice) -> str:
    return f"{invoice.number}.pdf"


def _qr(content: dict[str, Any]) -> str | None:
    """A transfer to scan (EPC069-12), where the lieu has an IBAN and something is to be paid in euros."""
    seller = content["seller"]
    if not seller["iban"] or content["kind"] != "invoice" or content["paid"] or content["currency"] != "EUR":
        return None
    return epc_qr(
        name=seller["name"],
        iban=seller["iban"],
        bic=seller["bic"],
        cents=content["payable_cents"],
        text=content["number"],
    )
