"""Changes that staff make to other people's accounts; each is in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from coworking.accounts import access, devices, email_changes, emails, rules, tokens
from coworking.accounts.models import Person, PersonRole
from coworking.core import audit, displaced, security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.displaced import Toll
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import SYSTEM, Actor, Role
from coworking.core.reading import email_of, maybe, phone_of
from coworking.core.units import require_unit, write_unit


def create_person(
    actor: Actor,
    *,
    first_name: str,
    last_name: str = "",
    email: str = "",
    phone: str = "",
    postal: tuple[str, str, str] = ("", "", ""),
    invite: bool = False,
) -> Person:
    """Add a person, with or without an address; ``invite`` writes to them. Raises `EmailTaken` or what is wrong.

    ``postal``: street, postcode and town for their papers.
    """
    address = rules.postal_of(*postal)
    with write_unit() as unit:
        person = add_person(actor, first_name=first_name, last_name=last_name, email=email, phone=phone, invite=invite)
        person.address, person.postcode, person.city = address["address"], address["postcode"], address["city"]
        unit.result = person.public_id
    return person


def add_person(
    actor: Actor, *, first_name: str, last_name: str = "", email: str = "", phone: str = "", invite: bool = False
) -> Person:
    """The same inside the caller's unit (a booking for someone new makes both or neither)."""
    require_unit()
    rules.check_staff(actor)
    address = maybe(email_of, email)
    if invite and address is None:
        raise rules.NoEmail()
    check_free(address)
    person = Person(
        vouched=True,
        first_name=rules.name_of(first_name),
        last_name=rules.name_of(last_name, required=False),
        email=address,
        phone=maybe(phone_of, phone),
    )
    db.session.add(person)
    _flush()
    _record(actor, "person.created", person, invited=invite)
    if invite:
        emails.enqueue(emails.INVITE, person)
    return person


def update_person(
    actor: Actor,
    public_id: str,
    *,
    first_name: str,
    last_name: str,
    email: str,
    phone: str,
    note: str,
    status: str,
    commune: str,
) -> Person:
    """Change what staff keeps about someone. A new address waits for its owner's confirmation.

    Raises `NotFound`, `Forbidden`, `EmailTaken`, `EmailNeeded` or what is wrong.
    """
    values = {
        "first_name": rules.name_of(first_name),
        "last_name": rules.name_of(last_name, required=False),
        "email": maybe(email_of, email),
        "phone": maybe(phone_of, phone),
        "staff_note": rules.note_of(note),
        **rules.figures_of(status, commune),
    }
    with write_unit():
        person = access.changeable(actor, public_id)
        changed = sorted(name for name, value in values.items() if getattr(person, name) != value)
        if "email" in changed and not _takes_address_at_once(actor, person, values["email"]):
            values["email"] = person.email
        for name in changed:
            setattr(person, name, values[name])
        if changed:
            _flush()
            _record(actor, "person.changed", person, fields=changed)
    return person


def set_figures(actor: Actor, public_id: str, values: Mapping[str, str]) -> Person:
    """Change what of somebody's ``status`` and ``commune`` is named in ``values``; empty: not said.

    Both are for the figures alone. Raises `NotFound`, `Forbidden` or what is wrong.
    """
    checked = rules.figures_of(values.get("status", ""), values.get("commune", ""))
    with write_unit() as unit:
        person = access.changeable(actor, public_id)
        changed = sorted(name for name in values if getattr(person, name) != checked[name])
        for name in changed:
            setattr(person, name, checked[name])
        if changed:
            _record(actor, "person.changed", person, fields=changed)
        unit.result = person.public_id
    return person


def set_postal_address(actor: Actor, public_id: str, *, address: str, postcode: str, city: str) -> None:
    """Where someone's invoices are addressed to from now on. Managers only; raises `PostcodeInvalid`, `TextTooLong`."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    values = rules.postal_of(address, postcode, city)
    with write_unit():
        person = access.changeable(actor, public_id)
        changed = sorted(name for name, value in values.items() if getattr(person, name) != value)
        for name in changed:
            setattr(person, name, values[name])
        if changed:
            _record(actor, "person.changed", person, fields=changed)


def invite(actor: Actor, public_id: str) -> bool:
    """Send a link to choose a password; False when one has just left. Raises `NoEmail`."""
    with write_unit():
        person = access.changeable(actor, public_id)
        if person.email is None or not person.is_active:
            raise rules.NoEmail()
        sent = emails.enqueue(emails.INVITE, person)
        if sent:
            _record(actor, "person.invited", person)
    return sent


def set_roles(actor: Actor, public_id: str, roles: frozenset[Role]) -> Person:
    """Give someone exactly ``roles`` beyond being a member. Managers only; raises `LastManager`."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    wanted = roles - {Role.MEMBER}
    with write_unit():
        person, managers = access.with_managers(public_id)
        if person.erased_at is not None:
            raise NotFound()
        before = person.roles - {Role.MEMBER}
        if Role.MANAGER not in wanted and managers == [person]:
            raise rules.LastManager()
        if wanted != before:
            _replace_roles(person, wanted)
            _record(actor, "person.roles", person, before=sorted(before), after=sorted(wanted))
            _roles_changed(actor, person, wanted)
    return person


