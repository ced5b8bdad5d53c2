"""Sales: what must be paid before it counts. Opened by whoever sells, ended by whoever takes the money.

Everything here runs inside the caller's unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.sales import ASKED, CHANGED, DUE, Owner, Sold, owner_of
from coworking.core.units import locked, require_unit
from coworking.pricing.models import Sale
from coworking.pricing.rules import PricedLine, SaleLine, payable_cents
from coworking.spaces import queries as spaces

TIME_TO_PAY = timedelta(minutes=15)
"""How long what was asked for is kept for who must pay it."""
TIME_WHEN_ASKED = timedelta(hours=2)
"""How long what staff ask somebody to pay is kept at most: they may be on their way, or find the e-mail later."""
GRACE = timedelta(minutes=10)
"""How much longer it is kept where the gateway does not say whether it was paid."""


def sell(
    actor: Actor,
    kind: str,
    subject_id: int,
    payer_person_id: int,
    lines: Sequence[SaleLine],
    *,
    until: datetime | None = None,
    **terms: Any,
) -> Sale:
    """Ask the payer to pay ``lines`` ``until`` then (None: within `TIME_TO_PAY`), for something that counts from then on.

    Whom somebody else asks is sent the link to pay.
    """
    require_unit()
    instant = now()
    sale = Sale(
        subject_kind=kind,
        subject_id=subject_id,
        payer_person_id=payer_person_id,
        lines=[
            {"label": one.label, "cents": one.cents, "basis": one.basis, "vat_rate_bp": one.vat_rate_bp}
            for one in lines
        ],
        terms=terms,
        cents=payable_cents([PricedLine(one.cents, one.vat_rate_bp, one.basis) for one in lines]),
        currency=spaces.lieu().currency,
        created_at=instant,
        created_by_id=actor.person_id,
        expires_at=until or instant + TIME_TO_PAY,
    )
    db.session.add(sale)
    db.session.flush()
    outbox.enqueue(DUE, f"{DUE}:{sale.public_id}", {"sale": sale.public_id}, due_at=sale.expires_at)
    if actor.person_id not in (None, payer_person_id):
        outbox.enqueue(ASKED, f"{ASKED}:{sale.public_id}", {"sale": sale.public_id})
    return sale


def give_up(kind: str, subject_id: int) -> None:
    """The subject is gone before it was paid: its page to pay on ends as soon as a worker gets to it."""
    require_unit()
    for sale in db.session.scalars(_of(kind, subject_id, "open")):
        outbox.enqueue(DUE, f"{DUE}:{sale.public_id}:now", {"sale": sale.public_id})


def open_of(kind: str, subject_id: int) -> Sequence[Sale]:
    """What waits to be paid for the subject, which the caller has locked; locked."""
    require_unit()
    return db.session.scalars(locked(_of(kind, subject_id, "open").order_by(Sale.id))).all()


def let_go(sale: Sale) -> None:
    """Nobody wants a locked ``sale`` any more: it is over at once, its page as soon as a worker gets to it.

    What is paid for it all the same is given back (`Sold.is_let_go`).
    """
    give_up(sale.subject_kind, sale.subject_id)
    expire(sale)


def changed(kind: str, subject_id: int, *, after: timedelta) -> None:
    """Less may be owed for what was paid: what is due back is worked out once it can no longer be undone."""
    require_unit()
    for sale in db.session.scalars(_of(kind, subject_id, "paid")):
        instant = now()
        key = f"{CHANGED}:{sale.public_id}:{int(instant.timestamp() * 1000)}"
        outbox.enqueue(CHANGED, key, {"sale": sale.public_id}, due_at=instant + after)


def lock(public_id: str) -> Sale:
    """The sale, what was sold locked before it; what carries on locks the payment after that."""
    require_unit()
    owner, sold = _told(db.session.scalars(select(Sale).where(Sale.public_id == public_id)).one())
    owner.lock(sold)
    return db.session.scalars(locked(select(Sale).where(Sale.public_id == public_id))).one()


def pay(sale: Sale) -> bool:
    """Its money has come: let it count. False where it can no longer be had, and the money goes back. Twice is fine."""
    require_unit()
    if sale.state in ("open", "expired"):
        owner, sold = _told(sale)
        made_id = owner.on_paid(sold)
        if made_id is None:
            expire(sale)
            return False
        sale.state, sale.made_id, sale.changed_at = "paid", made_id, now()
        return True
    return sale.state == "paid"


def expire(sale: Sale) -> None:
    """Nobody has paid it: let go of what was kept for it. Twice is fine."""
    require_unit()
    if sale.state == "open":
        owner, sold = _told(sale)
        owner.on_expired(sold)
        sale.state, sale.changed_at = "expired", now()


def refund(sale: Sale) -> None:
    """All of its money was given back."""
    require_unit()
    sale.state, sale.changed_at = "refunded", now()


def _told(sale: Sale) -> tuple[Owner, Sold]:
    return owner_of(sale.subject_kind), sale.sold


def _of(kind: str, subject_id: int, state: str) -> Any:
    return select(Sale).where(Sale.subject_kind == kind, Sale.subject_id == subject_id, Sale.state == state)
