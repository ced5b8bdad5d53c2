"""Records that may be one person: which pairs, comparing two, making them one or saying that they are two. For managers."""

from __future__ import annotations

from typing import Any

from coworking.accounts import merging, twin_queries
from coworking.accounts.models import Person as PersonRow
from coworking.accounts.twin_rules import AlreadyMerged
from coworking.api import render_people, render_twins
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.queries import known_person
from coworking.api.render import Json
from coworking.api.schemas.people import Person
from coworking.api.schemas.twins import Comparison, Merging, PossibleTwins, TwoRecords
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.frontdesk.twins import facts_of

_MERGED = {"gone_id": "p3mq2v9xw4tdz3hb", "take": ["phone"], "seen": "0123456789abcdef0123456789abcdef"}


def _kept(_actor: Actor, public_id: str) -> Json:
    return render_people.person(known_person(public_id))


def _pair(one: str, other: str) -> tuple[PersonRow, PersonRow]:
    found = twin_queries.two_records(one, other)
    if any(person.merged_into_person_id is not None for person in found):
        raise AlreadyMerged()
    return found


@blueprint.get("/duplicates")
@requires(Role.MANAGER, scope="people:read")
@blueprint.output(PossibleTwins())
def possible_twins() -> Json:
    """Pairs of records that may be one person, the surest first (managers)

    At most a hundred; `total` says how many there are.
    """
    pairs, total = twin_queries.twins()
    return {"items": [render_twins.pair(row) for row in pairs], "total": total, "next": None}


@blueprint.get("/duplicates/<person_id>/<other_id>")
@requires(Role.MANAGER, scope="people:read")
@blueprint.output(Comparison())
def compare_records(person_id: str, other_id: str) -> Json:
    """What hangs on each of two records, and what making them one would do, in both directions (managers)

    409 `already_merged`.
    """
    one, other = _pair(person_id, other_id)
    return render_twins.comparison(
        [facts_of(one), facts_of(other)], [render_twins.direction(one, other), render_twins.direction(other, one)]
    )


@blueprint.post("/duplicates/<person_id>/<other_id>/two-people")
@requires(Role.MANAGER, scope="people:write")
@blueprint.output(TwoRecords())
@idempotent(lambda _actor, _id: render_twins.two_people(), of="person_id")
def say_two_people(person_id: str, other_id: str) -> Json:
    """Say that two records are two people, who are not proposed again (managers); twice is fine"""
    merging.say_two(current_actor(), person_id, other_id)
    return render_twins.two_people()


@blueprint.post("/people/<person_id>/merge")
@requires(Role.MANAGER, scope="people:write")
@blueprint.input(Merging(), example=_MERGED)
@blueprint.output(Person())
@idempotent(_kept, of="person_id")
def merge_records(person_id: str, json_data: dict[str, Any]) -> Json:
    """Let another record of the same person go into this one (managers)

    It cannot be undone. `seen` is what the comparison said for this direction: 409 `record_changed` where either record
    says something else by now, `cannot_merge` with what must be done `first`, `already_merged`.
    """
    merging.merge(current_actor(), person_id, json_data["gone_id"], json_data["take"], seen=json_data["seen"])
    return _kept(current_actor(), person_id)