def deactivate(actor: Actor, public_id: str, *, agreed: Toll | None = None) -> Person:
    """Close someone's account: sign it out everywhere, revoke its tokens, cancel its bookings. Twice is fine.

    Raises `LastManager`, or `WouldDisplace` when it cancels more bookings to come than were ``agreed`` to (None asks
    nobody).
    """
    with write_unit():
        person, managers = access.with_managers(public_id)
        rules.check_may_change(actor, person.roles)
        if managers == [person]:
            raise rules.LastManager()
        if person.is_active:
            person.deactivated_at = now()
            person.session_epoch += 1
            devices.end_everything(person.id)
            _record(actor, "person.deactivated", person)
            security.record(security.ACCOUNT_CLOSED, person_id=person.id, actor_id=actor.person_id)
            db.session.flush()
            displaced.announce(displaced.PERSON, {"person": person.public_id}, agreed=agreed)
    return person


def reactivate(actor: Actor, public_id: str) -> Person:
    """Open the account again, with the password it had."""
    with write_unit():
        person = access.changeable(actor, public_id)
        if not person.is_active:
            person.deactivated_at = None
            _record(actor, "person.reactivated", person)
    return person


def create_manager(email: str, *, first_name: str = "", last_name: str = "") -> tuple[Person, str]:
    """Make the person with ``email`` a manager, adding them when unknown; return them and a link's token.

    For whoever administers the server (the command line). Without a first name the part before the @ stands in.
    """
    email = email_of(email)
    with write_unit():
        person = access.by_email(email)
        if person is None:
            person = add_person(
                SYSTEM, first_name=first_name or email.partition("@")[0], last_name=last_name, email=email
            )
        person.deactivated_at = None
        if Role.MANAGER not in person.roles:
            before = person.roles - {Role.MEMBER}
            _replace_roles(person, before | {Role.MANAGER})
            _record(SYSTEM, "person.roles", person, before=sorted(before), after=sorted(before | {Role.MANAGER}))
            _roles_changed(SYSTEM, person, before | {Role.MANAGER})
    return person, tokens.make_link(tokens.INVITE, person)


def _takes_address_at_once(actor: Actor, person: Person, email: str | None) -> bool:
    """Whether ``email`` may replace an address that nobody has ever used or confirmed; otherwise the change waits."""
    check_free(email)
    if person.email is None or (person.password_hash is None and person.email_confirmed_at is None):
        person.email_confirmed_at = None
        person.session_epoch += 1
        return True
    if email is None:
        raise rules.EmailNeeded()
    email_changes.begin(actor, person, email)
    return False


def check_free(email: str | None) -> None:
    """Raise `EmailTaken` where somebody has this address."""
    if email is not None and db.session.scalar(select(Person.id).where(Person.email == email)) is not None:
        raise rules.EmailTaken()


def _flush() -> None:
    """Write now: of two who take one address at once, both looked and only the database can tell them apart."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if "email" in str(error.orig):
            raise rules.EmailTaken() from error
        raise


def _replace_roles(person: Person, roles: frozenset[Role]) -> None:
    """Add what is missing and drop what is too much, so that ``granted_at`` of the others stays."""
    person.role_rows = [row for row in person.role_rows if Role(row.role) in roles] + [
        PersonRole(role=role.value) for role in sorted(roles - person.roles)
    ]
    db.session.flush()


def _roles_changed(actor: Actor, person: Person, roles: frozenset[Role]) -> None:
    security.record(security.ROLES_CHANGED, person_id=person.id, actor_id=actor.person_id, roles=sorted(roles))


def _record(actor: Actor, action: str, person: Person, **details: object) -> None:
    audit.record(actor, action, ("person", person.id), person_id=person.id, **details)
