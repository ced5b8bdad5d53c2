"""The paper of a receipt: drawn once, and sent to whoever asks for it."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

from coworking.billing import door_queries
from coworking.billing.door_models import DoorReceipt, ReceiptPdf
from coworking.billing.pdf import LANGUAGE
from coworking.core import outbox, pdf
from coworking.core.kept_pdfs import kept_pdf
from coworking.core.units import write_unit

SEND = "billing.receipt"
"""The outbox topic of a receipt to be e-mailed."""


def readable(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a receipt with its date as a date, for templates."""
    return content | {"sold_on": date.fromisoformat(content["sold_on"])}


def pdf_of(receipt: DoorReceipt) -> bytes:
    """The PDF, drawn and kept at the first call. Not inside a write unit. Raises `core.pdf.PdfUnavailable`."""
    content = door_queries.receipt_content(receipt)

    def page() -> str:
        doc = readable(content)
        return pdf.html("billing/receipt_pdf.html", locale=LANGUAGE, doc=doc, place=doc["seller"])

    return kept_pdf(ReceiptPdf, {"receipt_id": receipt.id}, page)


def send(receipt: DoorReceipt, email: str, locale: str) -> None:
    """Enqueue the e-mail with the receipt, once per address."""
    name = receipt.public_id
    key = f"{SEND}:{name}:{sha256(email.encode()).hexdigest()[:16]}"
    with write_unit():
        outbox.enqueue(SEND, key, {"receipt": name, "email": email, "locale": locale})
