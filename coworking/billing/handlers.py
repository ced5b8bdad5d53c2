"""After a document was issued: make, store and send its PDF. Nothing here runs inside a unit of work."""

from __future__ import annotations

from sqlalchemy import select

from coworking.billing import means_queries, payer_queries, pdf, queries
from coworking.billing.models import Invoice
from coworking.billing.pay_links import pay_url
from coworking.core import mail, outbox
from coworking.core.db import db
from coworking.core.settings import settings
from coworking.spaces import queries as spaces


@outbox.handler(queries.ISSUED)
def issued(job: outbox.Job) -> None:
    """E-mail the PDF to the payer; without an address it is handed over (the invoice's page says so).

    While PDFs cannot be made, the e-mail waits and is tried again.
    """
    invoice = db.session.scalar(select(Invoice).where(Invoice.public_id == job.payload["invoice"]))
    if invoice is None:
        return
    receiver = payer_queries.receiver_of(invoice)
    context = {
        "place": spaces.lieu().name,
        "doc": pdf.readable(queries.content(invoice)),
        "url": f"{settings().base_url}/invoices/{invoice.public_id}",
        "collected": means_queries.planned_for([invoice.id]).get(invoice.id) if invoice.kind == "invoice" else None,
        "pay_url": pay_url([invoice.public_id]) if invoice.kind == "invoice" else None,
    }
    name = pdf.file_name(invoice)
    content = pdf.pdf_of(invoice)
    if receiver is None:
        return
    mail.deliver(
        job.id,
        template="billing/issued",
        to=receiver.email,
        locale=receiver.locale,
        context=context,
        attachments=(mail.Attachment(name, "application/pdf", content),),
    )
