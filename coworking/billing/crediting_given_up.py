"""Credit, once the day is over, what was paid at the door for a use that was given up since. The night asks for it."""

from __future__ import annotations

import logging

from sqlalchemy import select

from coworking.billing import credit_rules, given_up, labels, queries, taking_off
from coworking.billing.models import Charge, Invoice
from coworking.core.db import db
from coworking.core.keyring import signing_key
from coworking.core.policy import SYSTEM
from coworking.core.units import end_read, locked, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)


def credit_given_up() -> int:
    """Credit what was paid at the door on days that are over for uses that were given up since; how many were credited.

    Each in a unit of its own. What was paid is to be refunded then. Twice adds nothing.
    """
    if spaces.lieu_or_none() is None:
        return 0
    left = [charge.id for charge in given_up.paid_at_the_door() if _is_left(charge)]
    end_read()
    if not left:
        return 0
    key = signing_key()
    credited = 0
    for charge_id in left:
        try:
            with write_unit():
                charge = db.session.scalars(locked(select(Charge).where(Charge.id == charge_id))).one()
                why = labels.given_up(charge.person.locale if charge.person is not None else labels.OFFICE_LANGUAGE)
                taking_off.take_off(SYSTEM, key, charge, charge.amount_cents, why)
            credited += 1
        except Exception:  # one that is refused holds up no other
            log.warning("the charge %s of what was given up could not be credited", charge_id, exc_info=True)
    return credited


def _is_left(charge: Charge) -> bool:
    """Whether the whole line of an invoiced ``charge`` can still be credited."""
    invoice = db.session.get_one(Invoice, charge.invoice_id)
    place, part = taking_off.place_on(invoice, charge, charge.amount_cents)
    before = credit_rules.taken_by(map(queries.content, queries.credit_notes_of(invoice)))
    return credit_rules.left_of(queries.content(invoice), before).get(place, 0) >= part
