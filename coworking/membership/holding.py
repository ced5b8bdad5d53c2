"""What the lieu holds about somebody's plan and packs, for the copy of their data."""

from __future__ import annotations

from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import ORGANISATION, Holds
from coworking.membership.models import Adhesion, Agreement, LedgerEntry, Pack, Subscription

holdings.declare(
    Holds("memberships", N_("My annual memberships"), Adhesion),
    Holds("plans", N_("My plans"), Subscription),
    Holds("packs", N_("My packs"), Pack),
    Holds("units", N_("Half-days and room hours, taken and given back"), LedgerEntry),
)
holdings.leave(ORGANISATION, N_("Agreements with organisations"), Agreement)
