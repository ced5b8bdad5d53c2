"""Issuing and crediting: the only writer of documents. `coworking.billing.paying` writes what is paid.

A document is checked under a placeholder number while reading. Then one short unit locks its charges, takes the next
number, freezes the content, chains it and enqueues what follows (`billing.handlers` draws the PDF and sends it).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from coworking.billing import credit_rules, documents, drafts, hold_queries, queries, rules
from coworking.billing.charges import check_manager, gather_recent
from coworking.billing.mentions import MENTIONS
from coworking.billing.models import Charge, Invoice
from coworking.billing.numbering import next_in
from coworking.core import audit, links, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError, NotFound
from coworking.core.keyring import SigningKey, signing_key
from coworking.core.months import month_of
from coworking.core.policy import Actor
from coworking.core.sealing import update_rows
from coworking.core.sql import insert_missing
from coworking.core.types import public_id
from coworking.core.units import locked, require_unit, snapshot, write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.calendar import lock_lieu

log = logging.getLogger(__name__)

_LATE_MONTHS = 2
"""How many earlier months a run gathers again: what was written down late is not forgotten."""


@dataclass(slots=True)
class Run:
    """What a month's issuing came to. ``problems``: (payer's name, why not); ``carried``: payers with nothing to pay;
    ``held``: payers whose draft a manager holds back."""

    issued: list[Invoice] = field(default_factory=list[Invoice])
    problems: list[tuple[str, DomainError]] = field(default_factory=list[tuple[str, DomainError]])
    carried: list[str] = field(default_factory=list[str])
    held: list[str] = field(default_factory=list[str])


def run(actor: Actor, month: date) -> Run:
    """Issue one invoice per payer for everything due by ``month``. Raises `InvoicedMonthToCome`.

    Each payer has a unit of their own: what stands in the way of one is reported and does not stop the others. What comes
    to nothing is carried over, and what is held back is left. Two runs at once share the work: a charge is
    locked before it is billed.
    """
    check_manager(actor)
    rules.check_month(month, spaces.today())
    gather_recent(month, back=_LATE_MONTHS)
    done, key = Run(), signing_key()
    prepared, held = drafts.prepare(month), hold_queries.held_back()
    for document in prepared:
        name = document.draft.buyer.name
        if document.problem is not None:
            done.problems.append((name, document.problem))
            continue
        if document.totals.payable_cents <= 0:
            done.carried.append(name)
            continue
        if document.key in held:
            done.held.append(name)
            continue
        try:
            done.issued.append(_issue(actor, month, key, [charge.id for charge in document.charges]))
        except rules.DraftHeld:
            done.held.append(name)
        except rules.NothingToInvoice:
            continue  # another run was quicker
        except DomainError as error:
            done.problems.append((name, error))
    return done


def issue_one(actor: Actor, payer: str, month: date, shown_cents: int) -> Invoice:
    """Issue now what one payer (a value of `payer_queries.payers`) owes for ``month`` and before; its run then skips it.

    ``shown_cents``: what the manager read before pressing the button. Raises `DraftChanged` when it comes to another
    amount by now, `DraftHeld`, `NothingToInvoice`, and what prevents issuing.
    """
    check_manager(actor)
    rules.check_month(month, spaces.today())
    key, ready = signing_key(), drafts.of_payer(payer, month)
    if ready is None:
        raise rules.NothingToInvoice()
    return _issue(actor, month, key, [charge.id for charge in ready.charges], shown_cents=shown_cents)


def _issue(
    actor: Actor, month: date, key: SigningKey, charge_ids: Sequence[int], *, shown_cents: int | None = None
) -> Invoice:
    """Bill those of the charges that are still billable, all of one payer, in one unit."""
    with write_unit():
        db.session.scalars(locked(select(Charge).where(Charge.id.in_(charge_ids)).order_by(Charge.id))).all()
        # Read again behind the locks: what another run billed, or a manager waived, meanwhile is not there any more.
        # A discount given meanwhile comes with the charge that it reduces.
        due = queries.charges_due(month, queries.with_discounts(charge_ids))
        prepared = drafts.prepare_from(due, month)
        if not prepared or prepared[0].totals.payable_cents <= 0:
            raise rules.NothingToInvoice()
        ready = prepared[0]
        if (held := hold_queries.of_payer(ready.key)) is not None:
            raise rules.DraftHeld(reason=held.reason)
        if shown_cents is not None and ready.totals.payable_cents != shown_cents:
            raise rules.DraftChanged()
        return issue_in_unit(actor, key, ready, month)


def issue_in_unit(
    actor: Actor, key: SigningKey, ready: drafts.Prepared, month: date, *, paid_by: str | None = None
) -> Invoice:
    """Number, freeze and chain one prepared document in the open unit, its charges locked or made by it.

    ``paid_by``: the means it is paid by at this very moment, which it then says. Raises what prevents issuing.
    """
    require_unit()
    if ready.problem is not None:
        raise ready.problem
    issued_on = spaces.today()
    seq, previous = _next_link()
    number = _next_number("invoice", issued_on)
    content = documents.invoice(
        ready.draft,
        drafts.seller(),
        drafts.terms(),
        number=number,
        seq=seq,
        issued_on=issued_on,
        paid_by=paid_by,
    )
    invoice = _freeze(actor, key, content, previous, payer=ready.key, month=month)
    update_rows(Charge, [charge.id for charge in ready.charges], invoice_id=invoice.id)
    return invoice


def _next_link() -> tuple[int, str]:
    """The chain's next sequence number and the digest it follows. The chain's counter is locked before any number."""
    seq = next_in(rules.CHAIN)
    last = db.session.scalar(select(Invoice).where(Invoice.seq == seq - 1))
    return seq, links.GENESIS if last is None else link_of(last).digest


def _next_number(kind: rules.DocumentKind, issued_on: date) -> str:
    series = rules.series_of(kind, issued_on)
    return rules.number_of(series, next_in(series))


def link_of(invoice: Invoice) -> links.ChainLink:
    """A document's link in the chain."""
    return links.ChainLink(invoice.seq, invoice.prev, invoice.sha256, invoice.key_id, invoice.signature)


