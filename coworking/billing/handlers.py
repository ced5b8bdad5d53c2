"""After a document was issued: make, store and send its PDF. Nothing here runs inside a unit of work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from coworking.accounts.letters import write_to
from coworking.billing import door_queries, means_queries, payer_queries, pdf, queries, receipts
from coworking.billing.models import Invoice
from coworking.billing.pay_links import pay_url
from coworking.core import mail, outbox
from coworking.core.db import db
from coworking.core.settings import settings
from coworking.spaces import queries as spaces


@outbox.handler(queries.ISSUED, can_wait=True)
def issued(job: outbox.Job) -> None:
    """E-mail the PDF to the payer; a person without an address gets it on paper, with a message to print.

    While PDFs cannot be made, the e-mail waits and is tried again.
    """
    invoice = db.session.scalar(select(Invoice).where(Invoice.public_id == job.payload["invoice"]))
    if invoice is None:
        return
    receiver = payer_queries.receiver_of(invoice)
    content = queries.content(invoice)
    context = _of_credit(invoice) | {
        "place": spaces.lieu().name,
        "doc": pdf.readable(content),
        "url": f"{settings().base_url}/invoices/{invoice.public_id}",
        "collected": means_queries.planned_for([invoice.id]).get(invoice.id) if invoice.kind == "invoice" else None,
        "pay_url": pay_url([invoice.public_id]) if invoice.kind == "invoice" and "paid" not in content else None,
    }
    name = pdf.file_name(invoice)
    drawn = pdf.pdf_of(invoice)
    if receiver is None:
        if (person := invoice.payer_person) is not None:
            write_to(
                job, person, about="billing", template="billing/issued", context=context, invoice=invoice.public_id
            )
        return
    mail.deliver(
        job.id,
        template="billing/issued",
        to=receiver.email,
        locale=receiver.locale,
        context=context,
        attachments=(mail.Attachment(name, "application/pdf", drawn),),
    )


def _of_credit(note: Invoice) -> dict[str, Any]:
    """What a credit note's e-mail says beside it: how its invoice stands, and whether the door gave the money back."""
    if note.corrects_id is None:
        return {}
    corrected = db.session.get_one(Invoice, note.corrects_id)
    return {
        "corrected": queries.standings_of([corrected.public_id])[0],
        "given_back": door_queries.is_of_a_sale(note),
    }


@outbox.handler(receipts.SEND)
def receipt(job: outbox.Job) -> None:
    """E-mail the receipt of a sale at the door to the address that was given for it."""
    row = door_queries.receipt(job.payload["receipt"])
    content = receipts.pdf_of(row)
    mail.deliver(
        job.id,
        template="billing/receipt",
        to=job.payload["email"],
        locale=job.payload["locale"],
        context={"place": spaces.lieu().name, "doc": receipts.readable(door_queries.receipt_content(row))},
        attachments=(mail.Attachment(f"{row.number}.pdf", "application/pdf", content),),
    )
