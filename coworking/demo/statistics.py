"""The demo's months are closed as a lieu's are, early in the next one and for good a few days later, and sent."""

from __future__ import annotations

from datetime import date

from coworking.core.months import month_before
from coworking.core.policy import SYSTEM, Actor
from coworking.demo import network
from coworking.network.lieu import services as sending
from coworking.statistics import services

CLOSING_DAYS = (services.PROVISIONAL_FROM, services.FINAL_FROM)


def prepare(manager: Actor) -> None:
    """The lieu itself reports to a larger network, which has no such software."""
    sending.send_by_email(manager, name="Les Lieux du Massif", email="reseau@demo.example")


def close_months(day: date, first: date) -> None:
    """Close the month before that of ``day`` on the days on which it is usual; ``first`` began the demo's first month."""
    month = month_before(day)
    if day.day in CLOSING_DAYS and month >= first:
        network.mailed(services.close(SYSTEM, month))
