"""Drafts from charges: what would be invoiced to whom, and what prevents it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import select

from coworking.billing import documents, line_rules, mentions, payer_queries, precheck_rules, queries
from coworking.billing.models import Charge
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.months import month_after
from coworking.membership import queries as memberships
from coworking.membership.models import Agreement
from coworking.pricing.rules import PricedLine, Totals
from coworking.spaces import queries as spaces

PayerKey = tuple[int | None, int | None]
"""Who pays: (person id, organisation id), one of them None."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One document to come: its charges, its draft, and why it cannot be issued, if so."""

    key: PayerKey
    charges: Sequence[Charge]
    draft: documents.Draft
    problem: DomainError | None
    email: str | None

    @property
    def value(self) -> str:
        """Who pays, as a value of `payer_queries.payers`."""
        return payer_queries.payer_value(self.charges[0])

    @property
    def discounts(self) -> dict[int, Charge]:
        """The discounts among its charges, by the id of the charge that each reduces."""
        return {charge.source_id: charge for charge in self.charges if charge.source == "discount"}

    @property
    def mended_at(self) -> precheck_rules.MendPlace | None:
        """The page where what prevents issuing is mended; None: nothing does, or no single page."""
        return None if self.problem is None else precheck_rules.mended_at(self.problem, self.draft.buyer)

    @property
    def totals(self) -> Totals:
        return line_rules.document_body(self.draft.items, organisation=self.draft.buyer.is_organisation).totals


def seller() -> documents.Seller:
    """The lieu as invoices name it now."""
    lieu, row = spaces.lieu(), queries.settings_row()
    return documents.Seller(
        name=lieu.name,
        legal_status=mentions.LEGAL_STATUS[lieu.legal_status],
        vat_status=lieu.vat_status,
        siret=lieu.siret,
        vat_number=row.vat_number,
        legal_mention=row.legal_mention,
        address=lieu.address,
        postcode=lieu.postcode,
        city=lieu.city,
        email=lieu.email,
        phone=lieu.phone,
        iban=row.iban,
        bic=row.bic,
        simulation=lieu.is_simulation,
    )


def terms() -> mentions.InvoiceTerms:
    """The wording that the lieu prints."""
    vat_status = spaces.lieu().vat_status
    return mentions.InvoiceTerms(
        vat_status,
        queries.replaced_mentions(vat_status),
        queries.settings_row().vat_on_debits,
        memberships.settings().adhesion_vat,
    )


def prepare(month: date) -> list[Prepared]:
    """The documents that the charges due by ``month`` make, one per payer (5 statements whatever their number)."""
    charges = queries.charges_due(month)
    return prepare_from(charges, month)


def of_payer(payer: str, month: date) -> Prepared | None:
    """What one payer owes for ``month`` and before, not invoiced yet; None: nothing. Raises `PayerUnknown`."""
    mine = queries.charged_to(payer_queries.payer_ids(payer))
    found = prepare_from(queries.charges_due(month, mine), month)
    return found[0] if found else None


def prepare_from(charges: Iterable[Charge], month: date) -> list[Prepared]:
    """The same from loaded charges, which must come sorted by payer."""
    orders, from_, words, currency = _orders(month), seller(), terms(), spaces.lieu().currency
    found: list[Prepared] = []
    for key, group in groupby(charges, key=key_of):
        rows = list(group)
        buyer = _buyer(rows[0], orders)
        draft = documents.Draft(buyer, month, currency, [item_of(row) for row in rows])
        found.append(Prepared(key, rows, draft, _problem(draft, from_, words), _email(rows[0])))
    return found


def with_vat(charges: Sequence[Charge]) -> tuple[list[int], int]:
    """What each of one person's charges comes to with its VAT, and all together."""
    lines = [PricedLine(item.amount_cents, item.vat_rate_bp, item.basis) for item in map(item_of, charges)]
    sums, _nets, grosses = line_rules.shared_out(lines)
    return grosses, sums.payable_cents


def key_of(charge: Charge) -> PayerKey:
    return charge.payer_person_id, charge.payer_organisation_id


def item_of(charge: Charge) -> line_rules.ChargedItem:
    """A charge as plain values for the rules."""
    return line_rules.ChargedItem(
        family=charge.family,
        label=charge.label,
        quantity=charge.quantity,
        unit=charge.unit,
        unit_cents=charge.unit_cents,
        amount_cents=charge.amount_cents,
        basis="ht" if charge.basis == "ht" else "ttc",
        vat_rate_bp=charge.vat_rate_bp,
        month=charge.month,
        day=charge.day,
        # What a person used is counted on their line; a discount on it counts nothing.
        who=None if charge.person is None or charge.source == "discount" else charge.person.name,
        account=charge.account,
    )


def preview(ready: Prepared) -> dict[str, Any]:
    """The content that the document would have if it were issued today, under a placeholder number."""
    number = documents.PLACEHOLDER
    return documents.invoice(ready.draft, seller(), terms(), number=number, seq=1, issued_on=spaces.today())


def _problem(draft: documents.Draft, from_: documents.Seller, words: mentions.InvoiceTerms) -> DomainError | None:
    """What a document built under a placeholder number refuses."""
    try:
        documents.check(draft, from_, words)
        number = documents.PLACEHOLDER
        documents.invoice(draft, from_, words, number=number, seq=1, issued_on=spaces.today())
    except DomainError as error:
        return error
    return None


def _orders(month: date) -> dict[int, str]:
    """Order numbers by organisation: those of the agreement that rules the month, the latest first."""
    rows = db.session.execute(
        select(Agreement.organisation_id, Agreement.order_number)
        .where(Agreement.order_number.is_not(None), Agreement.valid_from < month_after(month))
        .order_by(Agreement.valid_from, Agreement.id)
    )
    return {organisation: number for organisation, number in rows if number}


def _buyer(charge: Charge, orders: dict[int, str]) -> documents.Buyer:
    organisation, person = charge.payer_organisation, charge.payer_person
    if organisation is not None:
        return documents.Buyer(
            kind="organisation",
            id=organisation.public_id,
            name=organisation.name,
            address=organisation.address,
            postcode=organisation.postcode,
            city=organisation.city,
            siren=organisation.siren,
            siret=organisation.siret,
            vat_number=organisation.vat_number,
            service_code=organisation.service_code,
            order_number=orders.get(organisation.id),
            is_public=organisation.is_public,
        )
    assert person is not None, "a charge has exactly one payer"
    return documents.Buyer(
        kind="person",
        id=person.public_id,
        name=person.name,
        address=person.address,
        postcode=person.postcode,
        city=person.city,
    )


def _email(charge: Charge) -> str | None:
    receiver = payer_queries.receiver_of(charge)
    return None if receiver is None else receiver.email


def remarks(ready: Sequence[Prepared]) -> list[precheck_rules.DraftRemark]:
    """What to look at before issuing ``ready``, none of which prevents it."""
    return precheck_rules.remarks([row.draft for row in ready], seller())


def missing() -> list[str]:
    """What the law requires of the lieu and the settings lack, as message ids."""
    return documents.missing(seller())
