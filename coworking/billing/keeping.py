"""What of somebody's payments shows that they are still there, and what goes ten years after.

Money's rows stay: they are signed one into the next, and the database refuses to delete them (ADR 0035).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from coworking.accounts import leaving
from coworking.billing.models import Charge, Invoice
from coworking.core import retention
from coworking.core.errors import N_
from coworking.core.outbox import OutboxRow
from coworking.core.retention import Keeps

TEN_YEARS = 3653
"""Days, for which accounts are kept (code de commerce, art. L123-22)."""


def _about_money() -> Sequence[ColumnElement[bool]]:
    return OutboxRow.state.in_(("done", "dropped")), OutboxRow.topic.like("billing.%")


leaving.sign(Invoice.payer_person_id, Invoice.issued_at)
leaving.sign(Charge.payer_person_id, Charge.day)
retention.declare(
    Keeps(
        "money_emails",
        N_("E-mails and other work about invoices, payments and reminders"),
        N_("The law wants what proves accounts for ten years (code de commerce, art. L123-22)."),
        OutboxRow,
        OutboxRow.ended_at,
        TEN_YEARS,
        only=_about_money,
    ),
)
