"""Organisations that pay: their people and agreements, for their contacts and managers.

What of its people an organisation sees is decided in `coworking.membership.employer_rules`, here as on its page.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request

from coworking.accounts import invitations, organisations
from coworking.accounts.models import Organisation
from coworking.api import queries, render_people
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.common import PageQuery
from coworking.api.schemas.organisations import (
    AgreementList,
    AgreementTerms,
    Belonging,
    Ending,
    MaybeMonthQuery,
    NewAgreement,
    NewBelonging,
    NewInvitation,
    NewOrderNumber,
    OrganisationInvitation,
    OrganisationInvitations,
    PaidPeople,
    PayingOrganisation,
    PayingOrganisations,
)
from coworking.core.errors import NotFound
from coworking.core.months import month_of, write_month
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.membership import employer_queries, employers, services
from coworking.membership import queries as membership
from coworking.membership.models import Agreement
from coworking.membership.rules import weekdays_mask
from coworking.spaces import queries as spaces

_JOINING = {"person_id": "k7mq2v9xw4tdz3hb", "since": "2026-12-01"}
_LAST_DAY = {"last_day": "2026-12-31"}
_AGREED = {"valid_from": "2026-12-01", "halfdays_per_month": 8, "weekdays": [1, 2, 4], "beyond": "person"}


def _belonging(actor: Actor, person: str) -> Json:
    return render_people.belonging(employer_queries.belonging_of(actor, _organisation_id(), person))


def _invitation(_actor: Actor, public_id: str) -> Json:
    return render_people.invitation(invitations.by_public_id(public_id))


def _agreement(actor: Actor, public_id: str) -> Json:
    found, month = employer_queries.organisation_of_contact(actor, _organisation_id()), month_of(spaces.today())
    for one in _agreements(actor, found):
        if one.public_id == public_id:
            return render_people.agreement(one, employer_queries.spending(found, [one], month)[one.id])
    raise NotFound()


def _organisation_id() -> str:
    """The organisation that the address names: what a repeated request is about, as its key is for one address."""
    return str((request.view_args or {})["organisation_id"])


def _agreements(actor: Actor, organisation: Organisation) -> list[Agreement]:
    """All of them for managers, as on their page; for the contact those that are not over."""
    if actor.has(Role.MANAGER):
        return membership.agreements_of(organisation.id)
    return employer_queries.agreements_in_force(organisation.id)


def _asked_month(query: dict[str, Any]) -> date:
    return employer_queries.check_month(query.get("month") or month_of(spaces.today()))


@blueprint.get("/organisations/<organisation_id>")
@requires(scope="organisations:read")
@blueprint.output(PayingOrganisation())
def one_organisation(organisation_id: str) -> Json:
    """One organisation, for its contact and managers"""
    actor = current_actor()
    return render_people.organisation(employer_queries.organisation_of_contact(actor, organisation_id), actor)


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
    seen = employer_queries.seen_by_employer(found, _asked_month(query_data))
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


@blueprint.post("/organisations/<organisation_id>/agreements")
@requires(Role.MANAGER, scope="organisations:write")
@blueprint.input(NewAgreement(), example=_AGREED)
@blueprint.output(AgreementTerms(), status_code=201)
@idempotent(_agreement)
def add_agreement(organisation_id: str, json_data: dict[str, Any]) -> Json:
    """Write down what an organisation agreed to pay (managers)

    It applies to what is booked from now on.
    """
    actor, share = current_actor(), json_data["share_percent"]
    made = services.add_agreement(
        actor,
        organisation_id,
        valid_from=json_data["valid_from"],
        valid_until=json_data.get("valid_until"),
        weekdays=weekdays_mask(day - 1 for day in json_data.get("weekdays", ())),
        halfdays_per_month=json_data.get("halfdays_per_month"),
        beyond=json_data["beyond"],
        halfday_cents=json_data.get("halfday_cents"),
        order_number=json_data.get("order_number") or None,
        days_per_week=json_data.get("days_per_week"),
        cap_cents=json_data.get("cap_cents"),
        cap_of=json_data["cap_of"],
        share_bp=None if share == 100 else share * 100,
        pays_rooms=json_data["pays_rooms"],
    )
    return _agreement(actor, made.public_id)


@blueprint.get("/organisations/<organisation_id>/agreements")
@requires(scope="organisations:read")
@blueprint.input(MaybeMonthQuery(), location="query", unknown=None)
@blueprint.output(AgreementList())
def agreements_of_organisation(organisation_id: str, query_data: dict[str, Any]) -> Json:
    """What the organisation agreed to pay, the latest first, and what it spent in a month

    For its contact, those that are not over; for managers, all.
    """
    actor = current_actor()
    found, month = employer_queries.organisation_of_contact(actor, organisation_id), _asked_month(query_data)
    rows = _agreements(actor, found)
    spent = employer_queries.spending(found, rows, month)
    return {
        "month": write_month(month),
        "items": [render_people.agreement(row, spent[row.id]) for row in rows],
        "next": None,
    }


@blueprint.post("/organisations/<organisation_id>/agreements/<agreement_id>/end")
@requires(Role.MANAGER, scope="organisations:write")
@blueprint.input(Ending(), example=_LAST_DAY)
@blueprint.output(AgreementTerms())
@idempotent(_agreement)
def end_agreement(organisation_id: str, agreement_id: str, json_data: dict[str, Any]) -> Json:
    """Let an agreement end with a day (managers)

    Half-days that are booked after it stay paid as they were quoted. 409 `already_ended`.
    """
    actor = current_actor()
    _agreement(actor, agreement_id)
    services.end_agreement(actor, agreement_id, json_data["last_day"])
    return _agreement(actor, agreement_id)


@blueprint.post("/organisations/<organisation_id>/agreements/<agreement_id>/order-number")
@requires(scope="organisations:write")
@blueprint.input(NewOrderNumber(), example={"order_number": "BC-2026-118"})
@blueprint.output(AgreementTerms())
@idempotent(_agreement)
def set_order_number(organisation_id: str, agreement_id: str, json_data: dict[str, Any]) -> Json:
    """Say which order number the next invoices carry

    For the organisation's contact and managers.
    """
    actor = current_actor()
    employers.set_order_number(actor, organisation_id, agreement_id, json_data.get("order_number") or None)
    return _agreement(actor, agreement_id)
