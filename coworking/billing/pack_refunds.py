"""Give back what is left of a pack: its units go, and its owner owes that much less or gets a credit note.

Managers only. Where the pack was not invoiced yet, its charge is reduced, or waived when all of it goes back. Where it was,
a credit note takes back that part of its line; what had been paid of it is then refunded from the invoice, as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.billing import charges, discounts, labels, manual_charges, queries, services
from coworking.billing.models import Charge, Invoice
from coworking.core import audit
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.keyring import signing_key
from coworking.core.money import Cents, divide_half_up
from coworking.core.months import month_of
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.membership import queries as memberships
from coworking.membership.models import Pack, PackReturn
from coworking.membership.pack_rules import PackNothingLeft, PackRefundChanged, given_back_cents
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PackRefund:
    """What giving back the ``left`` units of ``pack`` comes to, in ``cents`` of its basis; ``invoice``: where it stands."""

    pack: Pack
    left: int
    cents: int
    invoice: Invoice | None


def look(public_id: str) -> PackRefund:
    """What giving back would come to now; raises `NotFound`, `PackNothingLeft`."""
    pack = memberships.pack_by_public_id(public_id)
    return _found(pack, _standing_charge(pack))


def give_back(actor: Actor, public_id: str, *, agreed_cents: int, agreed_units: int) -> Invoice | None:
    """Give back what is left; the credit note where the pack was invoiced, else None. Audited.

    Raises `PackNothingLeft`, `PackRefundChanged` where it is not what the page said, `AlreadyDiscounted` where a discount
    stands beside the charge, and what a credit note refuses.
    """
    charges.check_manager(actor)
    key, owner = signing_key(), memberships.pack_by_public_id(public_id).person_id
    with write_unit() as unit:
        person = db.session.scalars(locked(select(Person).where(Person.id == owner))).unique().one()
        pack = db.session.scalars(locked(select(Pack).where(Pack.public_id == public_id))).one()
        today = spaces.today()
        if pack.cents and _standing_charge(pack) is None:
            charges.charge_sold("pack", pack.id, month_of(today))
        charge = _locked_charge(pack)
        found = _found(pack, charge)
        if (found.cents, found.left) != (agreed_cents, agreed_units):
            raise PackRefundChanged(amount=Cents(found.cents))
        given = PackReturn(
            pack_id=pack.id, units=found.left, cents=found.cents, day=today, created_by_id=actor.person_id
        )
        db.session.add(given)
        db.session.flush()
        audit.record(
            actor, "pack.given_back", ("pack", pack.id), person_id=person.id, units=found.left, cents=found.cents
        )
        why = labels.pack_given_back(pack.unit, found.left, person.locale)
        note = None
        if charge is not None and found.cents:
            if charge.invoice_id is None:
                _reduce(actor, charge, found.cents, why)
            else:
                invoice = services.invoice_locked(db.session.get_one(Invoice, charge.invoice_id).public_id)
                place, part = _of_line(invoice, charge, found.cents)
                note = services.credit_in_unit(actor, key, invoice, why, taken={place: part})
        unit.result = given.public_id
    return note


def _found(pack: Pack, charge: Charge | None) -> PackRefund:
    left = memberships.left_of_pack(pack.id)
    if left <= 0:
        raise PackNothingLeft()
    units_before, cents_before = memberships.returned_of_pack(pack.id)
    invoice = None if charge is None or charge.invoice_id is None else db.session.get(Invoice, charge.invoice_id)
    paid = pack.cents if charge is None else _owed_of(charge, invoice)
    cents = given_back_cents(paid, pack.units, left, units_before=units_before, cents_before=cents_before)
    return PackRefund(pack, left, cents, invoice)


def _owed_of(charge: Charge, invoice: Invoice | None) -> int:
    """What the pack was billed, less what was let off for other reasons than giving it back."""
    off = db.session.scalars(
        select(Charge.amount_cents).where(Charge.source.in_(("discount", "waiver")), Charge.source_id == charge.id)
    )
    # What was given back before the invoice stands among these; what came later is on credit notes.
    before = select(func.coalesce(func.sum(PackReturn.cents), 0)).where(PackReturn.pack_id == _pack_of(charge))
    if invoice is not None:
        before = before.where(PackReturn.created_at <= invoice.issued_at)
    return max(0, charge.amount_cents + min(0, sum(off) + int(db.session.scalar(before) or 0)))


def _pack_of(charge: Charge) -> int:
    """The pack that a charge, or the first of those it bills once more, is for."""
    while charge.source == "rebill":
        charge = db.session.get_one(Charge, charge.source_id)
    return charge.source_id


def _standing_charge(pack: Pack) -> Charge | None:
    """The charge of a pack, or the one that bills it once more after its invoice was undone."""
    charge = db.session.scalars(
        select(Charge).where(Charge.source == "pack", Charge.source_id == pack.id)
    ).one_or_none()
    while charge is not None:
        again = select(Charge).where(Charge.source == "rebill", Charge.source_id == charge.id)
        if (following := db.session.scalars(again).one_or_none()) is None:
            return charge
        charge = following
    return None


def _locked_charge(pack: Pack) -> Charge | None:
    standing = _standing_charge(pack)
    if standing is None:
        return None
    return db.session.scalars(locked(select(Charge).where(Charge.id == standing.id))).one()


def _reduce(actor: Actor, charge: Charge, cents: int, why: str) -> None:
    if cents == charge.amount_cents:
        if manual_charges.waiver_of(charge) is None:
            manual_charges.waive_in_unit(actor, charge)
        return
    discounts.reduce_in_unit(actor, charge, cents, why)


def _of_line(invoice: Invoice, charge: Charge, cents: int) -> tuple[int, int]:
    """The place of the charge's line on ``invoice``, and ``cents`` of the charge in the document's basis."""
    content = queries.content(invoice)
    for place, line in enumerate(content["lines"]):
        if (line["family"], line["label"]) == (charge.family, charge.label) and line["amount_cents"] > 0:
            if content["basis"] == charge.basis:
                return place, cents
            return place, divide_half_up(line["amount_cents"] * cents, charge.amount_cents * line["quantity"])
    raise NotFound()
