"""The e-mail of a reminder, after its unit. Nothing here runs inside a unit of work."""

from __future__ import annotations

from coworking.billing import pdf, reminder_queries
from coworking.billing.pay_links import pay_url
from coworking.billing.reminding import still_true, withhold
from coworking.core import mail, outbox
from coworking.spaces import queries as spaces


@outbox.handler(reminder_queries.SENT)
def remind(job: outbox.Job) -> None:
    """E-mail a reminder as it was written, with its invoices; what has changed since then does not leave.

    While PDFs cannot be made, the e-mail waits and is tried again.
    """
    row = reminder_queries.reminder(job.payload["reminder"])
    if row.outcome is not None or row.email is None:
        return
    if not still_true(row, spaces.today()):
        withhold(row)
        return
    invoices = [line.invoice for line in row.lines]
    context = {
        "place": spaces.lieu().name,
        "subject": row.subject,
        "text": row.text,
        "paragraphs": [part.split("\n") for part in row.text.split("\n\n")],
        "pay_url": pay_url([invoice.public_id for invoice in invoices]),
        "cents": sum(line.owed_cents for line in row.lines),
        "currency": invoices[0].currency,
        "attached": len(invoices),
    }
    to, locale = row.email, row.locale
    attachments = tuple(
        mail.Attachment(pdf.file_name(invoice), "application/pdf", pdf.pdf_of(invoice)) for invoice in invoices
    )
    mail.deliver(job.id, template="billing/reminder", to=to, locale=locale, context=context, attachments=attachments)
