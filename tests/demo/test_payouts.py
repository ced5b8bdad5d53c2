"""The demo's payouts: one at the bank, one that waits to be confirmed, one that holds what no payment here explains."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coworking.accounting import bank_queries
from coworking.billing import payout_queries, services
from coworking.core import checks
from coworking.core.clock import frozen_at
from coworking.core.db import db
from coworking.demo.payouts import IBAN, StripeAccount
from coworking.spaces import services as spaces
from tests.support.billing import OCTOBER

ZONE = ZoneInfo("Europe/Paris")


def test_two_are_at_the_bank_and_the_last_waits_for_the_manager(billing_lieu, inside, clock):
    manager = billing_lieu.manager
    services.update_settings(manager, iban=IBAN, bic="AGRIFRPP")
    spaces.update_lieu(manager, is_simulation=True)
    unpaid = [row for row in services.run(manager, OCTOBER).issued if row.payable_cents > 0]
    today = date(2027, 2, 20)
    account = StripeAccount(manager, today)
    assert not account.takes_cards(date(2026, 10, 31)) and account.takes_cards(date(2026, 11, 1))
    day = date(2026, 11, 25)
    while day <= today:
        with frozen_at(datetime(day.year, day.month, day.day, 1, tzinfo=ZONE)):
            account.live(day)
            if day.day == 27 and unpaid:
                invoice = unpaid.pop()
                account.pay(invoice, invoice.payable_cents)
        day += timedelta(days=1)
    found = payout_queries.payouts(limit=10)
    matches = bank_queries.payout_matches([row.id for row in found])
    assert [(row.state, row.id in matches, bool(row.unexplained_cents)) for row in found] == [
        ("paid", False, False),
        ("paid", True, True),
        ("paid", True, False),
    ]
    proposed = bank_queries.payout_proposals(bank_queries.waiting())
    assert [(one.payout.id, one.sureness) for one in proposed.values()] == [(found[0].id, "certain")]
    db.session.rollback()
    clock.set(datetime(2027, 2, 20, 9, tzinfo=ZONE))
    assert [sentence for one, told in checks.run() if one.promise == 3 for sentence in told] == []
