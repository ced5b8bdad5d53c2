"""What an organisation's contact changes, and what a member agrees that their employer sees. One unit each."""

from __future__ import annotations

from sqlalchemy import select

from coworking.accounts import consents
from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.membership.access import subject
from coworking.membership.employer_queries import organisation_of_contact
from coworking.membership.models import Agreement


def show_dates(actor: Actor, organisation: str, shown: bool) -> None:
    """Let one's employer see the dates of the half-days it pays, from now on or no longer; twice is fine.

    Only the person decides it, for one organisation. Raises `NotFound` for one they never belonged to.
    """
    with write_unit() as unit:
        who = subject(actor, None)
        unit.result = who.public_id
        member = db.session.scalar(
            select(OrganisationMember)
            .join(Organisation, Organisation.id == OrganisationMember.organisation_id)
            .where(OrganisationMember.person_id == who.id, Organisation.public_id == organisation)
            .order_by(OrganisationMember.since.desc(), OrganisationMember.id.desc())
            .limit(1)
        )
        if member is None:
            raise NotFound()
        if (member.dates_shown_at is not None) != shown:
            member.dates_shown_at = now() if shown else None
            consents.note(actor, who, "employer_dates", given=shown, organisation_id=member.organisation_id)
            action = "organisation.dates_shown" if shown else "organisation.dates_hidden"
            audit.record(actor, action, ("organisation", member.organisation_id), person_id=who.id)


def set_order_number(actor: Actor, organisation: str, agreement: str, number: str | None) -> None:
    """Which order number the organisation's next invoices carry for an agreement. For its contact and managers;
    raises `NotFound` for anyone else."""
    with write_unit() as unit:
        unit.result = agreement
        employer = organisation_of_contact(actor, organisation)
        found = db.session.scalar(
            locked(select(Agreement).where(Agreement.public_id == agreement, Agreement.organisation_id == employer.id))
        )
        if found is None:
            raise NotFound()
        if found.order_number != number:
            found.order_number = number
            audit.record(actor, "agreement.order_number", ("agreement", found.id), organisation=employer.public_id)
