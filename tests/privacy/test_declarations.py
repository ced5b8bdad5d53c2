"""No column is forgotten: each that holds text says who sees it, or stands here with the reason why it need not."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from sqlalchemy import JSON, CheckConstraint, Column, LargeBinary, MetaData, String, Table

from coworking.app import MODELS
from coworking.core.db import db
from coworking.core.privacy import HOST, LEAD, MANAGER, SELF, seen_by

for _module in MODELS:  # whichever test runs first
    importlib.import_module(_module)

_CHAIN = "digests and signatures"
_CODE = "a word that the code chooses"
_LIEU = "what the lieu says of itself, its prices and its rooms"
_NETWORK = "about lieux and their figures, in which nobody is named"
_SERVER = "about the server"
NOT_PERSONAL = {
    "api_token.roles": _CODE,
    "api_token.scopes": _CODE,
    "article.*": _LIEU,
    "article_price.*": _LIEU,
    "attestation_paper.locale": _CODE,
    "attestation_paper.sha256": _CHAIN,
    "audit_entry.action": _CODE,
    "audit_entry.subject_kind": _CODE,
    "audit_run.*": _CHAIN,
    "backup_made.*": _SERVER,
    "bank_line.account": "the lieu's own IBAN",
    "bank_line.key": _CHAIN,
    "bank_statement.*": "digests, the lieu's own IBAN, and how a bank's files look",
    "billing_settings.*": _LIEU,
    "booking_unit.evidence": _CODE,
    "chain_entry.*": _CHAIN,
    "chain_head.*": _CHAIN,
    "charge.account": "a number of the accounts",
    "closing.*": "sums, digests and the lieu's own name, in which nobody is named",
    "closure.*": _LIEU,
    "day_fact.*": "numbers of desks and hours",
    "delivery.*": _NETWORK,
    "directory_import.*": _NETWORK,
    "deposit.*": _LIEU,
    "door_sale.lines": "articles and prices, in which nobody is named",
    "enrolment.*": _NETWORK,
    "gateway_account.label": "the name of the lieu's account at a provider",
    "head_link.*": _NETWORK,
    "house_text.*": _LIEU,
    "idempotency_key.endpoint": _CODE,
    "import_file.columns": _CODE,
    "import_file.decisions": "numbers of lines, and words that the code chooses",
    "import_file.sha256": _CHAIN,
    "import_line.words": _CODE,
    "idempotency_key.fingerprint": _CHAIN,
    "lieu_photo.alt": _LIEU,
    "lieu_photo_file.*": "a photo that the lieu publishes, and its digest",
    "idempotency_key.result": "a random id",
    "invoice.currency": _CODE,
    "invoice.key_id": _CHAIN,
    "invoice.number": "a number in a series",
    "invoice.prev": _CHAIN,
    "invoice.sha256": _CHAIN,
    "invoice.signature": _CHAIN,
    "invoice_counter.*": "the name of a series of numbers",
    "invoice_paper.sha256": _CHAIN,
    "lieu.*": _LIEU,
    "lieu_day.*": _LIEU,
    "lieu_version.version": _SERVER,
    "monthly_return.*": _NETWORK,
    "network_lieu.*": _NETWORK,
    "online_payment.currency": _CODE,
    "sale.currency": _CODE,
    "online_payment.gateway": _CODE,
    "online_payment.locale": _CODE,
    "online_payment.reason": _CODE,
    "online_refund.reason": _CODE,
    "online_dispute.reason": _CODE,
    "online_payment_step.reason": _CODE,
    "online_payout.currency": _CODE,
    "online_payout.gateway": _CODE,
    "online_payout.reason": _CODE,
    "outbox.lease": _SERVER,
    "outbox.topic": _CODE,
    "plan.*": _LIEU,
    "receipt.*": "articles and prices, in which nobody is named",
    "receipt_paper.*": "articles and prices, in which nobody is named",
    "received_return.*": _NETWORK,
    "reminder_settings.*": _LIEU,
    "resource.*": _LIEU,
    "retention_choice.kind": _CODE,
    "return_set_aside.*": _NETWORK,
    "saved_means.gateway": _CODE,
    "saved_means.locale": _CODE,
    "seal.*": _CHAIN,
    "security_event.kind": _CODE,
    "pack.name": "the name of the offer",
    "paper_message.invoice": "a random id",
    "paper_message.locale": _CODE,
    "pack_offer.*": _LIEU,
    "price_group.*": _LIEU,
    "subscription.name": "the name of the plan",
    "zone.*": _LIEU,
}
"""``table.*``: every column of the table that declares nothing."""


def _text_columns() -> Iterator[Column[object]]:
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, (String, JSON, LargeBinary)) and column.name != "public_id":
                yield column


def _is_chosen(column: Column[object]) -> bool:
    """Whether the database allows it only words of a fixed list."""
    checks = [item for item in column.table.constraints if isinstance(item, CheckConstraint)]
    return any(str(check.sqltext).startswith(f"{column.name} IN (") for check in checks)


def test_each_text_column_says_who_sees_it_or_why_it_need_not():
    silent = {
        f"{column.table.name}.{column.name}"
        for column in _text_columns()
        if "seen_by" not in column.info and not _is_chosen(column)
    }
    forgotten = {name for name in silent if not {name, f"{name.split('.')[0]}.*"} & NOT_PERSONAL.keys()}
    assert not forgotten, "declare info={'seen_by': …}, or say in NOT_PERSONAL why it is not personal"
    needed = silent | {f"{name.split('.')[0]}.*" for name in silent}
    assert NOT_PERSONAL.keys() - needed == set(), "no longer needed"


def test_a_viewer_must_be_one_of_those_that_are_known():
    def declared(*viewers: str) -> MetaData:
        metadata = MetaData()
        Table("person", metadata, Column("shoe_size", String, info={"seen_by": viewers}))
        return metadata

    assert seen_by(declared(SELF, LEAD)) == {"person.shoe_size": frozenset({SELF, LEAD})}
    assert seen_by(declared()) == {"person.shoe_size": frozenset()}
    with pytest.raises(ValueError, match=r"person\.shoe_size is seen by the neighbours"):
        seen_by(declared("the neighbours"))


def test_the_answer_about_phone_numbers_is_as_declared():
    """`docs/privacy.md` gives it in words before the table."""
    assert seen_by(db.metadata)["person.phone"] == {SELF, HOST, MANAGER}
