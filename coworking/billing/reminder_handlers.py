"""The e-mail of a reminder, after its unit. Nothing here runs inside a unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from coworking.billing import pdf, reminder_queries
from coworking.billing.pay_links import pay_url
from coworking.billing.reminder_models import Reminder
from coworking.billing.reminder_text import OwedLine, by_firmness, due_words, invoice_words, late_words, owed_words
from coworking.billing.reminding import owed_line, still_true, withhold
from coworking.core import mail, outbox
from coworking.core.i18n import in_language
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """An invoice in the table of a reminder's e-mail, in words."""

    number: str
    due: str
    late: str
    owed: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of a reminder's text, and the invoices that stand between the first of them and the others, as a table."""

    before: Sequence[str]
    invoices: Sequence[ListedInvoice] = ()
    after: Sequence[str] = ()


def paragraphs(row: Reminder) -> list[Paragraph]:
    """The frozen text for an e-mail: where it names its invoices line by line, they become rows of a table."""
    with in_language(row.locale):
        currency = row.lines[0].invoice.currency
        groups = [
            (invoice_words(group, currency, row.sent_on), [_listed(line, currency, row.sent_on) for line in group])
            for group in by_firmness([owed_line(line, line.invoice) for line in row.lines])
            if group
        ]
    return [_paragraph(part.split("\n"), groups) for part in row.text.split("\n\n")]


def _listed(line: OwedLine, currency: str, on: date) -> ListedInvoice:
    return ListedInvoice(line.number, due_words(line), late_words(line, on), owed_words(line, currency))


def _paragraph(lines: list[str], groups: Sequence[tuple[list[str], list[ListedInvoice]]]) -> Paragraph:
    for words, invoices in groups:
        for start in range(len(lines) - len(words) + 1):
            if lines[start : start + len(words)] == words:
                return Paragraph(lines[:start], invoices, lines[start + len(words) :])
    return Paragraph(lines)


@outbox.handler(reminder_queries.SENT, can_wait=True)
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
        "paragraphs": paragraphs(row),
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
