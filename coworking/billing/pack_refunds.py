"""Give back what is left of a pack: its units go, and its owner owes that much less or gets a credit note.

Managers do it, and within the legal fourteen days its owner (`coworking.billing.withdrawals`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.billing import charges, labels, pack_requests, taking_off
from coworking.billing.models import Charge, Invoice
from coworking.core import audit
from coworking.core.db import db
from coworking.core.keyring import SigningKey, signing_key
from coworking.core.money import Cents
from coworking.core.months import month_of
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.membership import queries as memberships
from coworking.membership.models import Pack, PackReturn
from coworking.membership.pack_rules import PackNothingLeft, PackRefundChanged, given_back_cents
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PackRefund:
    """What giving back the ``left`` units of ``pack`` comes to, in ``cents`` of its basis; ``invoice``: where it stands.

    ``kept_cents``: what is owed for the others.
    """

    pack: Pack
    left: int
    cents: int
    invoice: Invoice | None
    kept_cents: int


def look(public_id: str) -> PackRefund:
    """What giving back would come to now; raises `NotFound`, `PackNothingLeft`."""
    pack = memberships.pack_by_public_id(public_id)
    return _found(pack, _standing_charge(pack))


def give_back(actor: Actor, public_id: str, *, agreed_cents: int, agreed_units: int) -> Invoice | None:
    """Give back what is left; the credit note where the pack was invoiced, else None. Audited. Managers only.

    Raises what `give_back_in_unit` raises.
    """
    charges.check_manager(actor)
    key, owner = signing_key(), memberships.pack_by_public_id(public_id).person_id
    with write_unit() as unit:
        person = db.session.scalars(locked(select(Person).where(Person.id == owner))).unique().one()
        pack = db.session.scalars(locked(select(Pack).where(Pack.public_id == public_id))).one()
        given, note = give_back_in_unit(actor, key, person, pack, agreed_cents=agreed_cents, agreed_units=agreed_units)
        unit.result = given.public_id
    return note


def give_back_in_unit(
    actor: Actor, key: SigningKey, person: Person, pack: Pack, *, agreed_cents: int, agreed_units: int | None = None
) -> tuple[PackReturn, Invoice | None]:
    """The same in the open unit, which holds the locks of ``person`` and of their ``pack``. It grants what they asked for.

    Raises `PackNothingLeft`, `PackRefundChanged` where it is not what the page said, and what a credit note refuses.
    """
    today = spaces.today()
    if pack.cents and _standing_charge(pack) is None:
        charges.charge_sold("pack", pack.id, month_of(today))
    standing = _standing_charge(pack)
    charge = None if standing is None else taking_off.lock_standing(standing)
    found = _found(pack, charge)
    if found.cents != agreed_cents or agreed_units not in (None, found.left):
        raise PackRefundChanged(amount=Cents(found.cents))
    given = PackReturn(pack_id=pack.id, units=found.left, cents=found.cents, day=today, created_by_id=actor.person_id)
    db.session.add(given)
    db.session.flush()
    audit.record(actor, "pack.given_back", ("pack", pack.id), person_id=person.id, units=found.left, cents=found.cents)
    pack_requests.grant_in_unit(actor, given)
    why = labels.pack_given_back(pack.unit, found.left, person.locale)
    note = None
    if charge is not None and found.cents:
        note = taking_off.take_off(actor, key, charge, found.cents, why)
    return given, note


def _found(pack: Pack, charge: Charge | None) -> PackRefund:
    left = memberships.left_of_pack(pack.id)
    if left <= 0:
        raise PackNothingLeft()
    units_before, cents_before = memberships.returned_of_pack(pack.id)
    invoice = None if charge is None else taking_off.invoice_of(charge)
    paid = pack.cents if charge is None else _owed_of(charge, invoice)
    cents = given_back_cents(paid, pack.units, left, units_before=units_before, cents_before=cents_before)
    return PackRefund(pack, left, cents, invoice, max(0, paid - cents_before - cents))


def _owed_of(charge: Charge, invoice: Invoice | None) -> int:
    """What the pack was billed, less what was let off for other reasons than giving it back."""
    # What was given back before the invoice stands among these; what came later is on credit notes.
    before = select(func.coalesce(func.sum(PackReturn.cents), 0)).where(PackReturn.pack_id == _pack_of(charge))
    if invoice is not None:
        before = before.where(PackReturn.created_at <= invoice.issued_at)
    let_off = taking_off.let_off_of(charge) - int(db.session.scalar(before) or 0)
    return max(0, charge.amount_cents - max(0, let_off))


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
    return None if charge is None else taking_off.standing_of(charge)
