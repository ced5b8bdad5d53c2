"""What the lieu holds about somebody's plan and packs, for the copy of their data."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import ORGANISATION, Holds
from coworking.membership.models import Adhesion, Agreement, LedgerEntry, Pack, PackReturn, Subscription
from coworking.membership.pack_request_models import PackRequest
from coworking.membership.trial_models import Trial
from coworking.membership.withdrawal_models import Withdrawal
from coworking.pricing.group_models import PriceGroupMember


def _of_packs(person_id: int) -> ColumnElement[bool]:
    return PackReturn.pack_id.in_(select(Pack.id).where(Pack.person_id == person_id))


def _of_requests(person_id: int) -> ColumnElement[bool]:
    return PackRequest.pack_id.in_(select(Pack.id).where(Pack.person_id == person_id))


def _of_contracts(person_id: int) -> ColumnElement[bool]:
    return or_(
        Withdrawal.subscription_id.in_(select(Subscription.id).where(Subscription.person_id == person_id)),
        Withdrawal.pack_id.in_(select(Pack.id).where(Pack.person_id == person_id)),
    )


holdings.declare(
    Holds("memberships", N_("My annual memberships"), Adhesion),
    Holds("plans", N_("My plans"), Subscription),
    Holds("packs", N_("My packs"), Pack),
    Holds("packs_given_back", N_("My packs, what was given back"), PackReturn, rows=_of_packs),
    Holds("packs_asked_back", N_("My packs, what I asked to have given back"), PackRequest, rows=_of_requests),
    Holds("withdrawals", N_("My withdrawals"), Withdrawal, rows=_of_contracts),
    Holds("reduced_prices", N_("My reduced prices"), PriceGroupMember),
    Holds("trial", N_("My half-day to try"), Trial),
    Holds("units", N_("Half-days and room hours, taken and given back"), LedgerEntry),
)
holdings.leave(ORGANISATION, N_("Agreements with organisations"), Agreement)
