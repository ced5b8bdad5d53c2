"""Terms and house rules: reading and publishing them; what people accepted, and what they agree to besides."""

from __future__ import annotations

from typing import Any

from coworking.accounts import consents, terms, terms_queries
from coworking.accounts.models import Person
from coworking.accounts.queries import person_by_id
from coworking.api import render_terms
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.queries import known_person
from coworking.api.render import Json
from coworking.api.schemas.terms import (
    Acceptance,
    Agreements,
    NewConsent,
    NewConsentOfSomebody,
    NewHouseText,
    ShownHouseText,
    ShownHouseTexts,
    SignedOnPaper,
)
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.membership import employers

_NEW = {"kind": "rules", "from_day": "2026-12-01", "text": "# Quiet\n\n- Calls are taken in the booths."}


def _text(_actor: Actor, public_id: str) -> Json:
    return render_terms.house_text(terms_queries.text_by_public_id(public_id), terms_queries.heads_in_force())


def _agreements(_actor: Actor, public_id: str) -> Json:
    return _of(known_person(public_id))


def _of(person: Person) -> Json:
    changes = terms_queries.consent_changes_of(person.id)
    return render_terms.agreements(
        reader=current_actor(),
        waiting=terms_queries.waiting_for(person.id),
        accepted=terms_queries.accepted_by(person.id),
        consents=terms_queries.consents_of(person, changes),
        changes=changes,
    )


def _mine() -> Json:
    return _of(person_by_id(current_actor().person_id))


@blueprint.get("/terms")
@requires(scope="lieu:read")
@blueprint.output(ShownHouseTexts())
def house_texts() -> Json:
    """Every version of the general terms and house rules, the latest first, without its words"""
    in_force = terms_queries.heads_in_force()
    return {"items": [render_terms.head(row, in_force) for row in terms_queries.every_text()], "next": None}


@blueprint.get("/terms/<text_id>")
@requires(scope="lieu:read")
@blueprint.output(ShownHouseText())
def house_text(text_id: str) -> Json:
    """One version with its words, also one that was replaced"""
    return _text(current_actor(), text_id)


@blueprint.post("/terms")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewHouseText(), example=_NEW)
@blueprint.output(ShownHouseText(), status_code=201)
@idempotent(_text)
def publish_house_text(json_data: dict[str, Any]) -> Json:
    """Let a version hold from a day on (managers)

    It never changes. People are asked to accept it on their next visit from that day on. 409 `text_exists` where one of
    its kind holds from that day on already.
    """
    actor, words = current_actor(), json_data
    made = terms.publish(
        actor, words["kind"], text=words["text"], news=words["news"] or None, from_day=words["from_day"]
    )
    return _text(actor, made.public_id)


@blueprint.get("/me/agreements")
@requires(scope="data:read")
@blueprint.output(Agreements())
def my_agreements() -> Json:
    """What one accepted and when, what waits to be accepted, and what one agrees to besides"""
    return _mine()


@blueprint.post("/me/agreements")
@requires(scope="data:write")
@blueprint.input(Acceptance(), example={"text_ids": ["rules-2026-12-01"]})
@blueprint.output(Agreements())
@idempotent(_agreements)
def accept_house_texts(json_data: dict[str, Any]) -> Json:
    """Accept versions in force that one has read; twice is fine

    409 `texts_changed` for one that is not in force: read what is.
    """
    terms.accept(current_actor(), json_data["text_ids"])
    return _mine()


@blueprint.post("/me/consents")
@requires(scope="data:write")
@blueprint.input(NewConsent(), example={"kind": "colleagues", "given": True})
@blueprint.output(Agreements())
@idempotent(_agreements)
def set_my_consent(json_data: dict[str, Any]) -> Json:
    """Agree to something, or no longer; twice is fine

    Nothing else depends on it. 404 for an organisation that one never belonged to.
    """
    actor, given = current_actor(), json_data["given"]
    if json_data["kind"] == "colleagues":
        consents.show_to_colleagues(actor, shown=given)
    else:
        employers.show_dates(actor, json_data["organisation_id"], given)
    return _mine()


@blueprint.get("/people/<person_id>/agreements")
@requires(Role.HOST, scope="people:read")
@blueprint.output(Agreements())
def agreements_of_person(person_id: str) -> Json:
    """What somebody accepted and when, what waits, and what they agree to besides (staff)"""
    return _agreements(current_actor(), person_id)


@blueprint.post("/people/<person_id>/agreements/paper")
@requires(Role.HOST, scope="people:write")
@blueprint.input(SignedOnPaper(), example={"signed_on": "2026-11-24"})
@blueprint.output(Agreements())
@idempotent(_agreements, of="person_id")
def write_paper_down(person_id: str, json_data: dict[str, Any]) -> Json:
    """Write down that somebody signed on paper what is in force (staff); twice is fine

    403 for people of the team, whom managers change.
    """
    actor = current_actor()
    terms.accepted_on_paper(actor, person_id, signed_on=json_data["signed_on"])
    return _agreements(actor, person_id)


@blueprint.post("/people/<person_id>/agreements/<text_id>/take-back")
@requires(Role.HOST, scope="people:write")
@blueprint.output(Agreements())
@idempotent(_agreements, of="person_id")
def take_paper_back(person_id: str, text_id: str) -> Json:
    """Say that what was written down about somebody's paper was a mistake (staff)

    What they accepted here themselves stays: 404.
    """
    actor = current_actor()
    terms.take_back_paper(actor, person_id, text_id)
    return _agreements(actor, person_id)


@blueprint.post("/people/<person_id>/consents")
@requires(Role.HOST, scope="people:write")
@blueprint.input(NewConsentOfSomebody(), example={"given": False})
@blueprint.output(Agreements())
@idempotent(_agreements, of="person_id")
def write_consent_down(person_id: str, json_data: dict[str, Any]) -> Json:
    """Write down whether somebody agrees that colleagues see when they come (staff); twice is fine

    Which dates their employer sees they alone decide. 403 for people of the team, whom managers change.
    """
    actor = current_actor()
    consents.show_to_colleagues(actor, shown=json_data["given"], public_id=person_id)
    return _agreements(actor, person_id)
