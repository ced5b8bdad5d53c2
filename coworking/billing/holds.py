"""Drafts that a manager holds back: no run issues them until they are let go. Each public function is one unit of work."""

from __future__ import annotations

from sqlalchemy import select

from coworking.billing import hold_queries, payer_queries, queries, rules
from coworking.billing.charges import check_manager
from coworking.billing.models import Charge, DraftHold
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.sql import insert_missing
from coworking.core.units import locked, write_unit


def hold(actor: Actor, payer: str, reason: str) -> bool:
    """Hold back what ``payer`` (a value of `payer_queries.payers`) owes now and later, until it is let go; audited.

    False: it was held back already, for the reason given first. Raises `PayerUnknown`, `ReasonMissing`.
    """
    check_manager(actor)
    why = rules.check_reason(reason)
    with write_unit():
        person_id, organisation_id = ids = payer_queries.payer_ids(payer)
        # Behind these locks a run has either issued them already or will see the hold.
        due = select(Charge).where(queries.charged_to(ids), Charge.invoice_id.is_(None)).order_by(Charge.id)
        db.session.scalars(locked(due)).all()
        row = {
            "payer_person_id": person_id,
            "payer_organisation_id": organisation_id,
            "reason": why,
            "created_at": now(),
            "created_by_id": actor.person_id,
        }
        if not insert_missing(DraftHold, [row]):
            return False
        audit.record(actor, "billing.draft_held", _about(ids), person_id=person_id, reason=why)
        return True


def let_go(actor: Actor, payer: str) -> bool:
    """Let what ``payer`` owes be issued again; audited. False: nothing was held back. Raises `PayerUnknown`."""
    check_manager(actor)
    with write_unit():
        ids = payer_queries.payer_ids(payer)
        found = hold_queries.of_payer(ids)
        if found is None:
            return False
        audit.record(actor, "billing.draft_let_go", _about(ids), person_id=ids[0], reason=found.reason)
        db.session.delete(found)
        return True


def _about(ids: tuple[int | None, int | None]) -> tuple[str, int]:
    person_id, organisation_id = ids
    return ("person", person_id) if person_id is not None else ("organisation", organisation_id or 0)
