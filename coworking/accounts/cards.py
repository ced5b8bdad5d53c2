"""Printed cards: made, ended when they are lost, and read at the door. The team alone reads them."""

from __future__ import annotations

from sqlalchemy import select

from coworking.accounts import access
from coworking.accounts.card_models import PersonCard
from coworking.accounts.card_rules import digest_of, token_in
from coworking.accounts.models import Person
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.units import write_unit


def give(actor: Actor, public_id: str, token: str) -> PersonCard:
    """Let the card with this secret stand for someone from now on; the one they had is dead.

    Raises `NotFound`, also for a closed account, or `Forbidden`.
    """
    with write_unit():
        person = access.changeable(actor, public_id)
        if not person.is_active:
            raise NotFound()
        former = _end(actor, person)
        card = PersonCard(person_id=person.id, digest=digest_of(token), made_by_id=actor.person_id)
        db.session.add(card)
        db.session.flush()
        audit.record(actor, "card.made", ("person_card", card.id), person_id=person.id, replaces=former is not None)
    return card


def end(actor: Actor, public_id: str) -> None:
    """End someone's card, because it is lost or no longer wanted. Twice is fine. Raises `NotFound` or `Forbidden`."""
    with write_unit():
        end_of(actor, access.changeable(actor, public_id))


def end_of(actor: Actor, person: Person) -> None:
    """End the card that the locked person has, if any, in the open unit."""
    if (card := _end(actor, person)) is not None:
        audit.record(actor, "card.ended", ("person_card", card.id), person_id=person.id)


def card_of(person_id: int) -> PersonCard | None:
    """The card that stands for the person."""
    return db.session.scalar(_live(person_id))


def holder_of(actor: Actor | None, token: str) -> Person:
    """Whose card this is, for the team.

    Raises `NotFound` for everyone else whatever the token is, and for a token that stands for nobody (any more).
    """
    read = token_in(token)
    if actor is None or not actor.is_staff or read is None:
        raise NotFound()
    person = (
        db.session.scalars(
            select(Person)
            .join(PersonCard, PersonCard.person_id == Person.id)
            .where(PersonCard.digest == digest_of(read), PersonCard.ended_at.is_(None), Person.deactivated_at.is_(None))
        )
        .unique()
        .one_or_none()
    )
    if person is None:
        raise NotFound()
    return person


def _live(person_id: int):
    return select(PersonCard).where(PersonCard.person_id == person_id, PersonCard.ended_at.is_(None))


def _end(actor: Actor, person: Person) -> PersonCard | None:
    """End the card that the locked person has."""
    card = db.session.scalar(_live(person.id))
    if card is not None:
        card.ended_at, card.ended_by_id = now(), actor.person_id
        db.session.flush()  # before another is added: a person has one
    return card
