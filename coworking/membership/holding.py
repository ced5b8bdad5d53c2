"""What the lieu holds about somebody's plan and packs, for the copy of their data."""

from __future__ import annotations

from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import ORGANISATION, Holds
from coworking.membership.models import Adhesion, Agreement, LedgerEntry, Pack, Subscription
from coworking.pricing.group_models import PriceGroupMember

holdings.declare(
    Holds("memberships", N_("My annual memberships"), Adhesion),
    Holds("plans", N_("My plans"), Subscription),
    Holds("packs", N_("My packs"), Pack),
    Holds("reduced_prices", N_("My reduced prices"), PriceGroupMember),
    Holds("units", N_("Half-days and room hours, taken and given back"), LedgerEntry),
)
holdings.leave(ORGANISATION, N_("Agreements with organisations"), Agreement)
