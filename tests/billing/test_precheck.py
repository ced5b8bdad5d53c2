"""The look before issuing: what a document lacks, and the page where it is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coworking.billing import documents, precheck_rules
from coworking.billing.documents import Buyer, Draft, Seller
from coworking.billing.line_rules import ChargedItem
from coworking.billing.mentions import LEGAL_STATUS
from coworking.billing.precheck_rules import INVOICING, LIEU, PLANS, PRICES, MendPlace, mended_at, remarks
from coworking.billing.rules import AdhesionWithoutVat, BuyerIncomplete, SellerIncomplete
from coworking.membership.rules import AdhesionVatUnknown
from tests.support.billing import OCTOBER

SELLER = Seller(
    name="L’Atelier",
    legal_status=LEGAL_STATUS["association"],
    vat_status="taxable",
    siret="12345678900011",
    vat_number="FR00123456789",
    legal_mention=None,
    address="1 place",
    postcode="63000",
    city="Thiers",
    email=None,
    phone=None,
    iban="FR7630006000011234567890189",
    bic=None,
)
PERSON = Buyer(kind="person", id="anne", name="Anne", city="Thiers")
TOWN = Buyer(
    kind="organisation",
    id="mairie",
    name="Mairie",
    address="1 place",
    postcode="63300",
    city="Thiers",
    siren="216304307",
    siret="21630430700017",
    service_code="COMPTA",
    is_public=True,
)
DESK = ChargedItem("desk", "Poste", 1, "half_day", 900, 900, "ht", 2000, OCTOBER)


def draft(buyer: Buyer, item: ChargedItem = DESK) -> Draft:
    return Draft(buyer, OCTOBER, "EUR", [item])


def said(buyer: Buyer, seller: Seller = SELLER, item: ChargedItem = DESK) -> dict[str, tuple[MendPlace, ...]]:
    return {remark.words: remark.places for remark in remarks([draft(buyer, item)], seller)}


def test_what_lacks_nothing_is_silent():
    assert said(PERSON) == said(TOWN) == {}
    assert remarks([], replace(SELLER, iban=None)) == []


@pytest.mark.parametrize(
    ("buyer", "seller", "words", "places"),
    [
        (PERSON, replace(SELLER, iban=None), precheck_rules.NO_IBAN, (INVOICING,)),
        (PERSON, replace(SELLER, legal_status=LEGAL_STATUS["company"]), precheck_rules.NO_LEGAL_FORM, (INVOICING,)),
        (replace(PERSON, city=None), SELLER, precheck_rules.NO_ADDRESS, (MendPlace("person", "anne", "Anne"),)),
        (
            replace(TOWN, siren=None, siret=None, is_public=False),
            SELLER,
            precheck_rules.NO_SIREN,
            (MendPlace("organisation", "mairie", "Mairie"),),
        ),
        (replace(TOWN, siret=None), SELLER, precheck_rules.NO_SIRET, (MendPlace("organisation", "mairie", "Mairie"),)),
        (
            replace(TOWN, service_code=None),
            SELLER,
            precheck_rules.NO_ROUTE,
            (MendPlace("organisation", "mairie", "Mairie"),),
        ),
    ],
)
def test_each_lack_is_said_with_its_page(buyer, seller, words, places):
    assert said(buyer, seller) == {words: places}


def test_an_order_number_leads_an_invoice_to_a_public_body_too():
    assert said(replace(TOWN, service_code=None, order_number="E-12")) == {}


def test_unit_prices_that_tax_rounds_are_said_with_the_page_of_prices():
    with_tax = replace(DESK, basis="ttc", unit_cents=1000, amount_cents=1000)
    assert said(TOWN, item=with_tax) == {
        precheck_rules.ROUNDED_PRICES: (MendPlace("organisation", "mairie", "Mairie"), PRICES)
    }
    assert said(PERSON, item=with_tax) == {}


@pytest.mark.parametrize(
    ("problem", "place"),
    [
        (SellerIncomplete(missing=documents.SIRET), LIEU),
        (SellerIncomplete(missing=documents.ADDRESS), LIEU),
        (SellerIncomplete(missing=documents.VAT_NUMBER), INVOICING),
        (BuyerIncomplete(name="Mairie", missing=documents.ADDRESS), MendPlace("organisation", "mairie", "Mairie")),
        (AdhesionVatUnknown(), PLANS),
        (AdhesionWithoutVat(), None),
    ],
)
def test_what_prevents_issuing_leads_to_the_page_that_mends_it(problem, place):
    assert mended_at(problem, TOWN) == place
