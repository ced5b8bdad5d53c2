"""Who writes money, and who reads whose invoices."""

from __future__ import annotations

import pytest

from coworking.billing import manual_charges, paying, queries, services
from coworking.core.errors import Forbidden, NotFound
from tests.support.billing import OCTOBER


@pytest.mark.parametrize("who", ["host", "accountant", "member"])
def test_only_a_manager_writes_money(billing_lieu, inside, who):
    actor = getattr(billing_lieu.cast, who).actor()
    for attempt in (
        lambda: services.run(actor, OCTOBER),
        lambda: services.credit(actor, "x", "y"),
        lambda: paying.record_payment(actor, "x", 1, OCTOBER, "cash"),
        lambda: manual_charges.waive(actor, "x", "y"),
        lambda: manual_charges.remove_line(actor, "x"),
        lambda: services.update_settings(actor, iban="x"),
        lambda: services.replace_mention(actor, "penalty", "x"),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_people_read_only_their_own_invoices(billing_lieu, invoice, inside):
    employer = next(
        row
        for row, _ in [(s.invoice, s) for s in queries.documents(billing_lieu.manager, queries.Filters())[0]]
        if row.payer_organisation_id
    )
    cast = billing_lieu.cast

    def reads(person, document) -> bool:
        try:
            queries.standing_for(person.actor(), document.public_id)
        except NotFound:
            return False
        return True

    assert [reads(p, invoice) for p in (cast.stranger, cast.member, cast.host, cast.accountant, cast.manager)] == [
        True,
        False,
        False,
        True,
        True,
    ]
    assert [reads(p, employer) for p in (cast.member, cast.colleague, cast.stranger)] == [False, True, False]
