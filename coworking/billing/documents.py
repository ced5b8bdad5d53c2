"""A document's whole content as plain JSON values: what is frozen, signed, printed and exported. Pure.

The snapshot is schema ``invoice/2``. Amounts are integer cents, unit prices millionths of the currency unit, rates basis
points, dates ISO 8601. A credit note holds what it takes
back of an invoice's lines with every sign turned, each with its place there (``of_line``), and the number and date of that
invoice (EN 16931 BT-25, BT-26). Documents of schema ``invoice/1`` keep what they say: one basis for all that was quoted,
unit prices as ``unit_cents``, no ``net_cents`` on their lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from coworking.billing import mentions
from coworking.billing.credit_rules import credit_lines, credit_sums, left_of
from coworking.billing.line_rules import MICROS, ChargedItem, counted, document_body
from coworking.billing.rules import AdhesionWithoutVat, AmountsDisagree, BuyerIncomplete, SellerIncomplete, due_on
from coworking.core.errors import N_
from coworking.core.money import divide_half_up
from coworking.core.months import month_end, write_month
from coworking.membership.rules import AdhesionVatUnknown
from coworking.pricing.rules import Group, vat_of

SCHEMA = "invoice/2"
PLACEHOLDER = "F0000-0000"
"""Stands for the number while a document is checked: the real one is taken only by what will be issued."""

ADDRESS, SIRET, VAT_NUMBER = N_("its address"), N_("its SIRET"), N_("its VAT number")


@dataclass(frozen=True, slots=True)
class Seller:
    """The lieu as its PDFs name it."""

    name: str
    legal_status: str
    vat_status: str
    siret: str | None
    vat_number: str | None
    legal_mention: str | None
    address: str
    postcode: str
    city: str
    email: str | None
    phone: str | None
    iban: str | None
    bic: str | None
    simulation: bool = False


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who pays: ``id`` is the public id, ``kind`` ``person`` or ``organisation``. Later changes do not reach the PDF.

    ``is_public``: a public body, whose invoices go through Chorus Pro.
    """

    kind: str
    id: str
    name: str
    address: str | None = None
    postcode: str | None = None
    city: str | None = None
    siren: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    service_code: str | None = None
    order_number: str | None = None
    is_public: bool = False

    @property
    def is_organisation(self) -> bool:
        return self.kind == "organisation"


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be invoiced to one payer for one month."""

    buyer: Buyer
    month: date
    currency: str
    items: Sequence[ChargedItem] = field(default_factory=tuple)


def missing(seller: Seller) -> list[str]:
    """What an invoice must show of the lieu and the settings do not say, as message ids."""
    wanted = [(ADDRESS, bool(seller.address and seller.postcode and seller.city)), (SIRET, bool(seller.siret))]
    if seller.vat_status == "taxable":
        wanted.append((VAT_NUMBER, bool(seller.vat_number)))
    return [name for name, there in wanted if not there]


def check(draft: Draft, seller: Seller, terms: mentions.InvoiceTerms) -> None:
    """Raise what the law forbids to issue: `SellerIncomplete`, `BuyerIncomplete`; an adhesion without VAT where that is not
    how the lieu taxes it: `AdhesionVatUnknown`, `AdhesionWithoutVat`.

    A consumer needs no address; what is invoiced to an organisation shows where it is.
    """
    if seller.vat_status == "taxable" and any(_is_untaxed_adhesion(item) for item in draft.items):
        if terms.adhesion_vat is None:
            raise AdhesionVatUnknown()
        if terms.adhesion_vat == "taxable":
            raise AdhesionWithoutVat()
    if not seller.simulation and (names := missing(seller)):
        raise SellerIncomplete(missing=names[0])
    buyer = draft.buyer
    if buyer.is_organisation and not (buyer.address and buyer.postcode and buyer.city):
        raise BuyerIncomplete(name=buyer.name, missing=ADDRESS)


def _is_untaxed_adhesion(item: ChargedItem) -> bool:
    return item.family == "adhesion" and item.vat_rate_bp == 0


def invoice(
    draft: Draft,
    seller: Seller,
    terms: mentions.InvoiceTerms,
    *,
    number: str,
    seq: int,
    issued_on: date,
    paid_by: str | None = None,
) -> dict[str, Any]:
    """The snapshot of an invoice; raises `AmountsDisagree` when its own sums are wrong.

    ``paid_by``: the means it was paid by as it was issued. Only such a document has the key ``paid``.
    """
    body = document_body(draft.items, organisation=draft.buyer.is_organisation)
    lines, sums = body.lines, body.totals
    months = sorted({line.month for line in lines}) or [draft.month]
    nature = _nature(line.account for line in lines)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "invoice",
        "number": number,
        "seq": seq,
        "issued_on": issued_on.isoformat(),
        "due_on": due_on(issued_on, organisation=draft.buyer.is_organisation).isoformat(),
        "month": write_month(draft.month),
        "period": {"first": months[0].isoformat(), "last": month_end(months[-1]).isoformat()},
        "currency": draft.currency,
        "seller": asdict(seller),
        "buyer": asdict(draft.buyer),
        "basis": body.basis,
        "lines": [
            {
                "family": line.family,
                "label": line.label,
                "quantity": line.quantity,
                "unit": line.unit,
                "unit_micros": line.unit_micros,
                "amount_cents": line.amount_cents,
                "net_cents": line.net_cents,
                "vat_rate_bp": line.vat_rate_bp,
                "month": write_month(line.month),
                "days": [day.isoformat() for day in line.days],
                "people": [{"name": name, "quantity": quantity} for name, quantity in line.people],
            }
            | ({"account": line.account} if line.account else {})
            for line in lines
        ],
        "taxes": [_tax(group) for group in sums.groups],
        "net_cents": sums.net_cents,
        "vat_cents": sums.vat_cents,
        "gross_cents": sums.gross_cents,
        "rounding_cents": sums.rounding_cents,
        "payable_cents": sums.payable_cents,
        "exemption": mentions.exemption(terms, issued_on),
        "notes": mentions.notes(
            terms,
            issued_on,
            organisation=draft.buyer.is_organisation,
            adhesion=any(_is_untaxed_adhesion(item) for item in draft.items),
            nature=nature,
        ),
        "corrects": None,
        "reason": None,
    }
    if paid_by is not None:
        paid = {"cents": sums.payable_cents, "on": issued_on.isoformat(), "method": paid_by}
        document |= {"paid": paid, "due_on": issued_on.isoformat()}
    if nature != "services":
        document["nature"] = nature
    check_amounts(document)
    return document


def _nature(accounts: Iterable[str | None]) -> str:
    """Whether lines booked on ``accounts`` are ``services``, ``goods`` (sold, or made and sold) or ``both``."""
    goods = {account is not None and account.startswith(("701", "702", "703", "707")) for account in accounts}
    return "both" if len(goods) == 2 else "goods" if goods == {True} else "services"


def credit_note(
    original: Mapping[str, Any],
    *,
    before: Mapping[int, int],
    taken: Mapping[int, int],
    number: str,
    seq: int,
    issued_on: date,
    reason: str,
) -> dict[str, Any]:
    """The snapshot that takes back ``taken`` of ``original``, cents by the place of its line; ``before``: what earlier ones
    took (`credit_rules`). Taking all at once undoes it to the cent."""
    sums = credit_sums(original, before, taken)
    document = dict(original)
    document |= {
        "kind": "credit_note",
        "number": number,
        "seq": seq,
        "issued_on": issued_on.isoformat(),
        "due_on": issued_on.isoformat(),
        "lines": credit_lines(original, taken, sums),
        "taxes": [_tax(group) for group in sums.groups],
        "corrects": {
            "number": original["number"],
            "issued_on": original["issued_on"],
            "in_part": dict(taken) != left_of(original, {}),
        },
        "reason": reason,
    }
    document.pop("paid", None)
    document |= {name: getattr(sums, name) for name in SUMS}
    check_amounts(document)
    return document


def _tax(group: Group) -> dict[str, int]:
    return {
        "vat_rate_bp": group.vat_rate_bp,
        "net_cents": group.net_cents,
        "vat_cents": group.vat_cents,
        "rounding_cents": group.rounding_cents,
    }


SUMS = ("net_cents", "vat_cents", "gross_cents", "rounding_cents", "payable_cents")


def check_amounts(document: Mapping[str, Any]) -> None:
    """Raise `AmountsDisagree` unless every sum is what its parts come to and VAT is half-up per rate.

    Public validators do not notice such faults, so nothing is issued without this.
    """
    lines, taxes, basis = document["lines"], document["taxes"], document["basis"]
    right = all(_line_adds_up(line) for line in lines)
    for group in taxes:
        amount = sum(line["amount_cents"] for line in lines if line["vat_rate_bp"] == group["vat_rate_bp"])
        gross = group["net_cents"] + group["vat_cents"]
        right &= group["vat_cents"] == vat_of(group["net_cents"], group["vat_rate_bp"])
        right &= amount == (group["net_cents"] if basis == "ht" else gross + group["rounding_cents"])
        # A credit note may stand for two roundings: that of its invoice, and that of the notes before it.
        right &= abs(group["rounding_cents"]) <= (2 if document["kind"] == "credit_note" else 1)
        nets = [
            line["net_cents"] for line in lines if line["vat_rate_bp"] == group["vat_rate_bp"] and "net_cents" in line
        ]
        right &= not nets or sum(nets) == group["net_cents"]
    right &= {line["vat_rate_bp"] for line in lines} == {group["vat_rate_bp"] for group in taxes}
    for name in ("net_cents", "vat_cents", "rounding_cents"):
        right &= document[name] == sum(group[name] for group in taxes)
    right &= document["gross_cents"] == document["net_cents"] + document["vat_cents"]
    right &= document["payable_cents"] == document["gross_cents"] + document["rounding_cents"]
    if not right:
        raise AmountsDisagree()


def unit_micros(line: Mapping[str, Any]) -> int:
    """A line's unit price in millionths of the currency unit, of any schema."""
    return line["unit_micros"] if "unit_micros" in line else line["unit_cents"] * MICROS


def _line_adds_up(line: Mapping[str, Any]) -> bool:
    """Quantity times price. A price that is no whole number of cents was turned into another basis: its line shares out the
    document's sum and may be a cent off. Hours are priced to the minute and each use rounded by itself: half a cent each
    at most."""
    price = Fraction(abs(unit_micros(line)), MICROS)
    exact = price * counted(line["quantity"], line["unit"])
    off = abs(abs(line["amount_cents"]) - divide_half_up(exact.numerator, exact.denominator))
    allowed = max(1, line["quantity"] // 15) if line["unit"] == "hour" else 0
    return off <= allowed + (price.denominator != 1)
