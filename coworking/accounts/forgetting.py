"""What becomes of an account when its person is erased."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, or_, select

from coworking.accounts.card_models import PersonCard
from coworking.accounts.factor_models import Authenticator, Passkey, RecoveryCode
from coworking.accounts.models import ApiToken, Device, EmailChange, Leaving, OrganisationInvitation, Person, PersonRole
from coworking.accounts.paper_models import PaperMessage
from coworking.accounts.proxy_models import BookingProxy
from coworking.accounts.terms_models import ConsentChange
from coworking.accounts.twin_models import TwoPeople
from coworking.core import erasing
from coworking.core.db import db
from coworking.core.erasing import Forgets, Hindrance
from coworking.core.i18n import _
from coworking.core.outbox import OutboxRow
from coworking.core.policy import Role
from coworking.core.security import SecurityEvent

NAME = "Personne effacée"
"""In place of the first name; a number stands in place of the last one."""


def _invited(person_id: int) -> ColumnElement[bool]:
    """Invitations they accepted, and those that wait for them at their address."""
    address = select(Person.email).where(Person.id == person_id)
    return or_(OrganisationInvitation.person_id == person_id, OrganisationInvitation.email.in_(address))


def _written_to(person_id: int) -> ColumnElement[bool]:
    """Work in the outbox that names their addresses: those they have and those they had."""
    kept = select(Person.email).where(Person.id == person_id)
    others = select(EmailChange.new_email).where(EmailChange.person_id == person_id)
    former = select(EmailChange.old_email).where(EmailChange.person_id == person_id)
    known = [email for email in db.session.scalars(kept.union(others, former)) if email]
    return or_(*(OutboxRow.payload[name].as_string().in_(known) for name in ("to", "email")))


erasing.declare(
    Forgets(OutboxRow, _written_to, deletes=True),  # before the addresses go that tell which
    Forgets(OrganisationInvitation, _invited, deletes=True),
    Forgets(
        Person,
        lambda person: Person.id == person,
        empties=dict.fromkeys(
            ("email", "phone", "address", "postcode", "city", "commune", "password_hash", "staff_note")
        )
        | {"first_name": NAME, "last_name": "…", "email_confirmed_at": None, "visible_to_colleagues": False},
    ),
    Forgets(PersonRole, lambda person: PersonRole.person_id == person, deletes=True),
    Forgets(Device, lambda person: Device.person_id == person, deletes=True),
    Forgets(ApiToken, lambda person: ApiToken.person_id == person, deletes=True),
    Forgets(EmailChange, lambda person: EmailChange.person_id == person, deletes=True),
    Forgets(Leaving, lambda person: Leaving.person_id == person, deletes=True),
    Forgets(Authenticator, lambda person: Authenticator.person_id == person, deletes=True),
    Forgets(RecoveryCode, lambda person: RecoveryCode.person_id == person, deletes=True),
    Forgets(PersonCard, lambda person: PersonCard.person_id == person, deletes=True),
    Forgets(
        BookingProxy,
        lambda person: or_(BookingProxy.person_id == person, BookingProxy.proxy_person_id == person),
        deletes=True,
    ),
    Forgets(
        TwoPeople,
        lambda person: or_(TwoPeople.first_person_id == person, TwoPeople.second_person_id == person),
        deletes=True,
    ),
    Forgets(ConsentChange, lambda person: ConsentChange.person_id == person, deletes=True),
    Forgets(PaperMessage, lambda person: PaperMessage.person_id == person, deletes=True),
    Forgets(Passkey, lambda person: Passkey.person_id == person, deletes=True),
    Forgets(
        SecurityEvent,
        lambda person: SecurityEvent.person_id == person,
        keeps=dict.fromkeys(("address", "details"), erasing.SHORT),
    ),
)


@erasing.hindered_by
def _runs_the_place(person_id: int) -> Iterator[Hindrance]:
    managers = (
        select(Person.id).join(PersonRole).where(PersonRole.role == Role.MANAGER.value, Person.deactivated_at.is_(None))
    )
    if list(db.session.scalars(managers)) == [person_id]:
        yield Hindrance(_("The last manager cannot leave: make somebody else a manager first."), "accounts.people")
