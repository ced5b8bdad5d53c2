"""What the pages about the bank show, ready for their templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coworking.accounting import bank_queries
from coworking.accounting.bank_queries import PAGE_SIZE, Waiting
from coworking.accounting.csv_rules import Field
from coworking.accounting.matching_rules import OpenInvoice, Proposal, Share, capitals
from coworking.accounting.payout_pages import PROVIDERS
from coworking.billing.account_queries import public_ids_of
from coworking.billing.drafts import PayerKey
from coworking.core.errors import N_

COLUMN_WORDS: dict[Field, str] = {
    "": N_("(not needed)"),
    "day": N_("Date"),
    "text": N_("Text"),
    "amount": N_("Amount, with its sign"),
    "debit": N_("Money that left"),
    "credit": N_("Money that came"),
    "name": N_("Name of the other side"),
    "reference": N_("Reference"),
    "iban": N_("IBAN of the other side"),
}
"""What a column of a bank's CSV may hold."""


def parts_of(shares: Sequence[Share]) -> str:
    """Shares as a form carries them, as they were shown: ``invoice-cents.invoice-cents``."""
    return ".".join(f"{share.invoice.public_id}-{share.cents}" for share in shares)


def open_parts(text: str) -> list[tuple[str, int]]:
    """The same as (invoice's public id, cents); what is no such text is left out."""
    found: list[tuple[str, int]] = []
    for part in text.split("."):
        invoice, _dash, cents = part.partition("-")
        if invoice and cents.isascii() and cents.isdigit() and len(cents) < 12:
            found.append((invoice, int(cents)))
    return found


def waiting_page(after: str) -> dict[str, Any]:
    """The lines that wait, a page of them, and the certain ones apart (9 statements whatever their number)."""
    rows = bank_queries.waiting()
    proposed = bank_queries.proposals(rows)
    paid_out = bank_queries.payout_proposals(rows)
    certain = [row for row in rows if _is_certain(proposed.get(row.line.id, ()))]
    others = [row for row in rows if not _is_certain(proposed.get(row.line.id, ()))]
    start = next((at + 1 for at, row in enumerate(others) if row.line.public_id == after), 0)
    shown = others[start : start + PAGE_SIZE]
    payers = {proposal.payer for row in shown for proposal in proposed.get(row.line.id, ())}
    return {
        "certain": [(row, proposed[row.line.id][0]) for row in certain],
        "certain_cents": sum(row.left_cents for row in certain),
        "others": [(row, proposed.get(row.line.id, [])) for row in shown],
        "others_count": len(others),
        "following": shown[-1].line.public_id if start + PAGE_SIZE < len(others) else None,
        "payer_ids": public_ids_of(payers),
        "parts_of": parts_of,
        "is_payout": is_payout,
        "paid_out": paid_out,
        "providers": PROVIDERS,
        "statements": bank_queries.statements(3),
        "newest_day": bank_queries.newest_day(),
        "returned": bank_queries.returned(),
    }


def line_page(public_id: str, query: str) -> dict[str, Any]:
    """One line: what it may pay, what a search finds, and what was said of it."""
    row = bank_queries.line_named(public_id)
    proposed = bank_queries.proposals([row]).get(row.line.id, []) if row.line.cents > 0 and row.left_cents > 0 else []
    found = bank_queries.search_open(query) if query else _of_proposals(proposed)
    payers: set[PayerKey] = {one.payer for one in found} | {one.payer for one in proposed}
    return {
        "row": row,
        "proposals": proposed,
        "found": found,
        "query": query,
        "payer_ids": public_ids_of(payers),
        "names": {one.payer: one.payer_name for one in found},
        "matches": bank_queries.matches_of([row.line.id]).get(row.line.id, []),
        "parts_of": parts_of,
        "is_payout": is_payout(row),
        "paid_out": bank_queries.payout_proposals([row]) if row.line.cents > 0 and row.left_cents > 0 else {},
        "providers": PROVIDERS,
    }


def is_payout(row: Waiting) -> bool:
    """Whether a payment provider probably sent it."""
    said = capitals(f"{row.line.name or ''} {row.line.text}")
    return any(provider.upper() in said for provider in PROVIDERS)


def _is_certain(proposals: Sequence[Proposal]) -> bool:
    return bool(proposals) and proposals[0].sureness == "certain"


def _of_proposals(proposals: Sequence[Proposal]) -> list[OpenInvoice]:
    """What the payers that are proposed owe, each invoice once."""
    payers = {proposal.payer for proposal in proposals}
    if not payers:
        return []
    owed = [one for one in bank_queries.open_invoices() if one.payer in payers]
    return sorted(owed, key=lambda one: (one.due_on, one.id))[:20]
