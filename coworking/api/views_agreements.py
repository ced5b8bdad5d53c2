"""What organisations agreed to pay, for their contacts and managers."""

from __future__ import annotations

from typing import Any

from coworking.accounts.models import Organisation
from coworking.api import render_people
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.organisations import (
    AgreementList,
    AgreementTerms,
    Ending,
    MaybeMonthQuery,
    NewAgreement,
    NewOrderNumber,
)
from coworking.api.views_organisations import asked_month, named_organisation
from coworking.core.errors import NotFound
from coworking.core.months import month_of, write_month
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.membership import employer_queries, employers, services
from coworking.membership import queries as membership
from coworking.membership.models import Agreement
from coworking.membership.rules import weekdays_mask
from coworking.spaces import queries as spaces

_LAST_DAY = {"last_day": "2026-12-31"}
_AGREED = {"valid_from": "2026-12-01", "halfdays_per_month": 8, "weekdays": [1, 2, 4], "beyond": "person"}


def _agreement(actor: Actor, public_id: str) -> Json:
    found, month = employer_queries.organisation_of_contact(actor, named_organisation()), month_of(spaces.today())
    for one in _agreements(actor, found):
        if one.public_id == public_id:
            return render_people.agreement(one, employer_queries.spending(found, [one], month)[one.id])
    raise NotFound()


def _agreements(actor: Actor, organisation: Organisation) -> list[Agreement]:
    """All of them for managers, as on their page; for the contact those that are not over."""
    if actor.has(Role.MANAGER):
        return membership.agreements_of(organisation.id)
    return employer_queries.agreements_in_force(organisation.id)


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
    found, month = employer_queries.organisation_of_contact(actor, organisation_id), asked_month(query_data)
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
