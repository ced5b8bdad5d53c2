"""The demo reminds: steps of the past months were sent, one reminder leaves on the next working day."""

from __future__ import annotations

import random
from datetime import date, timedelta

from coworking.billing import reminder_queries, reminding, reminding_by_hand
from coworking.billing.reminder_rules import ECB_RATES, half_year, sending_day_after
from coworking.core.policy import Actor
from coworking.demo.billing import FORGETFUL

HELD_DAYS = 24
"""In how many last days somebody asks for time until tomorrow."""


def prepare(manager: Actor, today: date) -> None:
    """The lieu says yes. A rate that is not known yet is the last known one: this is a simulation."""
    last = ECB_RATES[max(ECB_RATES)]
    reminding_by_hand.choose(manager, is_on=True, ecb_rates={half_year(today): last})


def live(manager: Actor, day: date, today: date) -> None:
    """At nine on ``day``. Near ``today`` one payer is given time on each day on which reminders leave, rather one who
    will not pay: their reminder stands on the next list."""
    if day >= today - timedelta(days=HELD_DAYS):
        payers = reminder_queries.overdue(day)
        leaving = [one for one in payers if one.receiver is not None and one.leaving(day)]
        if leaving:
            waiting = [one for one in leaving if any(_is_forgotten(item.invoice.number) for item in one.invoices)]
            reminding_by_hand.pause(
                manager,
                (waiting or leaving)[0].public_id,
                invoice=None,
                until=sending_day_after(today),
                reason="A demandé quelques jours au téléphone",
            )
    reminding.send_due()


def _is_forgotten(number: str) -> bool:
    """Whether the demo's payers never pay that invoice (`billing._read_statement`)."""
    return random.Random(number).random() < FORGETFUL
