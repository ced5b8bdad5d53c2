"""Writing terms and house rules in dated versions, and who accepted them: rows that are written once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from coworking.accounts import access, terms_queries
from coworking.accounts.rules import AgreedLater
from coworking.accounts.terms_models import HouseText, TextAcceptance
from coworking.accounts.terms_rules import TextExists, TextMissing, TextsChanged, TextTooEarly
from coworking.core import audit, place
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.sql import inserted
from coworking.core.timespan import local_date
from coworking.core.units import require_unit, write_unit


def publish(actor: Actor, kind: str, *, text: str, news: str | None, from_day: date) -> HouseText:
    """Let a version hold from a day on. For managers; raises `Forbidden`, `TextMissing`, `TextTooEarly` or `TextExists`."""
    if not actor.has(Role.MANAGER):
        raise Forbidden()
    if not text.strip():
        raise TextMissing(field="text")
    if from_day < _today():
        raise TextTooEarly(field="from_day")
    public_id = f"{kind}-{from_day.isoformat()}"
    values = {"kind": kind, "from_day": from_day, "text": text, "news": news, "made_by_id": actor.person_id}
    with write_unit() as unit:
        unit.result = public_id
        if not inserted(HouseText, public_id=public_id, made_at=now(), **values):
            raise TextExists(field="from_day")
        row = terms_queries.text_by_public_id(public_id)
        audit.record(actor, "text.published", ("house_text", row.id), kind=kind)
    return row


def check_shown(public_ids: Iterable[str], person_id: int | None = None) -> None:
    """Raise `TextsChanged` unless exactly what is to be accepted was shown: the versions in force, or of those what this
    person has not accepted yet."""
    due = terms_queries.heads_in_force() if person_id is None else terms_queries.waiting_for(person_id)
    if set(public_ids) != {head.public_id for head in due}:
        raise TextsChanged()


def accept(actor: Actor, public_ids: Iterable[str]) -> None:
    """The acting person accepts these versions, which they were shown; twice is fine.

    Raises `TextsChanged` for one that is not in force.
    """
    with write_unit() as unit:
        person = access.oneself(actor)
        unit.result = person.public_id
        in_force = {head.public_id: head.id for head in terms_queries.heads_in_force()}
        wanted = set(public_ids)
        if not wanted or not wanted <= in_force.keys():
            raise TextsChanged()
        for head in terms_queries.waiting_for(person.id):
            if head.public_id in wanted:
                _write(person.id, head.id, "online", _today(), person.id)


def accept_shown(person_id: int, shown: Collection[str]) -> None:
    """Somebody accepts what they were shown of what waits for them, in the open unit."""
    require_unit()
    for head in (one for one in terms_queries.waiting_for(person_id) if one.public_id in shown):
        _write(person_id, head.id, "online", _today(), person_id)


def accepted_on_paper(actor: Actor, public_id: str, *, signed_on: date) -> None:
    """Somebody signed on paper what is in force; the team has the paper. Twice is fine.

    Raises `NotFound`, `Forbidden` or `AgreedLater`.
    """
    if signed_on > _today():
        raise AgreedLater(field="signed_on")
    with write_unit():
        person = access.changeable(actor, public_id)
        for head in terms_queries.waiting_for(person.id):
            _write(person.id, head.id, "paper", signed_on, actor.person_id)
            audit.record(actor, "text.accepted_on_paper", ("house_text", head.id), person_id=person.id)


def take_back_paper(actor: Actor, public_id: str, text: str) -> None:
    """What was written down about somebody's paper was a mistake: they have not accepted this version.

    What a person accepted here themselves stays. Raises `NotFound` or `Forbidden`.
    """
    with write_unit():
        person = access.changeable(actor, public_id)
        row = next((one for one in terms_queries.accepted_by(person.id) if one.house_text.public_id == text), None)
        if row is None or row.way != "paper":
            raise NotFound()
        _write(person.id, row.house_text_id, "mistake", row.agreed_on, actor.person_id)
        audit.record(actor, "text.paper_taken_back", ("house_text", row.house_text_id), person_id=person.id)


def _write(person_id: int, text_id: int, way: str, on: date, by: int | None) -> None:
    row = TextAcceptance(person_id=person_id, house_text_id=text_id, way=way, agreed_on=on, made_by_id=by)
    db.session.add(row)
    db.session.flush()


def _today() -> date:
    return local_date(now(), place.clock())
