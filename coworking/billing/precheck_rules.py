"""Rules of the look before issuing: what a document lacks, why that matters, and where it is mended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from coworking.billing import documents, mentions
from coworking.billing.documents import Buyer, Draft, Seller
from coworking.billing.line_rules import MICROS, document_body
from coworking.billing.rules import BuyerIncomplete, SellerIncomplete
from coworking.core.errors import N_, DomainError
from coworking.membership.rules import AdhesionVatUnknown

PlaceKind = Literal["lieu", "invoicing", "prices", "plans", "person", "organisation"]


@dataclass(frozen=True, slots=True)
class MendPlace:
    """A page where something is mended: ``kind`` of page, and of a payer ``id`` (public) and ``name``."""

    kind: PlaceKind
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class DraftRemark:
    """One thing to look at before issuing: ``words`` is a message id, ``places`` where it is mended."""

    words: str
    places: tuple[MendPlace, ...]


LIEU, INVOICING, PRICES, PLANS = MendPlace("lieu"), MendPlace("invoicing"), MendPlace("prices"), MendPlace("plans")

NO_LEGAL_FORM = N_("The legal form, capital and register of the company are not filled in.")
NO_IBAN = N_("No IBAN is filled in: the invoices do not say where to pay.")
NO_ADDRESS = N_("Without postal address, which an invoice should show:")
NO_SIREN = N_("Without SIREN, which an invoice to an organisation must show:")
NO_SIRET = N_("Public bodies without SIRET: Chorus Pro refuses their invoices:")
NO_ROUTE = N_("Public bodies without service code or order number: Chorus Pro may refuse their invoices. Ask them:")
ROUNDED_PRICES = N_(
    "Unit prices without VAT have more than two decimals, because your prices include VAT. It is allowed; to print round "
    "ones, set prices without VAT. It concerns:"
)


def remarks(drafts: Sequence[Draft], seller: Seller) -> list[DraftRemark]:
    """What the law or the payer would miss on documents that can be issued all the same."""
    buyers = [draft.buyer for draft in drafts]
    organisations = [buyer for buyer in buyers if buyer.is_organisation]
    public = [buyer for buyer in organisations if buyer.is_public]
    found = [
        (NO_ADDRESS, [buyer for buyer in buyers if not buyer.is_organisation and not buyer.city]),
        (NO_SIREN, [buyer for buyer in organisations if not (buyer.siren or buyer.siret)]),
        (NO_SIRET, [buyer for buyer in public if not buyer.siret]),
        (NO_ROUTE, [buyer for buyer in public if not (buyer.service_code or buyer.order_number)]),
    ]
    said = [DraftRemark(words, (INVOICING,)) for words in (NO_LEGAL_FORM, NO_IBAN) if drafts and _lacks(seller, words)]
    said += [DraftRemark(words, tuple(map(of_buyer, whose))) for words, whose in found if whose]
    if rounded := [draft.buyer for draft in drafts if _has_rounded_prices(draft)]:
        said.append(DraftRemark(ROUNDED_PRICES, (*map(of_buyer, rounded), PRICES)))
    return said


def mended_at(problem: DomainError, buyer: Buyer) -> MendPlace | None:
    """The page where what prevents issuing is mended; None: no single one."""
    match problem:
        case SellerIncomplete():
            return INVOICING if problem.params.get("missing") == documents.VAT_NUMBER else LIEU
        case BuyerIncomplete():
            return of_buyer(buyer)
        case AdhesionVatUnknown():
            return PLANS
        case _:
            return None


def of_buyer(buyer: Buyer) -> MendPlace:
    """The page of a payer."""
    return MendPlace("organisation" if buyer.is_organisation else "person", buyer.id, buyer.name)


def _lacks(seller: Seller, words: str) -> bool:
    if words == NO_IBAN:
        return not seller.iban
    return seller.legal_status == mentions.LEGAL_STATUS["company"] and not seller.legal_mention


def _has_rounded_prices(draft: Draft) -> bool:
    body = document_body(draft.items, organisation=draft.buyer.is_organisation)
    return body.basis == "ht" and any(line.unit_micros % MICROS for line in body.lines)