def _freeze(
    actor: Actor,
    key: SigningKey,
    content: Mapping[str, Any],
    previous: str,
    *,
    payer: drafts.PayerKey,
    month: date,
    corrects_id: int | None = None,
) -> Invoice:
    payload = links.canonical_payload(content)
    link = links.link_behind(key, content["seq"], previous, payload)
    invoice = Invoice(
        public_id=public_id(),
        seq=link.seq,
        number=content["number"],
        kind=content["kind"],
        corrects_id=corrects_id,
        payer_person_id=payer[0],
        payer_organisation_id=payer[1],
        month=month,
        issued_on=date.fromisoformat(content["issued_on"]),
        due_on=date.fromisoformat(content["due_on"]),
        currency=content["currency"],
        **{name: content[name] for name in documents.SUMS},
        payload=payload,
        sha256=link.sha256,
        prev=link.prev,
        key_id=link.key_id,
        signature=link.signature,
        issued_at=now(),
        issued_by_id=actor.person_id,
    )
    db.session.add(invoice)
    db.session.flush()
    audit.record(
        actor,
        f"billing.{invoice.kind}_issued",
        ("invoice", invoice.id),
        person_id=invoice.payer_person_id,
        cents=invoice.payable_cents,
    )
    outbox.enqueue(queries.ISSUED, f"{queries.ISSUED}:{invoice.public_id}", {"invoice": invoice.public_id})
    return invoice


def invoice_locked(public: str) -> Invoice:
    """The document under a lock, so that payments and credit notes come one after the other; raises `NotFound`."""
    found = db.session.scalars(locked(select(Invoice).where(Invoice.public_id == public))).one_or_none()
    if found is None:
        raise NotFound()
    if found.kind != "invoice":
        raise rules.NotAnInvoice()
    return found


# Credit notes ---------------------------------------------------------------------------------------------------------


def credit(
    actor: Actor, public: str, reason: str, *, taken: Mapping[int, int] | None = None, again: bool = False
) -> Invoice:
    """Take back an invoice, or a part of it, by a credit note; audited.

    ``taken``: cents by the place of a line, in the invoice's basis and with the line's sign; None: all that earlier ones
    have left. ``again``: the charges of an invoice undone as a whole are to be invoiced once more with the current month
    (after an address was mended, say); otherwise they are owed no longer. Raises `credit_rules.AlreadyCredited`,
    `CreditTooMuch`, `NothingCredited`, `BilledAgainInPart`.
    """
    check_manager(actor)
    why, key = rules.check_reason(reason), signing_key()
    with write_unit():
        return credit_in_unit(actor, key, invoice_locked(public), why, taken=taken, again=ALL_SOURCES if again else ())


ALL_SOURCES = ("quote", "subscription", "place", "pack", "adhesion", "line", "rebill", "sale")


