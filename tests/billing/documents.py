"""An invoice's content made of lines, without a database."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from coworking.billing import credit_rules, documents, mentions
from coworking.billing.line_rules import ChargedItem

OCTOBER = date(2026, 10, 1)
SELLER = documents.Seller(
    name="La Fabrique du Pont",
    legal_status="Association loi 1901",
    vat_status="taxable",
    siret="12345678900011",
    vat_number="FR00123456789",
    legal_mention=None,
    address="4 rue du Pont",
    postcode="63300",
    city="Thiers",
    email=None,
    phone=None,
    iban=None,
    bic=None,
)
TERMS = mentions.InvoiceTerms("taxable")


def desk(day: int = 1, cents: int = 900, who: str = "Anne Marchand", **values) -> ChargedItem:
    given_ = {
        "family": "desk",
        "label": "Poste de travail, demi-journée",
        "quantity": 1,
        "unit": "half_day",
        "unit_cents": cents,
        "amount_cents": cents,
        "basis": "ttc",
        "vat_rate_bp": 2000,
        "month": OCTOBER,
        "day": date(2026, 10, day),
        "who": who,
    }
    return ChargedItem(**(given_ | values))


def buyer(kind: str = "person") -> documents.Buyer:
    return documents.Buyer(
        kind=kind, id="k7mq2v9xw4tdz3hb", name="Essai", address="1 rue", postcode="63300", city="Thiers"
    )


def document(items, kind: str = "person", **seller):
    draft = documents.Draft(buyer(kind), OCTOBER, "EUR", items)
    return documents.invoice(draft, SELLER, TERMS, number="F2026-0001", seq=1, issued_on=date(2026, 11, 2))


def credit(original, taken, before=None):
    """A credit note over ``taken``, cents by place, after those that took ``before``."""
    return documents.credit_note(
        original,
        before=before or {},
        taken=taken,
        number="A2026-0001",
        seq=2,
        issued_on=date(2026, 11, 3),
        reason="Essai",
    )


def undone(original):
    """The credit note that takes back all of it."""
    return credit(original, credit_rules.left_of(original, {}))


families = st.sampled_from(["desk", "subscription", "other"])
items = st.lists(
    st.one_of(
        st.builds(
            lambda family, cents, quantity, rate: desk(
                family=family,
                unit="piece",
                quantity=quantity,
                unit_cents=cents,
                amount_cents=cents * quantity,
                vat_rate_bp=rate,
                label=f"{family} {cents}",
            ),
            families,
            st.integers(0, 50_000),
            st.integers(1, 40),
            st.sampled_from([0, 210, 550, 1000, 2000]),
        ),
        st.builds(
            lambda cents: desk(
                family="adhesion", unit="year", unit_cents=cents, amount_cents=cents, vat_rate_bp=0, label=f"A{cents}"
            ),
            st.integers(1, 5000),
        ),
    ),
    min_size=1,
    max_size=12,
)
