"""Making two records of one person one: the record that goes keeps its history, closed, and points to the one that stays.

Money is signed for whom it was made, and closed months counted the records that there were: nothing of that is changed. What
is read about the person follows `Person.merged_into_person_id` (ADR 0034).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from coworking.accounts import cards, devices, email_changes, emails, terms_queries, twin_rules
from coworking.accounts.factor_models import Authenticator, Passkey, RecoveryCode
from coworking.accounts.models import EmailChange, Leaving, OrganisationMember, Person
from coworking.accounts.paper_models import PaperMessage
from coworking.accounts.proxy_models import BookingProxy
from coworking.accounts.terms_models import TextAcceptance
from coworking.accounts.twin_models import TwoPeople
from coworking.accounts.twin_queries import pair_digest, record_fields
from coworking.accounts.twin_rules import AlreadyMerged, CannotMerge, RecordChanged
from coworking.core import audit, merging, place, security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.erasing import Hindrance
from coworking.core.errors import Forbidden, NotFound
from coworking.core.i18n import _
from coworking.core.policy import Actor, Role
from coworking.core.sql import inserted
from coworking.core.timespan import local_date
from coworking.core.units import locked, write_unit

ONE_LINE = {
    "phone": ("phone",),
    "postal": ("address", "postcode", "city"),
    "status": ("status",),
    "commune": ("commune",),
}


def hindrances(gone: Person, kept: Person) -> list[Hindrance]:
    """What must be done before ``gone`` can go into ``kept``."""
    found: list[Hindrance] = []
    if gone.roles != {Role.MEMBER}:
        found.append(Hindrance(_("It has a role in the team: take that away first, or let this record stay."), None))
    if not kept.is_active:
        found.append(Hindrance(_("The record that stays is closed: open it first, or let the other one stay.")))
    return [*found, *merging.hindrances(gone.id, kept.id)]


def may_take_email(gone: Person, kept: Person) -> bool:
    """Whether the record that stays may take the address of the one that goes, and how one signs in with it.

    Never where it has a role: who knows the other password would get the role. An address that nobody confirmed takes no
    place of another one.
    """
    return kept.roles == {Role.MEMBER} and (kept.email is None or gone.email_confirmed_at is not None)


def what_is_taken(gone: Person, kept: Person, chosen: Collection[str]) -> list[str]:
    """Which fields the record that stays takes from the one that goes: what it lacks, and what was ``chosen``."""
    old, new = record_fields(kept), record_fields(gone)
    return [
        name
        for name in twin_rules.FIELDS
        if twin_rules.taken(name, kept=old[name], gone=new[name], chosen=chosen)
        and (name != "email" or may_take_email(gone, kept))
    ]


def merge(actor: Actor, kept_id: str, gone_id: str, chosen: Collection[str], *, seen: str) -> Person:
    """Let the record ``gone_id`` go into ``kept_id`` (public ids), which takes the ``chosen`` fields; twice is fine.

    It cannot be undone. ``seen``: `twin_queries.pair_digest` of what was shown. For managers. Raises `NotFound`,
    `Forbidden`, `AlreadyMerged`, `RecordChanged` or `CannotMerge`, and changes nothing.
    """
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    with write_unit():
        kept, gone = _locked(kept_id, gone_id)
        if gone.merged_into_person_id == kept.id:
            return kept
        if gone.merged_into_person_id is not None or kept.merged_into_person_id is not None:
            raise AlreadyMerged()
        if seen != pair_digest(kept, gone):
            raise RecordChanged()
        if found := hindrances(gone, kept):
            raise CannotMerge(extra={"first": [one.words for one in found]})
        names = what_is_taken(gone, kept, chosen)
        values = _values(gone, kept, names)
        replaced = kept if "email" in names else gone
        former = replaced.email if replaced.email_confirmed_at is not None else None
        _end_ways_in(actor, gone)
        if "email" in names:
            _end_ways_in(actor, kept, card=False)
        _close(gone, kept)
        db.session.flush()  # the address must be free before it is taken
        for name, value in values.items():
            setattr(kept, name, value)
        _carry_over(gone, kept)
        db.session.flush()
        audit.record(
            actor, "person.merged", ("person", kept.id), person_id=kept.id, gone=gone.public_id, taken=sorted(names)
        )
        audit.record(actor, "person.merged_into", ("person", gone.id), person_id=gone.id, kept=kept.public_id)
        security.record(security.ACCOUNT_CLOSED, person_id=gone.id, actor_id=actor.person_id)
        if "email" in names:
            security.record(security.EMAIL_CHANGED, person_id=kept.id, actor_id=actor.person_id)
        if former is not None:
            email_changes.replaced(actor, kept, replaced, former)
        if kept.email_confirmed_at is not None:
            emails.enqueue_access(emails.RECORDS_MERGED, kept)
    return kept


def say_two(actor: Actor, one: str, other: str) -> None:
    """Remember that two records (public ids) are two people; twice is fine. Raises `NotFound` or `Forbidden`."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    with write_unit():
        first, second = sorted(_locked(one, other), key=lambda row: row.id)
        if inserted(
            TwoPeople, first_person_id=first.id, second_person_id=second.id, said_at=now(), said_by_id=actor.person_id
        ):
            audit.record(actor, "person.two_people", ("person", first.id), person_id=first.id, other=second.public_id)