def credit_in_unit(
    actor: Actor,
    key: SigningKey,
    original: Invoice,
    reason: str,
    *,
    taken: Mapping[int, int] | None = None,
    again: Collection[str] = (),
) -> Invoice:
    """The same in the open unit, which holds the lock of ``original``. Of its charges, those whose source is among ``again``
    are to be invoiced once more."""
    require_unit()
    content = queries.content(original)
    before = credit_rules.taken_by(map(queries.content, queries.credit_notes_of(original)))
    parts = credit_rules.check_taken(credit_rules.left_of(content, before), taken)
    if again and parts != credit_rules.left_of(content, {}):
        raise credit_rules.BilledAgainInPart()
    issued_on = spaces.today()
    seq, previous = _next_link()
    number = _next_number("credit_note", issued_on)
    note = _freeze(
        actor,
        key,
        documents.credit_note(
            content, before=before, taken=parts, number=number, seq=seq, issued_on=issued_on, reason=reason
        ),
        previous,
        payer=(original.payer_person_id, original.payer_organisation_id),
        month=original.month,
        corrects_id=original.id,
    )
    if again:
        _charge_again(actor, original, month_of(issued_on), again)
    return note


def _charge_again(actor: Actor, original: Invoice, due_month: date, sources: Collection[str]) -> None:
    """Copy the charges of ``original`` from ``sources``, with the discounts on them."""
    billed = list(db.session.scalars(select(Charge).where(Charge.invoice_id == original.id).order_by(Charge.id)))
    again = [charge for charge in billed if charge.source in sources]
    insert_missing(Charge, [_copy(actor, charge, due_month, "rebill", charge.id) for charge in again])
    rebilled = select(Charge.source_id, Charge.id).where(
        Charge.source == "rebill", Charge.source_id.in_([charge.id for charge in again])
    )
    copies = {row.source_id: row.id for row in db.session.execute(rebilled)}
    discounts = [row for row in billed if row.source == "discount" and row.source_id in copies]
    insert_missing(Charge, [_copy(actor, row, due_month, "discount", copies[row.source_id]) for row in discounts])


def _copy(actor: Actor, charge: Charge, due_month: date, source: str, source_id: int) -> dict[str, Any]:
    copied = (
        "payer_person_id",
        "payer_organisation_id",
        "person_id",
        "family",
        "month",
        "day",
        "label",
        "quantity",
        "unit",
        "unit_cents",
        "amount_cents",
        "basis",
        "vat_rate_bp",
        "account",
    )
    return {name: getattr(charge, name) for name in copied} | {
        "public_id": public_id(),
        "source": source,
        "source_id": source_id,
        "due_month": due_month,
        "created_at": now(),
        "created_by_id": actor.person_id,
        "invoice_id": None,
    }


# Settings -------------------------------------------------------------------------------------------------------------


def update_settings(actor: Actor, **values: object) -> None:
    """Set what PDFs say from now on (columns of `BillingSettings`); what is issued keeps its words.

    Audited with old and new values.
    """
    check_manager(actor)
    with write_unit():
        lock_lieu()
        row = queries.settings_row()
        changed = {name: [getattr(row, name), value] for name, value in values.items() if getattr(row, name) != value}
        for name, (_old, new) in changed.items():
            setattr(row, name, new)
        db.session.add(row)
        if changed:
            audit.record(actor, "billing.settings", ("lieu", 1), changed=changed)


def replace_mention(actor: Actor, key: str, words: str | None) -> None:
    """Print the lieu's own ``words`` for a mention from now on; None: the standard ones. Raises `NotFound`.

    Audited with old and new words, and sealed with them. What is issued keeps its own.
    """
    check_manager(actor)
    if key not in MENTIONS:
        raise NotFound()
    with write_unit():
        lock_lieu()
        row, held = queries.settings_row(), queries.replaced_mentions(spaces.lieu().vat_status)
        if held.get(key) == words:
            return
        row.mentions = {name: text for name, text in (held | {key: words}).items() if text} or None
        row.exemption = row.penalty = None
        db.session.add(row)
        audit.record(actor, "billing.mention", ("lieu", 1), changed={key: [held.get(key), words]})


# The chain ------------------------------------------------------------------------------------------------------------


def chain_problems(public_keys: Mapping[str, bytes]) -> list[str]:
    """What is wrong with the chain of all documents; empty when everything is as it was issued."""
    with snapshot():
        rows = db.session.scalars(select(Invoice).order_by(Invoice.seq).execution_options(yield_per=500))
        return links.problems(((link_of(row), row.payload) for row in rows), public_keys.get)
