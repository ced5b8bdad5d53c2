"""A month's charges become one invoice for each payer; what it says and to whom."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import func, select

from coworking.accounts.models import Organisation
from coworking.billing import checks as billing_checks
from coworking.billing import queries, rules, services
from coworking.billing.models import Invoice
from coworking.core.outbox import OutboxRow
from coworking.core.units import snapshot, write_unit
from tests.support.billing import OCTOBER


def test_each_payer_gets_one_invoice(billing_lieu, session):
    done = services.run(billing_lieu.manager, OCTOBER)
    assert (len(done.issued), done.problems, done.carried) == (3, [], [])
    by_name = {queries.content(row)["buyer"]["name"]: row for row in done.issued}
    assert {name: row.payable_cents for name, row in by_name.items()} == {
        "Lise Vidal": 6600,
        "Anne Marchand": 900,
        "Coutellerie Durand SA": 2700,
    }
    assert sorted(row.number for row in done.issued) == ["F2026-0001", "F2026-0002", "F2026-0003"]
    assert session.scalar(select(func.count()).where(OutboxRow.topic == queries.ISSUED)) == 3


def test_the_employer_reads_counts_and_no_days(billing_lieu, inside):
    done = services.run(billing_lieu.manager, OCTOBER)
    content = next(c for c in map(queries.content, done.issued) if c["buyer"]["kind"] == "organisation")
    (line,) = content["lines"]
    assert line["quantity"] == 3 and line["days"] == []
    assert line["people"] == [{"name": "Anne Marchand", "quantity": 2}, {"name": "Karim Benali", "quantity": 1}]
    assert "2026-10-20" not in json.dumps(content)  # Anne's own day
    assert any("40\u00a0€" in note for note in content["notes"])
    assert content["due_on"] == "2026-12-24"


def test_a_consumer_never_reads_of_the_forty_euros(billing_lieu, inside):
    for invoice in services.run(billing_lieu.manager, OCTOBER).issued:
        content = queries.content(invoice)
        if content["buyer"]["kind"] == "person":
            assert "40\u00a0€" not in invoice.payload and "Pénalités" not in invoice.payload
            assert content["due_on"] == content["issued_on"]


def test_vat_is_taken_from_the_sum_once(billing_lieu, inside):
    done = services.run(billing_lieu.manager, OCTOBER)
    lise = next(row for row in done.issued if row.payable_cents == 6600)
    assert (lise.net_cents, lise.vat_cents, lise.gross_cents, lise.rounding_cents) == (5500, 1100, 6600, 0)


def test_a_cent_no_net_can_express_is_the_rounding_amount(billing_lieu, inside):
    billing_lieu.use(billing_lieu.cast.lead, date(2026, 10, 2), cents=303)
    done = services.run(billing_lieu.manager, OCTOBER)
    row = next(row for row in done.issued if row.payable_cents == 303)
    assert row.net_cents + row.vat_cents + row.rounding_cents == 303
    assert row.rounding_cents in (1, -1) and row.vat_cents == (row.net_cents * 2000 + 5000) // 10000


def test_a_second_run_bills_nothing_again(billing_lieu, session):
    services.run(billing_lieu.manager, OCTOBER)
    again = services.run(billing_lieu.manager, OCTOBER)
    assert again.issued == [] and session.scalar(select(func.count(Invoice.id))) == 3


def test_an_organisation_without_address_is_named_and_others_are_invoiced(billing_lieu, session):
    with write_unit():
        session.scalars(select(Organisation)).one().address = None
    done = services.run(billing_lieu.manager, OCTOBER)
    assert len(done.issued) == 2
    ((name, problem),) = done.problems
    assert name == "Coutellerie Durand SA" and isinstance(problem, rules.BuyerIncomplete)
    assert sorted(session.scalars(select(Invoice.seq))) == [1, 2]


def test_a_lieu_without_siret_issues_nothing(billing_lieu, session):
    from coworking.spaces.models import Lieu

    with write_unit():
        session.get(Lieu, 1).siret = None
    done = services.run(billing_lieu.manager, OCTOBER)
    assert done.issued == [] and all(isinstance(why, rules.SellerIncomplete) for _, why in done.problems)


def test_prices_with_and_without_vat_make_one_invoice(billing_lieu, inside):
    billing_lieu.use(billing_lieu.cast.stranger, date(2026, 10, 16), cents=1000, basis="ht")
    done = services.run(billing_lieu.manager, OCTOBER)
    assert sorted(row.payable_cents for row in done.issued) == [900, 2700, 6600 + 1200]
    with snapshot():
        assert list(billing_checks.charged()) == []


def test_an_employer_reads_unit_prices_without_vat_and_a_person_with_it(billing_lieu, inside):
    unit = {
        content["buyer"]["name"]: content["lines"][0]["unit_micros"]
        for content in map(queries.content, services.run(billing_lieu.manager, OCTOBER).issued)
    }
    assert unit["Coutellerie Durand SA"] == 7_500_000
    assert unit["Anne Marchand"] == 9_000_000
