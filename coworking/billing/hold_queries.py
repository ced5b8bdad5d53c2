"""Reading drafts that are held back."""

from __future__ import annotations

from sqlalchemy import select

from coworking.billing.drafts import PayerKey
from coworking.billing.models import DraftHold
from coworking.core.db import db


def held_back() -> dict[PayerKey, str]:
    """Why each payer's drafts are held back (1 statement)."""
    rows = db.session.execute(
        select(DraftHold.payer_person_id, DraftHold.payer_organisation_id, DraftHold.reason).order_by(DraftHold.id)
    )
    return {(person_id, organisation_id): reason for person_id, organisation_id, reason in rows}


def of_payer(payer: PayerKey) -> DraftHold | None:
    """What holds back the drafts of one payer; None: nothing."""
    person_id, organisation_id = payer
    column, value = (
        (DraftHold.payer_person_id, person_id)
        if person_id is not None
        else (DraftHold.payer_organisation_id, organisation_id)
    )
    return db.session.scalars(select(DraftHold).where(column == value)).one_or_none()
