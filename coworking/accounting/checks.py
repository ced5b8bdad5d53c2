"""Promise 3 on the live data: the journal entries of documents and payments balance."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from coworking.accounting import journal
from coworking.billing import queries
from coworking.billing.models import Invoice
from coworking.core.checks import check
from coworking.core.db import db


@check(3, "debits equal credits for each document")
def balanced() -> Iterator[str]:
    rows = db.session.scalars(select(Invoice).order_by(Invoice.seq).execution_options(yield_per=500))
    for row in rows:
        if journal.balance(journal.of_document(queries.content(row))):
            yield f"{row.number} does not balance"
