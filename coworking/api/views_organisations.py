"""Organisations that pay: their details, people and invitations, for their contacts and managers.

What of its people an organisation sees is decided in `coworking.membership.employer_rules`, here as on its page.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request

from coworking.accounts import invitations, organisations
from coworking.api import queries, render_people
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.common import PageQuery
from coworking.api.schemas.organisations import (
    Belonging,
    Ending,
    MaybeMonthQuery,
    NewBelonging,
    NewInvitation,
    NewOrganisation,
    OrganisationDetails,
    OrganisationInvitation,
    OrganisationInvitations,
    PaidPeople,
    PayingOrganisation,
    PayingOrganisations,
)
from coworking.core.errors import NotFound
from coworking.core.months import month_of, write_month
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.membership import employer_queries
from coworking.spaces import queries as spaces

_JOINING = {"person_id": "k7mq2v9xw4tdz3hb", "since": "2026-12-01"}
_LAST_DAY = {"last_day": "2026-12-31"}
_NEW = {"name": "Coutellerie Durand SA", "siret": "55210055400013", "email": "compta@durand.example"}


def _belonging(actor: Actor, person: str) -> Json:
    return render_people.belonging(employer_queries.belonging_of(actor, named_organisation(), person))


def _invitation(_actor: Actor, public_id: str) -> Json:
    return render_people.invitation(invitations.by_public_id(public_id))


def _organisation(actor: Actor, public_id: str) -> Json:
    return render_people.organisation(employer_queries.organisation_of_contact(actor, public_id), actor)


def named_organisation() -> str:
    """The organisation that the address names: what a repeated request is about, as its key is for one address."""
    return str((request.view_args or {})["organisation_id"])


def asked_month(query: dict[str, Any]) -> date:
    """The month that ``query`` names, this one where it names none; raises `NotFound` for one that no employer reads."""
    return employer_queries.check_month(query.get("month") or month_of(spaces.today()))


def _written(details: dict[str, Any]) -> dict[str, Any]:
    """The same by column: empty text is nothing."""
    return {name: None if value == "" else value for name, value in details.items()}


@blueprint.get("/organisations/<organisation_id>")
@requires(scope="organisations:read")
@blueprint.output(PayingOrganisation())
def one_organisation(organisation_id: str) -> Json:
    """One organisation, for its contact and managers"""
    return _organisation(current_actor(), organisation_id)


@blueprint.get("/organisations")
@requires(scope="organisations:read")
@blueprint.input(PageQuery(), location="query", unknown=None)
@blueprint.output(PayingOrganisations())
def list_organisations(query_data: dict[str, Any]) -> Json:
    """Organisations whose contact one is; managers read all

    The oldest first. Whoever speaks for none gets an empty list.
    """
    actor, cursor = current_actor(), query_data.get("cursor")
    try:
        last = str(queries.decode_cursor(cursor, str)[0]) if cursor is not None else None
        rows, following = employer_queries.organisations_after(actor, last, query_data["limit"])
    except NotFound as error:
        raise queries.InvalidCursor() from error
    return {
        "items": [render_people.organisation(row, actor) for row in rows],
        "next": queries.encode_cursor(following) if following is not None else None,
    }


@blueprint.post("/organisations")
@requires(Role.MANAGER, scope="organisations:write")
@blueprint.input(NewOrganisation(), example=_NEW)
@blueprint.output(PayingOrganisation(), status_code=201)
@idempotent(_organisation)
def add_organisation(json_data: dict[str, Any]) -> Json:
    """Add an organisation that pays (managers)

    409 `organisation_taken` where another has its name, `domain_taken` its domain.
    """
    actor = current_actor()
    return render_people.organisation(organisations.create_organisation(actor, _written(json_data)), actor)


@blueprint.post("/organisations/<organisation_id>/details")
@requires(Role.MANAGER, scope="organisations:write")
@blueprint.input(OrganisationDetails(), example={"email": "compta@durand.example", "service_code": "ACHATS"})
@blueprint.output(PayingOrganisation())
@idempotent(_organisation)
def set_organisation_details(organisation_id: str, json_data: dict[str, Any]) -> Json:
    """Change what stands on an organisation's invoices, and its domain (managers)

    Invoices that are issued stay as they are.
    """
    actor = current_actor()
    changed = organisations.update_organisation(actor, organisation_id, _written(json_data))
    return render_people.organisation(changed, actor)


@blueprint.get("/organisations/<organisation_id>/people")
@requires(scope="organisations:read")
@blueprint.input(MaybeMonthQuery(), location="query", unknown=None)
@blueprint.output(PaidPeople())
def people_of_organisation(organisation_id: str, query_data: dict[str, Any]) -> Json:
    """What the organisation sees of its people in a month

    The running month, or one of the two years before. Never times, desks, bookings to come or what somebody else pays;
    dates only of people who agreed.
    """
    found = employer_queries.organisation_of_contact(current_actor(), organisation_id)
    seen = employer_queries.seen_by_employer(found, asked_month(query_data))
    return {
        "month": write_month(seen.month),
        "items": [render_people.paid_person(row) for row in seen.people],
        "next": None,
    }


@blueprint.post("/organisations/<organisation_id>/people")
@requires(Role.MANAGER, scope="organisations:write")
@blueprint.input(NewBelonging(), example=_JOINING)
@blueprint.output(Belonging(), status_code=201)
@idempotent(_belonging)
def add_person_to_organisation(organisation_id: str, json_data: dict[str, Any]) -> Json:
    """Let somebody belong to an organisation (managers)

    Its contact sends an invitation instead. 409 `already_member` where they belong to it then.
    """
    member = organisations.add_member(
        current_actor(),
        organisation_id,
        json_data["person_id"],
        since=json_data["since"],
        until=json_data.get("until"),
        is_contact=json_data["is_contact"],
    )
    return render_people.belonging(member)


@blueprint.post("/organisations/<organisation_id>/people/<person_id>/end")
@requires(scope="organisations:write")
@blueprint.input(Ending(), example=_LAST_DAY)
@blueprint.output(Belonging())
@idempotent(_belonging)
def end_person_of_organisation(organisation_id: str, person_id: str, json_data: dict[str, Any]) -> Json:
    """Let somebody belong to an organisation until a day

    For its contact, from today on, and managers. Half-days that are booked stay paid as they were quoted. 409 `last_contact`
    for a contact who would leave it without one.
    """
    actor = current_actor()
    member = employer_queries.belonging_of(actor, organisation_id, person_id)
    organisations.end_member(actor, organisation_id, member.id, json_data["last_day"])
    return render_people.belonging(member)


@blueprint.post("/organisations/<organisation_id>/invitations")
@requires(scope="organisations:write")
@blueprint.input(NewInvitation(), example={"email": "anne@demo.example"})
@blueprint.output(OrganisationInvitation(), status_code=201)
@idempotent(_invitation)
def invite_to_organisation(organisation_id: str, json_data: dict[str, Any]) -> Json:
    """Ask an address by e-mail to belong to the organisation

    For its contact and managers. It can be accepted for fourteen days; asked again, it lasts longer.
    """
    return render_people.invitation(
        invitations.invite(current_actor(), organisation_id, json_data["email"], as_contact=json_data["as_contact"])
    )


@blueprint.get("/organisations/<organisation_id>/invitations")
@requires(scope="organisations:read")
@blueprint.output(OrganisationInvitations())
def invitations_of_organisation(organisation_id: str) -> Json:
    """Invitations that can still be accepted, the latest first"""
    found = employer_queries.organisation_of_contact(current_actor(), organisation_id)
    rows = invitations.open_invitations(found)
    return {"items": [render_people.invitation(row) for row in rows], "next": None}


@blueprint.post("/organisations/<organisation_id>/invitations/<invitation_id>/withdraw")
@requires(scope="organisations:write")
@blueprint.output(OrganisationInvitation())
@idempotent(_invitation)
def withdraw_invitation(organisation_id: str, invitation_id: str) -> Json:
    """Withdraw an invitation: its link works no longer; twice is fine"""
    return render_people.invitation(invitations.withdraw(current_actor(), organisation_id, invitation_id))