def _locked(one: str, other: str) -> tuple[Person, Person]:
    """Both records, locked in the order of their ids: two merges of one pair take turns."""
    statement = select(Person).where(Person.public_id.in_((one, other)), Person.erased_at.is_(None))
    rows = {row.public_id: row for row in db.session.scalars(locked(statement.order_by(Person.id))).unique()}
    if one == other or rows.keys() != {one, other}:
        raise NotFound()
    return rows[one], rows[other]


def _values(gone: Person, kept: Person, names: Collection[str]) -> dict[str, Any]:
    """What the record that stays says from then on."""
    values: dict[str, Any] = {column: getattr(gone, column) for name in names for column in ONE_LINE.get(name, ())}
    if "name" in names:
        values |= {"first_name": gone.first_name, "last_name": gone.last_name}
    if "email" in names:
        values |= {
            "email": gone.email,
            "email_confirmed_at": gone.email_confirmed_at,
            "password_hash": gone.password_hash,
            "session_epoch": kept.session_epoch + 1,
        }
    if gone.staff_note and gone.staff_note != kept.staff_note:
        values["staff_note"] = "\n".join(filter(None, (kept.staff_note, gone.staff_note)))
    if gone.vouched:
        values["vouched"] = True
    return values


def _end_ways_in(actor: Actor, person: Person, *, card: bool = True) -> None:
    """Sign a record out everywhere and forget how it signed in."""
    devices.end_everything(person.id)
    for model in (Authenticator, RecoveryCode, Passkey):
        db.session.execute(
            delete(model).where(model.person_id == person.id).execution_options(synchronize_session=False)
        )
    db.session.execute(
        update(EmailChange)
        .where(EmailChange.person_id == person.id, EmailChange.confirmed_at.is_(None), EmailChange.stopped_at.is_(None))
        .values(stopped_at=now())
        .execution_options(synchronize_session=False)
    )
    if card:
        cards.end_of(actor, person)


def _close(gone: Person, kept: Person) -> None:
    gone.deactivated_at = gone.deactivated_at or now()
    gone.session_epoch += 1
    gone.merged_into_person_id = kept.id
    gone.email = gone.email_confirmed_at = gone.password_hash = None
    gone.phone = gone.address = gone.postcode = gone.city = gone.staff_note = None
    gone.visible_to_colleagues = False
    db.session.execute(
        update(Person)
        .where(Person.merged_into_person_id == gone.id)
        .values(merged_into_person_id=kept.id)
        .execution_options(synchronize_session=False)
    )


def _carry_over(gone: Person, kept: Person) -> None:
    """What goes on for the record that stays: who employs them, what they accepted, papers to hand over."""
    _carry_employers(gone.id, kept.id)
    mine = {row.house_text_id for row in terms_queries.accepted_by(kept.id)}
    for row in terms_queries.accepted_by(gone.id):
        if row.house_text_id not in mine:
            db.session.add(
                TextAcceptance(
                    person_id=kept.id,
                    house_text_id=row.house_text_id,
                    way=row.way,
                    agreed_on=row.agreed_on,
                    made_by_id=row.made_by_id,
                )
            )
    proxies = or_(BookingProxy.person_id == gone.id, BookingProxy.proxy_person_id == gone.id)
    for statement in (
        update(BookingProxy).where(proxies, BookingProxy.ended_at.is_(None)).values(ended_at=now()),
        update(PaperMessage)
        .where(PaperMessage.person_id == gone.id, PaperMessage.handed_at.is_(None))
        .values(person_id=kept.id),
        delete(Leaving).where(Leaving.person_id == gone.id),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))


def _carry_employers(gone_id: int, kept_id: int) -> None:
    """An organisation that pays for the record that goes pays for the other from today; up to yesterday nothing changes."""
    today = local_date(now(), place.clock())
    rows = list(
        db.session.scalars(
            select(OrganisationMember)
            .where(OrganisationMember.person_id.in_((gone_id, kept_id)))
            .order_by(OrganisationMember.id)
        )
    )
    here = {
        row.organisation_id for row in rows if row.person_id == kept_id and (row.until is None or row.until >= today)
    }
    for row in rows:
        if row.person_id != gone_id or (row.until is not None and row.until < today):
            continue
        if row.organisation_id not in here:
            here.add(row.organisation_id)
            db.session.add(
                OrganisationMember(
                    organisation_id=row.organisation_id,
                    person_id=kept_id,
                    is_contact=row.is_contact,
                    since=max(row.since, today),
                    until=row.until,
                )
            )
        row.is_contact = False
        if row.since >= today:
            db.session.delete(row)
        else:
            row.until = today - timedelta(days=1)
